// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.authenticate.TestTokens;
import io.sallyport.authenticate.jwks.JwkSetRegistry;
import io.sallyport.compile.SnapshotSource;
import io.sallyport.forward.TestCa;
import io.sallyport.pipeline.FakeRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.http.HttpMethod;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Two ports of one process that must not know of each other: a real gateway, a real issuer, requests over the wire. */
final class ManagementPortIT {
    private static final String REVOCATIONS = "/actuator/sallyport/revocations";
    private static final String AUDIENCE = "urn:sallyport:management";
    private static final TestTokens KEY = TestTokens.es256();

    @SpringBootConfiguration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {
        @Bean
        Clock clock() {
            return Clock.fixed(FakeRequest.NOW, ZoneOffset.UTC);
        }
    }

    @TempDir
    private static Path folder;

    @SuppressWarnings("NullAway.Init") // before all tests
    private static DisposableServer issuer;

    @SuppressWarnings("NullAway.Init") // before all tests
    private static ConfigurableApplicationContext gateway;

    private static final TestCa CA = TestCa.of("example.org");
    private static final HttpClient HTTP =
            HttpClient.newBuilder().sslContext(trusting(CA.certificate())).build();

    @BeforeAll
    static void start() throws IOException {
        var jwkSet = TestTokens.jwkSet(KEY);
        issuer = HttpServer.create()
                .host("127.0.0.1")
                .port(0)
                .handle((_, response) ->
                        response.header("Content-Type", "application/json").sendString(Mono.just(jwkSet)))
                .bindNow();
        CA.issue(new TestCa.Leaf().dnsName("localhost"))
                .writeTo(folder.resolve("management.pem"), folder.resolve("management-key.pem"));
        var file = Files.writeString(
                folder.resolve("gateway.yaml"), """
                sallyport:
                  listener: { address: 127.0.0.1, port: 0, insecure-plaintext: true, shutdown-grace: 0s }
                  management:
                    port: 0
                    tls: { certificate: management.pem, key: management-key.pem }
                    issuer: corp
                    audience: "%s"
                  issuers:
                    corp:
                      issuer: %s
                      audiences: [https://api.example.org]
                      jwks-uri: http://127.0.0.1:%d/jwks
                      insecure-plaintext: true
                  routes:
                    status:
                      match: { hosts: [127.0.0.1], path: /status, methods: [GET] }
                      authenticate: { issuers: [corp] }
                      authorize: { allow: { anyone: "true" } }
                      upstream: { uri: "http://127.0.0.1:9", insecure-plaintext: true }
                """.formatted(AUDIENCE, TestTokens.ISSUER, issuer.port()));
        gateway = new SpringApplication(Application.class)
                .run("--sallyport.config=" + file, "--spring.main.banner-mode=off");
        awaitKeys();
    }

    /** The key set is fetched while the rest starts. */
    private static void awaitKeys() {
        var snapshots = gateway.getBean(SnapshotSource.class);
        var keys = gateway.getBean(JwkSetRegistry.class);
        keys.prefetch(snapshots.inForce().issuers().values()).block();
    }

    @AfterAll
    static void stop() {
        gateway.close();
        issuer.disposeNow();
    }

