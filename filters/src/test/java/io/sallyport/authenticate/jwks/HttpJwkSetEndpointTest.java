// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.sallyport.authenticate.AcceptedTokens;
import io.sallyport.authenticate.AuthenticateConfig;
import io.sallyport.authenticate.AuthenticateStage;
import io.sallyport.authenticate.RouteAuthentication;
import io.sallyport.authenticate.TestIssuer;
import io.sallyport.authenticate.TestTokens;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.authenticate.issuer.JwksConfig;
import io.sallyport.authenticate.issuer.Profile;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.jwks.JwkSetEndpoint.Document;
import io.sallyport.authenticate.jwks.JwkSetEndpoint.UnusableAnswer;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.authenticate.keys.NoKeys;
import io.sallyport.config.Findings;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.forward.TestCa;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Resumed;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.StageName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.zip.GZIPOutputStream;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.netty.Connection;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.test.scheduler.VirtualTimeScheduler;

/** Against a real HTTPS server that misbehaves: only what an issuer should answer is taken, and in bounded time and space. */
class HttpJwkSetEndpointTest {
    private static final TestTokens CORP = TestTokens.es256();
    private static final InstantSource CLOCK = InstantSource.fixed(FakeRequest.NOW);
    private static final TestCa CA = TestCa.of("idp.test");
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Reason UNAVAILABLE = Reason.AUTHENTICATE_JWKS_UNAVAILABLE;
    private static final Reason KID_UNKNOWN = Reason.AUTHENTICATE_JWT_KID_UNKNOWN;
    private static final String DISCOVERY = "/.well-known/openid-configuration";

    private boolean publicOnly;
    private boolean anyContentType;
    private @Nullable Path bearerTokenFile;
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final Scheduler scheduler = Schedulers.newSingle("key-sets", true);
    private final MeterRegistry meters = new SimpleMeterRegistry();
    private volatile BiFunction<HttpServerRequest, HttpServerResponse, Publisher<Void>> answer = publishing(CORP);
    private DisposableServer server = serve("localhost");

    @TempDir
    private Path folder = Path.of("");

    @BeforeEach
    void trust() throws IOException {
        Files.writeString(ca(), TestCa.pemOf(List.of(CA.certificate())));
    }

    @AfterEach
    void stop() {
        server.disposeNow();
        scheduler.dispose();
    }

    @Test
    void a_key_set_is_found_by_discovery() {
        assertThat(fetch(issuer())).asString(StandardCharsets.UTF_8).isEqualTo(TestTokens.jwkSet(CORP));
        assertThat(requests).containsExactly(DISCOVERY, "/jwks");
    }

    @Test
    void a_key_set_is_found_where_the_operator_says() {
        fetch(issuer(url() + "/elsewhere"));

        assertThat(requests).containsExactly("/elsewhere");
    }

