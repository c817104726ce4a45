// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.introspection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.ssl.SslContextBuilder;
import io.sallyport.authenticate.FakeJwkSetSource;
import io.sallyport.authenticate.TestIssuer;
import io.sallyport.authenticate.issuer.IntrospectionConfig;
import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.config.Findings;
import io.sallyport.forward.TestCa;
import io.sallyport.pipeline.FakeRequest;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerResponse;

/** Against a real HTTPS server: what is sent, and what is taken for an answer. */
class HttpIntrospectionEndpointTest {
    private static final TestCa CA = TestCa.of("idp.test");
    private static final String TOKEN = "ab+/~=";

    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final Scheduler scheduler = Schedulers.newSingle("introspection", true);
    private volatile Function<HttpServerResponse, Publisher<Void>> answer = json("{\"active\":false}");
    private DisposableServer server = serve("localhost");
    private final List<HttpIntrospectionEndpoint> endpoints = new CopyOnWriteArrayList<>();

    @TempDir
    private Path folder = Path.of("");

    @BeforeEach
    void write() throws IOException {
        Files.writeString(folder.resolve("ca.pem"), TestCa.pemOf(List.of(CA.certificate())));
        Files.writeString(folder.resolve("secret"), "s3cr:t&\n");
    }

    @AfterEach
    void stop() {
        endpoints.forEach(HttpIntrospectionEndpoint::close);
        server.disposeNow();
        scheduler.dispose();
    }

    private static Function<HttpServerResponse, Publisher<Void>> json(String body) {
        return response -> response.header("Content-Type", "application/json").sendString(Mono.just(body));
    }

    private DisposableServer serve(String name) {
        var svid = CA.issue(new TestCa.Leaf().dnsName(name));
        try {
            var tls = SslContextBuilder.forServer(svid.key(), svid.chainArray()).build();
            return HttpServer.create()
                    .host("127.0.0.1")
                    .port(0)
                    .secure(spec -> spec.sslContext(tls))
                    .handle((request, response) -> request.receive()
                            .aggregate()
                            .asString()
                            .defaultIfEmpty("")
                            .flatMap(body -> {
                                var headers = request.requestHeaders();
                                requests.add("%s %s %s %s %s"
                                        .formatted(
                                                request.method(),
                                                request.uri(),
                                                headers.get("Authorization"),
                                                headers.get("Content-Type"),
                                                body));
                                return Mono.from(answer.apply(response));
                            }))
                    .bindNow();
        } catch (SSLException e) {
            throw new IllegalStateException(e);
        }
    }

    private IntrospectionConfig config(String path) {
        return new IntrospectionConfig(
                URI.create("https://localhost:%d%s".formatted(server.port(), path)),
                "gate way",
                folder.resolve("secret"),
                Duration.ofSeconds(2),
                Duration.ofSeconds(60),
                4);
    }

    private HttpIntrospectionEndpoint endpoint() {
        try {
            var tls = SslContextBuilder.forClient()
                    .trustManager(folder.resolve("ca.pem").toFile())
                    .build();
            var endpoint = new HttpIntrospectionEndpoint("corp", config("/introspect"), tls, false, scheduler);
            endpoints.add(endpoint);
            return endpoint;
        } catch (SSLException e) {
            throw new IllegalStateException(e);
        }
    }

    private String ask() {
        return new String(Objects.requireNonNull(endpoint().ask(TOKEN).block()), StandardCharsets.UTF_8);
    }

    /** RFC 7662 section 2.1, RFC 6749 section 2.3.1. */
    @Test
    void a_token_goes_into_the_body_and_the_client_into_basic_credentials() {
        assertThat(ask()).isEqualTo("{\"active\":false}");

        var credentials =
                Base64.getEncoder().encodeToString("gate+way:s3cr%3At%26".getBytes(StandardCharsets.US_ASCII));
        assertThat(requests)
                .containsExactly(
                        "POST /introspect Basic %s application/x-www-form-urlencoded token=%s&token_type_hint=%s"
                                .formatted(credentials, "ab%2B%2F%7E%3D", "access_token"));
    }

