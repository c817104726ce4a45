// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.forward.TestCa;
import io.sallyport.identity.ExpectedId;
import io.sallyport.workload.svid.IdentityConfig;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UpstreamTargetTest {
    private static final ExpectedId ORDERS = ExpectedId.parse("spiffe://example.org/ns/orders/sa/orders-api");

    private final Findings findings = new Findings();

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({
        "https://orders.svc:8443, orders.svc, 8443, orders.svc:8443",
        "https://orders.svc, orders.svc, 443, orders.svc",
        "https://orders.svc:443, orders.svc, 443, orders.svc",
        "https://Orders.SVC:80, orders.svc, 80, orders.svc:80",
        "https://192.0.2.1:8443, 192.0.2.1, 8443, 192.0.2.1:8443",
        "https://[2001:DB8::1]:8443, 2001:db8::1, 8443, [2001:db8::1]:8443",
    })
    void an_upstream_is_scheme_host_and_port(String uri, String host, int port, String authority) {
        var target = Objects.requireNonNull(compile(https(uri, ORDERS)));

        assertThat(target.tls()).isTrue();
        assertThat(target.host()).isEqualTo(host);
        assertThat(target.port()).isEqualTo(port);
        assertThat(target.authority()).isEqualTo(authority);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://orders.svc/",
                "https://orders.svc/v1",
                "https://orders.svc?x=1",
                "https://orders.svc#x",
                "https://orders_api.svc",
                "https://orders.svc:0",
                "https://orders.svc:65536",
                "https:orders.svc",
                "lb://orders",
                "ws://orders.svc",
            })
    void anything_else_in_the_uri_is_a_finding(String uri) {
        assertThat(compile(https(uri, ORDERS))).isNull();

        assertThat(findings.all()).extracting(Finding::path).containsExactly("upstream.uri");
        assertThat(findings.all()).extracting(Finding::value).containsExactly(uri);
    }

    @Test
    void a_password_in_the_uri_is_refused_and_not_repeated() {
        assertThat(compile(https("https://user:secret@orders.svc", ORDERS))).isNull();

        assertThat(findings.all().toString()).doesNotContain("secret");
    }

    @Test
    void https_without_a_pin_does_not_load() {
        assertThat(compile(https("https://orders.svc"))).isNull();

        assertThat(findings.all()).extracting(Finding::path).containsExactly("upstream.expected-ids");
    }

    @Test
    void https_that_says_insecure_plaintext_does_not_load() {
        assertThat(compile(config("https://orders.svc", true, ORDERS))).isNull();

        assertThat(findings.all()).extracting(Finding::path).containsExactly("upstream.insecure-plaintext");
    }

    @Test
    void http_has_to_be_asked_for_by_name() {
        assertThat(compile(config("http://orders.svc", false))).isNull();
        assertThat(findings.all()).extracting(Finding::path).containsExactly("upstream.uri");

        var target = Objects.requireNonNull(compile(config("http://orders.svc", true)));
        assertThat(target.tls()).isFalse();
        assertThat(target.port()).isEqualTo(80);
    }

    @Test
    void http_with_a_pin_does_not_load_for_nothing_would_check_it() {
        assertThat(compile(config("http://orders.svc", true, ORDERS))).isNull();

        assertThat(findings.all()).extracting(Finding::path).containsExactly("upstream.expected-ids");
    }

    // upstream.tls

    @Test
    void a_named_upstream_is_verified_by_the_host_of_its_uri_or_by_server_name() {
        var ofUri = compile(named("https://Orders.internal:8443", tls(null)));
        var ofKey = compile(named("https://10.0.0.5:8443", tls("orders.internal")));

        assertThat(List.of(Objects.requireNonNull(ofUri), Objects.requireNonNull(ofKey)))
                .allSatisfy(target -> {
                    assertThat(target.tls()).isTrue();
                    assertThat(target.peer().serverName()).isEqualTo("orders.internal");
                    assertThat(target.peer().proof().needsIdentity()).isFalse();
                });
    }

    @ParameterizedTest
    @CsvSource({
        "https://10.0.0.5:8443,",
        "https://[2001:db8::1]:8443,",
        "https://orders.internal, 10.0.0.5",
        "https://orders.internal, Orders.internal",
        "https://orders.internal, *.internal",
        "https://orders.internal, orders.internal.",
        "https://orders.internal, orders_api.internal",
    })
    void a_server_name_that_no_certificate_could_prove_does_not_load(String uri, @Nullable String serverName) {
        assertThat(compile(named(uri, tls(serverName)))).isNull();

        assertThat(findings.all()).extracting(Finding::path).containsExactly("upstream.tls.server-name");
    }

    @Test
    void a_wildcard_for_a_name_of_one_label_does_not_load() {
        var one = new UpstreamTlsConfig(new CaSource(null), "orders", true, List.of(), ClientCertificateConfig.NONE);

        assertThat(compile(named("https://orders", one))).isNotNull();

        assertThat(findings.all()).extracting(Finding::path).containsExactly("upstream.tls.wildcard");
    }

    @Test
    void a_pin_and_a_name_exclude_each_other() {
        assertThat(compile(config("https://orders.svc", false, List.of(), tls(null), ORDERS)))
                .isNull();

        assertThat(findings.all()).extracting(Finding::path).containsExactly("upstream.tls");
    }

    @Test
    void over_http_neither_a_name_nor_a_candidate_loads() {
        assertThat(compile(config("http://orders.svc", true, List.of(), tls(null))))
                .isNull();
        assertThat(compile(config("http://orders.svc", true, List.of(ORDERS), null)))
                .isNull();

        assertThat(findings.all())
                .extracting(Finding::path)
                .containsExactly("upstream.tls", "upstream.candidate-expected-ids");
    }

    @Test
    void files_that_cannot_be_used_do_not_load_and_each_is_named() throws IOException {
        var leaf = TestCa.of("example.org").issue(new TestCa.Leaf().dnsName("orders.internal"));
        var other = folder.resolve("other.pem");
        leaf.writeTo(folder.resolve("leaf.pem"), other);
        var missing = tls(folder.resolve("missing.pem"), ClientCertificateConfig.NONE);
        var noAuthority = tls(folder.resolve("leaf.pem"), ClientCertificateConfig.NONE);
        var mixed = TestCa.of("example.org").issue("/x");
        mixed.writeTo(folder.resolve("mixed.pem"), folder.resolve("mixed.key"));

        assertThat(compile(named("https://orders.internal", missing))).isNull();
        assertThat(compile(named("https://orders.internal", noAuthority))).isNull();
        assertThat(compile(named(
                        "https://orders.internal",
                        tls(ca(), new ClientCertificateConfig(folder.resolve("mixed.pem"), other)))))
                .isNull();

        assertThat(findings.all())
                .extracting(Finding::path)
                .containsExactly("upstream.tls.ca", "upstream.tls.ca", "upstream.tls.client-certificate");
        assertThat(findings.all().toString())
                .contains("there is no file", "no authority's", "the key of another certificate");
    }

    @Test
    void the_runtimes_authorities_are_a_word() throws Exception {
        assertThat(CaSource.parse("system", folder).read()).hasSizeGreaterThan(50);
        assertThat(CaSource.parse("ca.pem", folder).file()).isEqualTo(folder.resolve("ca.pem"));
    }

    @Test
    void an_svid_or_a_candidate_needs_the_gateways_identity() throws IOException {
        var svid = compile(named("https://orders.internal", tls(ca(), ClientCertificateConfig.SVID)));
        var candidate = compile(config("https://orders.internal", false, List.of(ORDERS), tls(null)));

        assertThat(Objects.requireNonNull(svid).peer().proof().needsIdentity()).isTrue();
        assertThat(Objects.requireNonNull(candidate).peer().proof().needsIdentity())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"sha256/abc", "sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "47DEQpj8HBSa", ""})
    void a_pin_of_a_key_has_one_form(String text) {
        assertThatThrownBy(() -> SpkiPin.parse(text)).isInstanceOf(InvalidSetting.class);
    }

    private static UpstreamConfig named(String uri, UpstreamTlsConfig tls) {
        return config(uri, false, List.of(), tls);
    }

    private static UpstreamTlsConfig tls(@Nullable String serverName) {
        return new UpstreamTlsConfig(new CaSource(null), serverName, false, List.of(), ClientCertificateConfig.NONE);
    }

    private static UpstreamTlsConfig tls(Path ca, ClientCertificateConfig certificate) {
        return new UpstreamTlsConfig(new CaSource(ca), null, false, List.of(), certificate);
    }

    private Path ca() throws IOException {
        return Files.writeString(
                folder.resolve("ca.pem"),
                TestCa.pemOf(List.of(TestCa.of("example.org").certificate())));
    }

    @Test
    void values_out_of_range_are_refused_with_their_key() {
        assertThatThrownBy(() -> timed(Duration.ofMillis(9), Duration.ofSeconds(1), Duration.ofSeconds(4), null))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("timeout"));
        assertThatThrownBy(() -> timed(Duration.ofSeconds(5), Duration.ofMinutes(2), Duration.ofSeconds(4), null))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("connect-timeout"));
        assertThatThrownBy(() -> timed(Duration.ofSeconds(5), Duration.ofSeconds(1), Duration.ofSeconds(4), 0))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("max-concurrent"));
        for (var idle : List.of(Duration.ofMillis(999), Duration.ofMinutes(11))) {
            assertThatThrownBy(() -> timed(Duration.ofSeconds(5), Duration.ofSeconds(1), idle, null))
                    .isInstanceOfSatisfying(
                            InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("idle-timeout"));
        }
        assertThatThrownBy(() -> new UpstreamConfig.Breaker(0, 20, Duration.ofSeconds(10), 5))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("failure-rate"));
        assertThatThrownBy(() -> new UpstreamConfig.Breaker(50, 0, Duration.ofSeconds(10), 5))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("minimum-calls"));
        assertThatThrownBy(() -> new UpstreamConfig.Breaker(50, 20, Duration.ofMillis(1), 5))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("open-for"));
        assertThatThrownBy(() -> new UpstreamConfig.Breaker(50, 20, Duration.ofSeconds(10), 0))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("trials"));
    }

    @Test
    void an_identity_comes_from_one_source() {
        var socket = URI.create("unix:/run/spire/agent.sock");
        var files = new IdentityConfig.Files(Path.of("svid.pem"), Path.of("key.pem"), Path.of("bundle.pem"), Map.of());

        assertThat(new IdentityConfig(socket, null, Duration.ZERO, Duration.ZERO).workloadApi())
                .isEqualTo(socket);
        assertThatThrownBy(() -> new IdentityConfig(null, null, Duration.ZERO, Duration.ZERO))
                .isInstanceOf(InvalidSetting.class);
        assertThatThrownBy(() -> new IdentityConfig(socket, files, Duration.ZERO, Duration.ZERO))
                .isInstanceOf(InvalidSetting.class);
        assertThatThrownBy(() -> new IdentityConfig(null, files, Duration.ofMinutes(11), Duration.ZERO))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("drain-after"));
        assertThatThrownBy(() -> new IdentityConfig(null, files, Duration.ZERO, Duration.ofMinutes(11)))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("cut-after"));
        assertThatThrownBy(() -> new IdentityConfig.Files(
                        files.svid(), files.key(), files.bundle(), Map.of("spiffe://other.test", Path.of("other.pem"))))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("federated"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"unix:run/agent.sock", "unix://host/agent.sock", "tcp://127.0.0.1:8081", "unix:/", "unix:/a?b"})
    void a_workload_api_is_an_absolute_unix_socket(String uri) {
        assertThatThrownBy(() -> new IdentityConfig(URI.create(uri), null, Duration.ZERO, Duration.ZERO))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.key()).isEqualTo("workload-api"));
    }

    private @Nullable UpstreamTarget compile(UpstreamConfig config) {
        return UpstreamTarget.compile(config, findings.at("upstream"));
    }

    private static UpstreamConfig https(String uri, ExpectedId... ids) {
        return config(uri, false, ids);
    }

    private static UpstreamConfig config(String uri, boolean insecurePlaintext, ExpectedId... ids) {
        return config(uri, insecurePlaintext, List.of(), null, ids);
    }

    private static UpstreamConfig config(
            String uri,
            boolean insecurePlaintext,
            List<ExpectedId> candidates,
            @Nullable UpstreamTlsConfig tls,
            ExpectedId... ids) {
        return new UpstreamConfig(
                URI.create(uri),
                List.of(ids),
                candidates,
                tls,
                UpstreamProtocol.HTTP1,
                Duration.ofSeconds(5),
                Duration.ofSeconds(1),
                Duration.ofSeconds(4),
                Duration.ofHours(1),
                null,
                null,
                false,
                false,
                null,
                null,
                insecurePlaintext);
    }

    private static void timed(
            Duration timeout, Duration connectTimeout, Duration idleTimeout, @Nullable Integer maxConcurrent) {
        new UpstreamConfig(
                URI.create("https://orders.svc"),
                List.of(ORDERS),
                List.of(),
                null,
                UpstreamProtocol.HTTP1,
                timeout,
                connectTimeout,
                idleTimeout,
                Duration.ofHours(1),
                null,
                maxConcurrent,
                false,
                false,
                null,
                null,
                false);
    }
}
