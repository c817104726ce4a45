// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.sallyport.authenticate.TestTokens;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import io.sallyport.forward.TestCa.Svid;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;

/** The metrics of a gateway whose issuer cannot be reached, so that nobody has a token that could be verified. */
final class ScrapeIT {
    private static final String METRICS = "/actuator/prometheus";
    private static final String REVOCATIONS = "/actuator/sallyport/revocations";
    private static final String FIRST = "0123456789abcdef0123456789abcdef";
    private static final String SECOND = "another-token-of-more-than-32-characters";
    private static final TestTokens KEY = TestTokens.es256();
    private static final TestCa SERVERS = TestCa.of("servers.test");
    private static final TestCa SCRAPERS = TestCa.of("scrapers.test");
    private static final TestCa MESH = TestCa.of("example.org");

    @SpringBootConfiguration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}

    @TempDir
    private static Path folder;

    @SuppressWarnings("NullAway.Init") // before all tests
    private static ConfigurableApplicationContext gateway;

    @BeforeAll
    static void start() throws IOException {
        SERVERS.issue(new Leaf().dnsName("localhost")).writeTo(in("tls.crt"), in("tls.key"));
        MESH.issue("/gateway").writeTo(in("svid.pem"), in("svid.key"));
        Files.writeString(in("bundle.pem"), TestCa.pemOf(List.of(MESH.certificate())));
        Files.writeString(in("scrapers.pem"), TestCa.pemOf(List.of(SCRAPERS.certificate())));
        Files.writeString(in("token"), FIRST + "\n");
        var file = Files.writeString(in("gateway.yaml"), """
                sallyport:
                  listener: { address: 127.0.0.1, port: 0, insecure-plaintext: true, shutdown-grace: 0s }
                  management:
                    port: 0
                    tls: { certificate: tls.crt, key: tls.key }
                    issuer: corp
                    audience: "urn:sallyport"
                    scrape:
                      token-file: token
                      client-ca: scrapers.pem
                      client-names: [prometheus.example]
                      client-spiffe-ids: ["spiffe://example.org/prometheus"]
                  identity:
                    files: { svid: svid.pem, key: svid.key, bundle: bundle.pem }
                  issuers:
                    corp:
                      issuer: %s
                      audiences: [https://api.example.org]
                      jwks-uri: http://127.0.0.1:9/jwks
                      insecure-plaintext: true
                  routes:
                    status:
                      match: { hosts: [127.0.0.1], path: /status, methods: [GET] }
                      authenticate: { issuers: [corp] }
                      authorize: { allow: { anyone: "true" } }
                      upstream: { uri: "http://127.0.0.1:9", insecure-plaintext: true }
                """.formatted(TestTokens.ISSUER));
        gateway = new SpringApplication(Application.class)
                .run("--sallyport.config=" + file, "--spring.main.banner-mode=off");
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    @Test
    void a_token_of_the_issuer_that_cannot_be_verified_is_a_503_that_shows_nothing() throws Exception {
        for (var path : List.of(METRICS, REVOCATIONS, "/actuator/health")) {
            var answer = get(path, token("sallyport:read"), null);

            assertThat(answer.statusCode()).as(path).isEqualTo(503);
            assertThat(answer.headers().firstValue("Retry-After")).hasValue("5");
            assertThat(answer.body()).contains("\"status\":503").doesNotContain("Exception", "\tat ");
        }
    }

    @Test
    void the_token_in_the_file_reads_the_metrics_and_a_renewed_one_takes_its_place() throws Exception {
        assertThat(get(METRICS, FIRST, null).body()).contains("sallyport_jwks");

        Files.writeString(in("token"), SECOND);
        await().until(() -> get(METRICS, SECOND, null).statusCode() == 200);
        assertThat(get(METRICS, FIRST, null).statusCode()).isNotEqualTo(200);

        Files.writeString(in("token"), FIRST);
        await().until(() -> get(METRICS, FIRST, null).statusCode() == 200);
    }

    @Test
    void a_certificate_with_one_of_the_names_reads_the_metrics() throws Exception {
        assertThat(get(METRICS, null, SCRAPERS.issue(new Leaf().dnsName("prometheus.example")))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void an_svid_of_one_of_the_ids_reads_the_metrics() throws Exception {
        assertThat(get(METRICS, null, MESH.issue("/prometheus")).statusCode()).isEqualTo(200);
    }

    @Test
    void a_certificate_of_anybody_else_ends_the_handshake() {
        for (var other : List.of(
                SCRAPERS.issue(new Leaf().dnsName("grafana.example")),
                MESH.issue("/grafana"),
                TestCa.of("example.org").issue("/prometheus"),
                TestCa.of("scrapers.test").issue(new Leaf().dnsName("prometheus.example")))) {
            assertThatThrownBy(() -> get(METRICS, null, other)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void nobody_without_a_credential_reads_the_metrics_and_the_probes_need_none() throws Exception {
        assertThat(get(METRICS, null, null).statusCode()).isEqualTo(401);
        assertThat(get("/livez", null, null).statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/actuator/health", REVOCATIONS, "/actuator/env"})
    void a_credential_of_scrapers_opens_nothing_else(String path) throws Exception {
        assertThat(get(path, null, MESH.issue("/prometheus")).statusCode()).isEqualTo(401);
        assertThat(get(path, FIRST, null).statusCode()).isNotEqualTo(200);
    }

    private static Path in(String name) {
        return folder.resolve(name);
    }

    private static String token(String scope) {
        return KEY.token().claim("aud", "urn:sallyport").claim("scope", scope).issue();
    }

    private static HttpResponse<String> get(String path, @Nullable String token, @Nullable Svid certificate)
            throws Exception {
        var port = gateway.getEnvironment().getRequiredProperty("local.management.port");
        var request = HttpRequest.newBuilder(URI.create("https://localhost:" + port + path));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        try (var client = HttpClient.newBuilder().sslContext(tls(certificate)).build()) {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    private static SSLContext tls(@Nullable Svid certificate) throws Exception {
        var trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(store(Map.of("servers", SERVERS.certificate()), null));
        var keys = KeyManagerFactory.getInstance("NewSunX509");
        keys.init(store(Map.of(), certificate), new char[0]);
        var context = SSLContext.getInstance("TLS");
        context.init(certificate == null ? null : keys.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }

    private static KeyStore store(Map<String, Certificate> trusted, @Nullable Svid own) throws Exception {
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (var entry : trusted.entrySet()) {
            store.setCertificateEntry(entry.getKey(), entry.getValue());
        }
        if (own != null) {
            store.setKeyEntry("own", own.key(), new char[0], own.chainArray());
        }
        return store;
    }
}
