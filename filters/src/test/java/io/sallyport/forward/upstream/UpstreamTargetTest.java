// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.identity.ExpectedId;
import io.sallyport.workload.svid.IdentityConfig;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UpstreamTargetTest {
    private static final ExpectedId ORDERS = ExpectedId.parse("spiffe://example.org/ns/orders/sa/orders-api");

    private final Findings findings = new Findings();

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
        return new UpstreamConfig(
                URI.create(uri),
                List.of(ids),
                UpstreamProtocol.HTTP1,
                Duration.ofSeconds(5),
                Duration.ofSeconds(1),
                Duration.ofSeconds(4),
                Duration.ofHours(1),
                null,
                null,
                false,
                false,
                insecurePlaintext);
    }

    private static void timed(
            Duration timeout, Duration connectTimeout, Duration idleTimeout, @Nullable Integer maxConcurrent) {
        new UpstreamConfig(
                URI.create("https://orders.svc"),
                List.of(ORDERS),
                UpstreamProtocol.HTTP1,
                timeout,
                connectTimeout,
                idleTimeout,
                Duration.ofHours(1),
                null,
                maxConcurrent,
                false,
                false,
                false);
    }
}