    @Test
    void a_renewed_secret_is_used_from_the_next_question_on() throws IOException {
        var endpoint = endpoint();
        endpoint.ask(TOKEN).block();
        Files.writeString(folder.resolve("secret"), "renewed");
        endpoint.ask(TOKEN).block();

        assertThat(requests.getLast())
                .contains(Base64.getEncoder().encodeToString("gate+way:renewed".getBytes(StandardCharsets.US_ASCII)));
    }

    @Test
    void a_refusal_of_the_gateway_itself_says_so_and_shows_no_secret() {
        answer = response -> response.status(401).send();

        assertThatThrownBy(this::ask).hasMessage("localhost/introspect refuses the client gate way and its secret");
    }

    @Test
    void what_is_no_answer_is_refused() {
        answer = response ->
                response.status(302).header("Location", "/elsewhere").send();
        assertThatThrownBy(this::ask).hasMessageContaining("answered 302 (expected: 200)");
        answer = response -> response.status(500).send();
        assertThatThrownBy(this::ask).hasMessageContaining("answered 500");
        answer = response -> response.header("Content-Type", "application/token-introspection+jwt")
                .sendString(Mono.just("x"));
        assertThatThrownBy(this::ask).hasMessageContaining("another content type");
        answer = response -> response.header("Content-Type", "application/json")
                .header("Content-Encoding", "gzip")
                .sendString(Mono.just("{}"));
        assertThatThrownBy(this::ask).hasMessageContaining("compressed");
        answer = json("x".repeat(70_000));
        assertThatThrownBy(this::ask).hasMessageContaining("longer than");
        assertThat(requests).hasSize(5).allMatch(request -> request.startsWith("POST /introspect "));
    }

    @Test
    void no_token_is_shown_to_a_server_with_another_name_or_another_authority() {
        server.disposeNow();
        server = serve("other.test");
        assertThatThrownBy(this::ask).hasRootCauseInstanceOf(CertificateException.class);

        var jdkAuthorities = new HttpIntrospectionEndpoint("corp", config("/introspect"), null, false, scheduler);
        endpoints.add(jdkAuthorities);
        assertThatThrownBy(() -> jdkAuthorities.ask(TOKEN).block()).isNotNull();
        assertThat(requests).isEmpty();
    }

    @Test
    void an_issuer_keeps_what_it_said_over_a_reload_that_does_not_concern_it() {
        try (var sources =
                new Introspections(scheduler, InstantSource.fixed(FakeRequest.NOW), new SimpleMeterRegistry())) {
            var at = new Findings().at("issuers.corp");
            var first = sources.source("corp", issuer(config("/introspect")), at);

            assertThat(sources.source("corp", issuer(config("/introspect")), at))
                    .isNotNull()
                    .isSameAs(first);
            assertThat(sources.source("corp", issuer(config("/elsewhere")), at))
                    .isNotNull()
                    .isNotSameAs(first);
        }
    }

    @Test
    void a_secret_that_cannot_be_read_is_found_when_the_file_is_checked() throws IOException {
        var findings = new Findings();
        try (var sources =
                new Introspections(scheduler, InstantSource.fixed(FakeRequest.NOW), new SimpleMeterRegistry())) {
            for (var wrong : List.of("", "two\nlines")) {
                Files.writeString(folder.resolve("secret"), wrong);
                assertThat(sources.source("corp", issuer(config("/introspect")), findings.at("issuers.corp")))
                        .isNull();
            }
            Files.delete(folder.resolve("secret"));
            assertThat(sources.source("corp", issuer(config("/introspect")), findings.at("issuers.corp")))
                    .isNull();
        }
        assertThat(findings.all())
                .allSatisfy(finding ->
                        assertThat(finding.path()).isEqualTo("issuers.corp.introspection.client-secret-file"));
    }

    private IssuerConfig issuer(IntrospectionConfig config) {
        return TestIssuer.named("corp", FakeJwkSetSource.unavailable())
                .introspection(config)
                .config();
    }
}