    @Test
    void the_management_port_has_a_certificate_of_its_own_and_the_tls_of_the_ingress_port() throws Exception {
        var answer = management(HttpMethod.GET, "/livez", null, null);

        assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(answer.sslSession())
                .hasValueSatisfying(session -> assertThat(session.getProtocol()).isEqualTo("TLSv1.3"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/livez", "/readyz", "/actuator/health/liveness", "/actuator/health/readiness"})
    void anybody_may_probe_but_learns_nothing_else(String path) throws Exception {
        var answer = management(HttpMethod.GET, path, null, null);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("{\"status\":\"UP\"}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/actuator",
                "/actuator/health",
                "/actuator/health/svid",
                "/actuator/prometheus",
                "/actuator/env",
                "/actuator/heapdump",
                "/actuator/gateway/routes",
                "/actuator/loggers",
                REVOCATIONS,
                "/status"
            })
    void everything_else_takes_a_token(String path) throws Exception {
        var answer = management(HttpMethod.GET, path, null, null);

        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.headers().allValues("WWW-Authenticate")).containsExactly("Bearer");
        assertThat(answer.body()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/actuator/health", "/actuator/health/readiness", "/actuator/prometheus", REVOCATIONS})
    void the_read_scope_reads(String path) throws Exception {
        assertThat(management(HttpMethod.GET, path, reader(), null).statusCode())
                .isEqualTo(200);
    }

    @Test
    void health_tells_a_reader_about_configuration_keys_identity_and_revocations() throws Exception {
        var health = json(management(HttpMethod.GET, "/actuator/health/readiness", reader(), null));

        assertThat(health.at("/components/configuration/details/file").asString())
                .isEqualTo("in force");
        assertThat(health.at("/components/configuration/details/revision").asString())
                .matches("[0-9a-f]{12}");
        assertThat(health.at("/components/jwks/details/issuers/corp").asString())
                .isEqualTo("keys present");
        assertThat(health.at("/components/svid/details/svid").asString()).isEqualTo("not configured");
        assertThat(health.at("/components/revocation/details/durable").asBoolean())
                .isFalse();
    }

    @Test
    void metrics_are_there_for_a_reader() throws Exception {
        assertThat(management(HttpMethod.GET, "/actuator/prometheus", reader(), null)
                        .body())
                .contains("sallyport_config_last_reload_successful 1.0")
                .contains("sallyport_config_reloads_total{result=\"refused\"} 0.0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/actuator", "/actuator/env", "/actuator/heapdump", "/actuator/gateway/routes", "/status"})
    void what_is_not_named_is_denied_to_everybody(String path) throws Exception {
        assertThat(management(HttpMethod.GET, path, token("sallyport:read sallyport:write"), null)
                        .statusCode())
                .isEqualTo(403);
    }

    @ParameterizedTest
    @CsvSource({"POST,403", "DELETE,403", "PUT,403", "GET,200"})
    void the_read_scope_changes_nothing(String method, int status) throws Exception {
        assertThat(management(HttpMethod.valueOf(method), REVOCATIONS, reader(), "{}")
                        .statusCode())
                .isEqualTo(status);
    }

    @Test
    void the_write_scope_revokes_and_lifts_and_the_ingress_port_obeys() throws Exception {
        var alice = KEY.token().claim("sub", "alice-of-this-test").issue();
        assertThat(ingress("/status", alice).statusCode()).isEqualTo(502);

        var added = management(
                HttpMethod.POST,
                REVOCATIONS,
                writer(),
                "{\"iss\":\"%s\",\"sub\":\"alice-of-this-test\",\"reason\":\"laptop stolen\"}"
                        .formatted(TestTokens.ISSUER));
        assertThat(added.statusCode()).isEqualTo(201);
        assertThat(ingress("/status", alice).statusCode()).isEqualTo(401);

        var id = json(added).at("/id").asString();
        assertThat(json(management(HttpMethod.GET, REVOCATIONS, reader(), null))
                        .at("/entries/0/id")
                        .asString())
                .isEqualTo(id);
        assertThat(management(HttpMethod.DELETE, REVOCATIONS + "?id=" + id, writer(), null)
                        .statusCode())
                .isEqualTo(204);
        assertThat(ingress("/status", alice).statusCode()).isEqualTo(502);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{", "\"x\"", "{\"iss\":\"https://other.example\"}"})
    void a_body_that_is_no_entry_is_a_problem_that_says_so(String body) throws Exception {
        var answer = management(HttpMethod.POST, REVOCATIONS, writer(), body);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.headers().allValues("Content-Type")).containsExactly("application/problem+json");
        assertThat(json(answer).at("/errors").isEmpty()).isFalse();
    }

    @Test
    void a_page_of_the_list_has_a_size() throws Exception {
        assertThat(management(HttpMethod.GET, REVOCATIONS + "?limit=0", reader(), null)
                        .statusCode())
                .isEqualTo(400);
        assertThat(management(HttpMethod.GET, REVOCATIONS + "?limit=x", reader(), null)
                        .statusCode())
                .isEqualTo(400);
    }

    static List<String> badTokens() {
        return List.of(
                "not-a-token",
                KEY.token().claim("scope", "sallyport:read").issue(),
                KEY.token()
                        .claim("aud", AUDIENCE)
                        .claim("scope", "sallyport:read")
                        .expiresAt(FakeRequest.NOW.minusSeconds(60))
                        .issue(),
                KEY.token()
                        .claim("aud", AUDIENCE)
                        .claim("iss", "https://other.example")
                        .claim("scope", "sallyport:read")
                        .issue(),
                TestTokens.withNewKey(KEY.algorithm(), KEY.kid())
                        .token()
                        .claim("aud", AUDIENCE)
                        .claim("scope", "sallyport:read")
                        .issue());
    }

    /** Trap T9: the challenge is a fixed text, whatever the token says. */
    @ParameterizedTest
    @MethodSource("badTokens")
    void a_token_that_is_not_good_for_this_port_is_refused_in_one_way(String token) throws Exception {
        var answer = management(HttpMethod.GET, "/actuator/health", token, null);

        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.headers().allValues("WWW-Authenticate")).containsExactly("Bearer error=\"invalid_token\"");
        assertThat(answer.body()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/livez",
                "/readyz",
                "/actuator",
                "/actuator/health",
                "/actuator/health/liveness",
                "/actuator/prometheus",
                REVOCATIONS
            })
    void nothing_of_the_management_port_is_on_the_ingress_port(String path) throws Exception {
        assertThat(ingress(path, null).statusCode()).isEqualTo(401);
        // A good token of the ingress port, and a good one of the management port.
        assertThat(ingress(path, KEY.token().issue()).statusCode()).isEqualTo(404);
        assertThat(ingress(path, reader()).statusCode()).isEqualTo(401);
    }

    @Test
    void no_route_of_the_ingress_port_is_on_the_management_port() throws Exception {
        assertThat(management(HttpMethod.GET, "/status", KEY.token().issue(), null)
                        .statusCode())
                .isEqualTo(401);
    }

    private static String reader() {
        return token("sallyport:read");
    }

    private static String writer() {
        return token("sallyport:write");
    }

    private static String token(String scope) {
        return KEY.token().claim("aud", AUDIENCE).claim("scope", scope).issue();
    }

    private static HttpResponse<String> management(
            HttpMethod method, String path, @Nullable String token, @Nullable String body)
            throws IOException, InterruptedException {
        return send("https://localhost:", "local.management.port", method, path, token, body);
    }

    private static HttpResponse<String> ingress(String path, @Nullable String token)
            throws IOException, InterruptedException {
        return send("http://127.0.0.1:", "local.server.port", HttpMethod.GET, path, token, null);
    }

    private static HttpResponse<String> send(
            String origin, String port, HttpMethod method, String path, @Nullable String token, @Nullable String body)
            throws IOException, InterruptedException {
        var uri = origin + gateway.getEnvironment().getRequiredProperty(port) + path;
        var request = HttpRequest.newBuilder(URI.create(uri))
                .method(
                        method.name(),
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static SSLContext trusting(X509Certificate authority) {
        try {
            var trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            trusted.setCertificateEntry("authority", authority);
            var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(trusted);
            var context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode json(HttpResponse<String> answer) {
        return JsonMapper.shared().readTree(answer.body());
    }
}