    @Test
    void discovery_is_asked_once_as_long_as_the_keys_are_where_it_said() {
        var endpoint = endpoint(issuer());
        endpoint.fetch(null).block();
        endpoint.fetch(null).block();
        assertThat(requests).containsExactly(DISCOVERY, "/jwks", "/jwks");

        var good = answer;
        answer = (_, response) -> response.status(404).send();
        assertThatThrownBy(() -> endpoint.fetch(null).block()).isInstanceOf(UnusableAnswer.class);
        answer = good;
        endpoint.fetch(null).block();

        assertThat(requests).endsWith("/jwks", DISCOVERY, "/jwks");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"issuer\":\"https://other.example\",\"jwks_uri\":\"URL/jwks\"}",
                "{\"issuer\":\"URL/\",\"jwks_uri\":\"URL/jwks\"}",
                "{\"jwks_uri\":\"URL/jwks\"}",
                "{\"issuer\":[\"URL\"],\"jwks_uri\":\"URL/jwks\"}",
                "{\"issuer\":\"URL\"}",
                "{\"issuer\":\"URL\",\"jwks_uri\":7}",
                "{\"issuer\":\"URL\",\"jwks_uri\":\"\"}",
                "{\"issuer\":\"URL\",\"jwks_uri\":\"http://localhost/jwks\"}",
                "{\"issuer\":\"URL\",\"jwks_uri\":\"https://169.254.169.254/jwks\"}",
                "{\"issuer\":\"URL\",\"jwks_uri\":\"https://localhost.evil.example/jwks\"}",
                "{\"issuer\":\"URL\",\"jwks_uri\":\"file:///etc/passwd\"}",
                "{\"issuer\":\"URL\",\"issuer\":\"URL\",\"jwks_uri\":\"URL/jwks\"}",
                "{\"issuer\":\"URL\",\"jwks_uri\":\"URL/jwks\"} {}",
                "[]",
                "<html>"
            })
    void discovery_that_is_not_this_issuers_or_leads_away_is_refused(String document) {
        answer = (_, response) -> json(response, document.replace("URL", url()));

        assertThatThrownBy(() -> fetch(issuer()))
                .isInstanceOf(UnusableAnswer.class)
                .hasMessageStartingWith("discovery");
        assertThat(requests).containsExactly(DISCOVERY);
    }

    @Test
    void an_etag_is_sent_back_and_unchanged_is_understood() {
        var endpoint = endpoint(issuer(url() + "/jwks"));
        answer = (request, response) -> "\"v1\"".equals(request.requestHeaders().get("If-None-Match"))
                ? response.status(304)
                        .header("Cache-Control", "public, max-age=90")
                        .send()
                : json(
                        response.header("ETag", "\"v1\"").header("Cache-Control", "max-age=60"),
                        TestTokens.jwkSet(CORP));

        assertThat(endpoint.fetch(null).block()).isInstanceOfSatisfying(Document.class, document -> {
            assertThat(document.etag()).isEqualTo("\"v1\"");
            assertThat(document.maxAge()).isEqualTo(Duration.ofSeconds(60));
        });
        assertThat(endpoint.fetch("\"v1\"").block()).isEqualTo(new JwkSetEndpoint.Unchanged(Duration.ofSeconds(90)));
    }

    @Test
    void max_age_is_read_from_whichever_cache_control_field_has_it() {
        answer = (_, response) -> json(
                response.addHeader("Cache-Control", "public").addHeader("Cache-Control", "no-transform, Max-Age=77"),
                TestTokens.jwkSet(CORP));

        var document = endpoint(issuer(url() + "/jwks")).fetch(null).block();

        assertThat(Objects.requireNonNull(document).maxAge()).hasSeconds(77);
    }

    @Test
    void a_redirect_is_not_followed() {
        answer = (_, response) ->
                response.status(302).header("Location", url() + "/moved").send();

        assertThatThrownBy(() -> fetch(issuer(url() + "/jwks"))).hasMessageContaining("answered 302 (expected: 200)");
        assertThat(requests).containsExactly("/jwks");
    }

    @ParameterizedTest
    @ValueSource(ints = {204, 304, 401, 404, 429, 500, 503})
    void an_answer_that_is_not_200_is_not_taken(int status) {
        answer = (_, response) -> json(response.status(status), TestTokens.jwkSet(CORP));

        assertThatThrownBy(() -> fetch(issuer(url() + "/jwks")))
                .hasMessageContaining("answered " + status + " (expected: 200)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/html", "text/plain; charset=json", "application/octet-stream", "image/png"})
    void another_content_type_is_not_taken(String type) {
        answer = (_, response) -> response.header("Content-Type", type).sendString(Mono.just(TestTokens.jwkSet(CORP)));

        assertThatThrownBy(() -> fetch(issuer(url() + "/jwks"))).hasMessageContaining("another content type");
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json;charset=UTF-8", "application/jwk-set+json", "text/json", ""})
    void whatever_calls_itself_json_is_taken(String type) {
        answer = (_, response) -> (type.isEmpty() ? response : response.header("Content-Type", type))
                .sendString(Mono.just(TestTokens.jwkSet(CORP)));

        assertThat(fetch(issuer(url() + "/jwks"))).isNotEmpty();
    }

    @Test
    void a_document_that_never_ends_is_cut_at_its_limit() throws Exception {
        var cut = new CountDownLatch(1);
        answer = (_, response) -> response.header("Content-Type", "application/json")
                .sendString(Flux.<String>generate(sink -> sink.next(" ".repeat(16 * 1024)))
                        .doOnCancel(cut::countDown));

        assertThatThrownBy(() -> fetch(issuer(url() + "/jwks"))).hasMessageContaining("longer than 262144 bytes");
        assertThat(cut.await(10, TimeUnit.SECONDS))
                .as("the server was told to stop")
                .isTrue();
    }

    @Test
    void an_issuer_of_the_internet_is_not_looked_for_on_this_machine() {
        publicOnly = true;

        assertThatThrownBy(() -> fetch(issuer()))
                .hasStackTraceContaining("an address that the gateway fetches nothing from");
        assertThat(requests).isEmpty();
    }

    /** Where clouds hand out the machine's own credentials; whoever names it in a file, or in discovery, gets nothing from there. */
    @Test
    void neither_keys_nor_discovery_are_fetched_from_a_metadata_service() {
        for (var config : List.of(
                issuer("https://169.254.169.254/latest/meta-data/iam/"),
                issuer("https://[fd00:ec2::254]/latest/meta-data/iam/"),
                written(null).issuer("https://169.254.169.254").config())) {
            assertThatThrownBy(() -> fetch(config))
                    .hasStackTraceContaining("an address that the gateway fetches nothing from");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/octet-stream", "text/html; charset=utf-8"})
    void another_content_type_is_taken_where_the_operator_says_so(String type) {
        anyContentType = true;
        answer = (request, response) -> response.header("Content-Type", type)
                .sendString(Mono.just(
                        request.uri().equals(DISCOVERY)
                                ? "{\"issuer\":\"URL\",\"jwks_uri\":\"URL/jwks\"}".replace("URL", url())
                                : TestTokens.jwkSet(CORP)));

        assertThat(fetch(issuer())).asString(StandardCharsets.UTF_8).isEqualTo(TestTokens.jwkSet(CORP));
    }

    /** As a Kubernetes API server asks for. The kubelet renews the file. */
    @Test
    void the_bearer_token_that_is_in_its_file_is_sent_with_each_fetch() throws IOException {
        var file = Files.writeString(folder.resolve("token"), "first\n");
        bearerTokenFile = file;
        var sent = new CopyOnWriteArrayList<String>();
        var good = answer;
        answer = (request, response) -> {
            sent.add(String.valueOf(request.requestHeaders().get("Authorization")));
            return good.apply(request, response);
        };
        var endpoint = endpoint(issuer());

        endpoint.fetch(null).block();
        Files.writeString(file, "second\n");
        endpoint.fetch(null).block();

        assertThat(sent).containsExactly("Bearer first", "Bearer first", "Bearer second");
        bearerTokenFile = null;
        sent.clear();
        fetch(issuer());
        assertThat(sent).containsOnly("null");
    }

    @Test
    void a_bearer_token_that_is_not_there_is_a_finding() {
        bearerTokenFile = folder.resolve("none");
        var findings = new Findings();

        var source = new JwkSetRegistry(CryptoProvider.jdk(), scheduler, CLOCK, meters, null)
                .source("corp", issuer(), findings.at("issuers.corp"));

        assertThat(source).isNull();
        assertThat(findings.all())
                .singleElement()
                .asString()
                .startsWith("issuers.corp.jwks.bearer-token-file: " + folder.resolve("none"));
    }

    @Test
    void compressed_content_is_neither_asked_for_nor_taken() throws IOException {
        var bomb = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(bomb)) {
            gzip.write(new byte[8 * 1024 * 1024]);
        }
        var asked = new AtomicBoolean();
        answer = (request, response) -> {
            asked.set(request.requestHeaders().contains("Accept-Encoding"));
            return response.header("Content-Type", "application/json")
                    .header("Content-Encoding", "gzip")
                    .sendByteArray(Mono.just(bomb.toByteArray()));
        };

        assertThatThrownBy(() -> fetch(issuer(url() + "/jwks"))).hasMessageContaining("compressed");
        assertThat(asked).isFalse();
    }

    @Test
    void a_server_that_another_authority_vouches_for_is_refused() throws IOException {
        Files.writeString(ca(), TestCa.pemOf(List.of(TestCa.of("idp.test").certificate())));

        assertThatThrownBy(() -> fetch(issuer())).satisfies(HttpJwkSetEndpointTest::isTlsFailure);
        assertThat(requests).isEmpty();
    }

    @Test
    void a_server_of_another_name_is_refused() {
        server.disposeNow();
        server = serve("other.example");

        assertThatThrownBy(() -> fetch(issuer())).satisfies(HttpJwkSetEndpointTest::isTlsFailure);
        assertThat(requests).isEmpty();
    }

    @Test
    void a_server_that_the_java_runtime_does_not_know_is_refused_without_a_ca_of_ones_own() {
        var endpoint = new HttpJwkSetEndpoint(issuer(), null, CLOCK, scheduler);

        assertThatThrownBy(() -> endpoint.fetch(null).block()).satisfies(HttpJwkSetEndpointTest::isTlsFailure);
    }

    @ParameterizedTest
    @ValueSource(strings = {"silent", "dripping", "dripping head"})
    void a_server_that_keeps_us_waiting_costs_its_time_out_and_the_good_keys_serve_on(String how) throws Exception {
        var timeOuts = VirtualTimeScheduler.create();
        var source = start(issuer(url() + "/jwks"), timeOuts);
        var asked = new CountDownLatch(1);
        answer = (_, response) -> {
            asked.countDown();
            return switch (how) {
                case "silent" -> Mono.never();
                case "dripping head" ->
                    response.header("Content-Type", "application/json")
                            .sendHeaders()
                            .neverComplete();
                default ->
                    response.header("Content-Type", "application/json")
                            .sendString(Flux.interval(Duration.ofMillis(20)).map(_ -> " "), StandardCharsets.UTF_8);
            };
        };

        var waiting = underWay(source.refresh("unknown", FakeRequest.NOW)).toFuture();
        asked.await();
        assertThat(waiting).isNotDone();
        timeOuts.advanceTimeBy(TIMEOUT);

        assertThat(waiting).isCompletedWithValue(JwkSetSource.Refresh.Done.UNAVAILABLE);
        assertThat(kidsOf(source)).containsExactly(CORP.kid());
        timeOuts.dispose();
    }

    static List<Fault> faults() {
        var good = TestTokens.jwkSet(CORP);
        return List.of(
                new Fault(
                        "an error",
                        UNAVAILABLE,
                        (_, response) -> response.status(500).send()),
                new Fault(
                        "nothing",
                        UNAVAILABLE,
                        (_, response) -> response.status(204).send()),
                new Fault(
                        "a connection that is closed",
                        UNAVAILABLE,
                        (_, response) ->
                                response.withConnection(Connection::dispose).neverComplete()),
                new Fault(
                        "a redirect to another host",
                        UNAVAILABLE,
                        (_, response) -> response.sendRedirect("https://127.0.0.1:9/jwks")),
                new Fault("a redirect to itself", UNAVAILABLE, (_, response) -> response.sendRedirect("/jwks")),
                new Fault(
                        "a page",
                        UNAVAILABLE,
                        (_, response) ->
                                response.header("Content-Type", "text/html").sendString(Mono.just("<html></html>"))),
                new Fault("JSON that is cut", UNAVAILABLE, (_, response) -> json(response, good.substring(0, 50))),
                new Fault(
                        "a body that is cut",
                        UNAVAILABLE,
                        (_, response) -> response.header("Content-Type", "application/json")
                                .header("Content-Length", String.valueOf(good.length() + 1))
                                .sendString(Mono.just(good))
                                .then(Mono.fromRunnable(() -> response.withConnection(Connection::dispose)))),
                new Fault("an empty body", UNAVAILABLE, (_, response) -> json(response, "")),
                new Fault("an array", UNAVAILABLE, (_, response) -> json(response, "[]")),
                new Fault(
                        "ten thousand keys",
                        UNAVAILABLE,
                        (_, response) -> json(response, TestTokens.jwkSet(Collections.nCopies(10_000, CORP.jwk())))),
                new Fault(
                        "a length of gigabytes",
                        UNAVAILABLE,
                        (_, response) -> response.header("Content-Type", "application/json")
                                .header("Content-Length", "8000000000")
                                .sendString(Flux.just(" ".repeat(65_536)).repeat(), StandardCharsets.UTF_8)),
                new Fault(
                        "odd keys around the good one",
                        KID_UNKNOWN,
                        (_, response) -> json(
                                response,
                                TestTokens.jwkSet(List.of(
                                        Map.of("kty", "EC", "crv", "P-999", "kid", "curve", "x", "AA", "y", "AA"),
                                        Map.of(
                                                "kty",
                                                "EC",
                                                "crv",
                                                "P-256",
                                                "kid",
                                                "point",
                                                "x",
                                                "A".repeat(43),
                                                "y",
                                                "A".repeat(43)),
                                        Map.of("kty", "oct", "kid", CORP.kid(), "k", "AA"),
                                        CORP.jwk(),
                                        Map.of("kty", "RSA", "kid", "weak", "n", "A".repeat(170) + "Q", "e", "AQAB"),
                                        CORP.jwk(),
                                        Map.of())))));
    }

    /** What the endpoint answers from some moment on, and what a token with an unknown key is answered then. */
    record Fault(
            String what, Reason reason, BiFunction<HttpServerRequest, HttpServerResponse, Publisher<Void>> answer) {
        @Override
        public String toString() {
            return what;
        }
    }

    @ParameterizedTest
    @MethodSource("faults")
    void whatever_the_endpoint_answers_the_good_keys_serve_on(Fault fault) {
        var issuer = compile(issuer(url() + "/jwks"));
        var route = route(issuer);
        var stage = new AuthenticateStage(stageConfig(), () -> null, meters);
        answer = fault.answer();

        var unknown = CORP.named("unknown").token().issuer(url()).issue();
        assertThat(settled(stage.evaluate(bearing(unknown, route).context())).join())
                .isInstanceOfSatisfying(
                        Verdict.Deny.class,
                        deny -> assertThat(deny.denial().reason()).isEqualTo(fault.reason()));

        assertThat(requests).containsExactly("/jwks", "/jwks");
        assertThat(stage.evaluate(
                        bearing(CORP.token().issuer(url()).issue(), route).context()))
                .isEqualTo(Verdict.Pass.PASS);
        boolean failed = fault.reason() == UNAVAILABLE;
        assertThat(meters.get("sallyport.jwks.stale")
                        .tag("issuer", "corp")
                        .gauge()
                        .value())
                .isEqualTo(failed ? 1 : 0);
        assertThat(meters.get("sallyport.jwks.ignored.keys")
                        .tag("issuer", "corp")
                        .gauge()
                        .value())
                .isEqualTo(failed ? 0 : 6);
    }

    @Test
    void a_server_whose_certificate_is_no_longer_good_costs_no_request_that_has_its_key() {
        var issuer = compile(issuer(url() + "/jwks"));
        var route = route(issuer);
        var iss = url();
        var stage = new AuthenticateStage(stageConfig(), () -> null, meters);
        int port = server.port();
        server.disposeNow();
        server = serve("other.example", port);

        var unknown = CORP.named("unknown").token().issuer(iss).issue();
        assertThat(settled(stage.evaluate(bearing(unknown, route).context())).join())
                .isInstanceOfSatisfying(
                        Verdict.Deny.class,
                        deny -> assertThat(deny.denial().reason()).isEqualTo(UNAVAILABLE));
        assertThat(stage.evaluate(
                        bearing(CORP.token().issuer(iss).issue(), route).context()))
                .isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void fifty_requests_with_a_new_key_are_one_fetch_and_fifty_answers() {
        var next = TestTokens.withNewKey(SignatureAlgorithm.ES256, "next");
        var issuer = compile(issuer(url() + "/jwks"));
        var route = route(issuer);
        var stage = new AuthenticateStage(stageConfig(), () -> null, meters);
        answer = (request, response) -> Mono.delay(Duration.ofMillis(200))
                .then(Mono.from(publishing(CORP, next).apply(request, response)));

        var verdicts = new ArrayList<CompletableFuture<Verdict.Settled>>();
        for (int i = 0; i < 50; i++) {
            var token = next.token().issuer(url()).claim("jti", "token-" + i).issue();
            verdicts.add(CompletableFuture.supplyAsync(
                            () -> stage.evaluate(bearing(token, route).context()))
                    .thenCompose(HttpJwkSetEndpointTest::settled));
        }

        assertThat(verdicts).allSatisfy(verdict -> assertThat(verdict.join()).isEqualTo(Verdict.Pass.PASS));
        // One when it started, one for all of them.
        assertThat(requests).containsExactly("/jwks", "/jwks");
    }

    @Test
    void tokens_with_random_keys_are_refused_and_cause_one_fetch() {
        var issuer = compile(issuer(url() + "/jwks"));
        var route = route(issuer);
        var stage = new AuthenticateStage(stageConfig(), () -> null, meters);

        for (int i = 0; i < 100; i++) {
            var token = CORP.named("random-" + i).token().issuer(url()).issue();
            assertThat(settled(stage.evaluate(bearing(token, route).context())).join())
                    .isInstanceOfSatisfying(
                            Verdict.Deny.class,
                            deny -> assertThat(deny.denial())
                                    .extracting(Denial::reason)
                                    .isEqualTo(Reason.AUTHENTICATE_JWT_KID_UNKNOWN));
        }

        assertThat(requests).containsExactly("/jwks", "/jwks");
    }

    @Test
    void an_issuer_that_could_not_be_reached_yet_is_503_at_once() {
        answer = (_, response) -> response.status(503).send();
        var issuer = compile(issuer(url() + "/jwks"));
        var route = route(issuer);
        var stage = new AuthenticateStage(stageConfig(), () -> null, meters);

        assertThat(settled(stage.evaluate(bearing(CORP.token().issuer(url()).issue(), route)
                                .context()))
                        .join())
                .isInstanceOfSatisfying(
                        Verdict.Deny.class,
                        deny -> assertThat(deny.denial())
                                .extracting(Denial::reason)
                                .isEqualTo(Reason.AUTHENTICATE_JWKS_UNAVAILABLE));
    }

    @Test
    void metrics_say_how_old_the_keys_are_and_what_became_of_fetches() {
        compile(issuer(url() + "/jwks"));

        assertThat(meters.get("sallyport.jwks.keys")
                        .tag("issuer", "corp")
                        .gauge()
                        .value())
                .isEqualTo(1);
        assertThat(meters.get("sallyport.jwks.age")
                        .tag("issuer", "corp")
                        .gauge()
                        .value())
                .isZero();
        assertThat(meters.get("sallyport.jwks.ignored.keys")
                        .tag("issuer", "corp")
                        .gauge()
                        .value())
                .isZero();
        assertThat(meters.get("sallyport.jwks.stale")
                        .tag("issuer", "corp")
                        .gauge()
                        .value())
                .isZero();
        assertThat(meters.get("sallyport.jwks.refresh")
                        .tags("issuer", "corp", "result", "changed")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void an_issuer_of_whose_keys_nothing_changed_keeps_them_over_a_reload_and_another_one_is_let_go() {
        var sources = new JwkSetRegistry(CryptoProvider.jdk(), scheduler, CLOCK, meters, null);
        var first = compile(sources, issuer(url() + "/jwks"));
        var stricter = written(url() + "/jwks")
                .audiences("other")
                .algorithms(SignatureAlgorithm.RS256)
                .maxTokenLifetime(Duration.ofHours(1))
                .requireNbf()
                .profile(Profile.RFC9068)
                .config();

        var same = compile(sources, stricter);
        var moved = compile(sources, issuer(url() + "/moved"));

        assertThat(same.issuer().keys()).isSameAs(first.issuer().keys());
        assertThat(moved.issuer().keys()).isNotSameAs(first.issuer().keys());
        assertThat(requests).containsExactly("/jwks", "/moved");
        sources.close();
        assertThat(meters.find("sallyport.jwks.keys").gauge()).isNull();
    }

    @Test
    void a_restart_while_the_issuer_is_down_serves_with_the_keys_that_came_from_that_very_place() throws IOException {
        var iss = url();
        var config = issuer(iss + "/jwks");
        started(config).close();
        assertThat(folder.resolve("key-sets/corp.jwks")).content().contains(CORP.kid());
        server.disposeNow();

        try (var restarted = started(config)) {
            assertThat(verdictOf(restarted, config, iss)).isEqualTo(Verdict.Pass.PASS);
        }
        var moved = issuer(iss + "/moved");
        try (var elsewhere = started(moved)) {
            assertThat(verdictOf(elsewhere, moved, iss)).isInstanceOf(Verdict.Deny.class);
        }
        Files.writeString(ca(), TestCa.pemOf(List.of(TestCa.of("idp.test").certificate())));
        try (var underAnotherAuthority = started(config)) {
            assertThat(verdictOf(underAnotherAuthority, config, iss)).isInstanceOf(Verdict.Deny.class);
        }
    }

    /** As at the start of a gateway, over one directory. */
    private JwkSetRegistry started(IssuerConfig config) {
        var sources = new JwkSetRegistry(
                CryptoProvider.jdk(), scheduler, CLOCK, meters, KeySetDirectory.open(folder.resolve("key-sets")));
        compile(sources, config);
        // What is saved is saved on the scheduler, after whoever waited has been told.
        Mono.fromRunnable(() -> {}).subscribeOn(scheduler).block();
        return sources;
    }

    private Verdict verdictOf(JwkSetRegistry sources, IssuerConfig config, String iss) {
        var stage = new AuthenticateStage(stageConfig(), () -> null, new SimpleMeterRegistry());
        var route = route(compile(sources, config).issuer());
        var verdict =
                stage.evaluate(bearing(CORP.token().issuer(iss).issue(), route).context());
        return verdict instanceof Verdict.Pending
                ? Objects.requireNonNull(settled(verdict).join())
                : verdict;
    }

    @Test
    void compiling_reads_the_ca_and_nothing_from_the_network() throws IOException {
        var findings = new Findings();
        var sources = new JwkSetRegistry(CryptoProvider.jdk(), scheduler, CLOCK, meters, null);

        assertThat(sources.source("corp", issuer(), findings.at("issuers.corp")))
                .isNotNull();
        for (var wrong :
                List.of("", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")) {
            Files.writeString(ca(), wrong);
            assertThat(sources.source("corp", issuer(), findings.at("issuers.corp")))
                    .isNull();
        }
        Files.delete(ca());
        assertThat(sources.source("corp", issuer(), findings.at("issuers.corp")))
                .isNull();

        assertThat(findings.all())
                .singleElement()
                .hasToString("issuers.corp.ca: %s (expected: a readable PEM file with at least one CA certificate)"
                        .formatted(ca()));
        assertThat(requests).isEmpty();
    }

    private DisposableServer serve(String name) {
        return serve(name, 0);
    }

    private DisposableServer serve(String name, int port) {
        var svid = CA.issue(new TestCa.Leaf().dnsName(name));
        SslContext tls;
        try {
            tls = SslContextBuilder.forServer(svid.key(), svid.chainArray()).build();
        } catch (SSLException e) {
            throw new IllegalStateException(e);
        }
        return HttpServer.create()
                .host("127.0.0.1")
                .port(port)
                .secure(spec -> spec.sslContext(tls))
                .handle((request, response) -> {
                    requests.add(request.uri());
                    return answer.apply(request, response);
                })
                .bindNow();
    }

    private BiFunction<HttpServerRequest, HttpServerResponse, Publisher<Void>> publishing(TestTokens... keys) {
        return (request, response) -> request.uri().equals(DISCOVERY)
                ? json(response, "{\"issuer\":\"URL\",\"jwks_uri\":\"URL/jwks\"}".replace("URL", url()))
                : json(response, TestTokens.jwkSet(keys));
    }

    private static Publisher<Void> json(HttpServerResponse response, String body) {
        return response.header("Content-Type", "application/json").sendString(Mono.just(body));
    }

    private String url() {
        return "https://localhost:" + server.port();
    }

    private Path ca() {
        return folder.resolve("ca.pem");
    }

    private IssuerConfig issuer() {
        return issuer(null);
    }

    private IssuerConfig issuer(@Nullable String jwksUri) {
        return written(jwksUri).config();
    }

    private TestIssuer written(@Nullable String jwksUri) {
        return TestIssuer.named("corp", NoKeys.NO_KEYS)
                .issuer(url())
                .algorithms(SignatureAlgorithm.ES256)
                .types("at+jwt")
                .jwksUri(jwksUri == null ? null : URI.create(jwksUri))
                .jwks(new JwksConfig(
                        Duration.ofMinutes(5),
                        Duration.ofHours(24),
                        Duration.ofSeconds(30),
                        TIMEOUT,
                        publicOnly,
                        anyContentType,
                        bearerTokenFile))
                .ca(ca());
    }

    private HttpJwkSetEndpoint endpoint(IssuerConfig config) {
        try {
            var tls = SslContextBuilder.forClient().trustManager(ca().toFile()).build();
            return new HttpJwkSetEndpoint(config, tls, CLOCK, scheduler);
        } catch (SSLException e) {
            throw new IllegalStateException(e);
        }
    }

    private byte[] fetch(IssuerConfig config) {
        return ((Document) Objects.requireNonNull(endpoint(config).fetch(null).block())).content();
    }

    private RefreshingJwkSetSource start(IssuerConfig config, Scheduler timeOuts) {
        var source = new RefreshingJwkSetSource(
                "corp", endpoint(config), config.jwks(), CryptoProvider.jdk(), timeOuts, CLOCK, _ -> {}, null);
        assertThat(source.start().block()).isEqualTo(JwkSetSource.Refresh.Done.FRESH);
        return source;
    }

    private static Mono<JwkSetSource.Refresh.Done> underWay(JwkSetSource.Refresh refresh) {
        return ((JwkSetSource.Refresh.UnderWay) refresh).done();
    }

    private static List<String> kidsOf(RefreshingJwkSetSource source) {
        return Objects.requireNonNull(source.current(FakeRequest.NOW)).keys().stream()
                .map(key -> String.valueOf(key.kid()))
                .toList();
    }

    private record Compiled(IssuerConfig config, Issuer issuer) {}

    private Issuer compile(IssuerConfig config) {
        return compile(new JwkSetRegistry(CryptoProvider.jdk(), scheduler, CLOCK, meters, null), config)
                .issuer();
    }

    private static Compiled compile(JwkSetRegistry sources, IssuerConfig config) {
        var findings = new Findings();
        var issuers = Issuer.compile(
                Map.of("corp", config), sources, (_, _, _) -> null, CryptoProvider.jdk(), findings.at("issuers"));
        sources.prefetch(issuers.values()).block();
        sources.retain(issuers.values());
        return new Compiled(
                config,
                Objects.requireNonNull(issuers.get("corp"), () -> findings.all().toString()));
    }

    private static AuthenticateConfig stageConfig() {
        return TestIssuer.STAGE;
    }

    private static Route route(Issuer issuer) {
        var accepted = AcceptedTokens.compile(
                new RouteAuthentication(List.of("corp"), List.of(), null, List.of(), false),
                Map.of("corp", issuer),
                URI.create("https://api.example.org/.well-known/oauth-protected-resource"),
                "api.example.org",
                new Findings().at("routes.orders.authenticate"));
        return Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .settings(StageName.AUTHENTICATE, Objects.requireNonNull(accepted))
                .build();
    }

    private FakeRequest bearing(String token, Route route) {
        return FakeRequest.get("/")
                .on(route)
                .snapshot(new Snapshot("test", List.of(), Map.of(StageName.AUTHENTICATE, stageConfig())))
                .authorization("Bearer " + token);
    }

    private static CompletableFuture<Verdict.@Nullable Settled> settled(Verdict verdict) {
        return Resumed.settled(verdict).toFuture();
    }

    private static void isTlsFailure(Throwable error) {
        assertThat(error)
                .satisfiesAnyOf(
                        each -> assertThat(each).hasCauseInstanceOf(SSLException.class),
                        each -> assertThat(each).hasRootCauseInstanceOf(CertificateException.class));
    }
}
