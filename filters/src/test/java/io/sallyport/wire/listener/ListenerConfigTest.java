// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.config.InvalidSetting;
import io.sallyport.edge.Cidr;
import io.sallyport.wire.shedding.SheddingConfig;
import io.sallyport.wire.tls.CertificateFiles;
import io.sallyport.wire.tls.ClientCertificates;
import io.sallyport.wire.tls.RenewedTls;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.util.unit.DataSize;

/** The section {@code listener}: what it refuses, and what it says of itself. */
public class ListenerConfigTest {
    private static final ListenerConfig.Tls TLS =
            new ListenerConfig.Tls(Path.of("tls.crt"), Path.of("tls.key"), List.of(), ClientCertificates.NONE);

    static Stream<Arguments> wrongSettings() {
        return Stream.of(
                Arguments.of(
                        new Listener().address("localhost"), "address: localhost (expected: an IPv4 or IPv6 address)"),
                Arguments.of(new Listener().port(65_536), "port: 65536 (expected: 0 to 65535)"),
                Arguments.of(new Listener().externalPort(0), "external-port: 0 (expected: 1 to 65535)"),
                Arguments.of(
                        new Listener().tls(null),
                        "tls: (absent) (expected: certificate and key, or else insecure-plaintext: true)"),
                Arguments.of(
                        new Listener().insecurePlaintext(true),
                        "insecure-plaintext: true (expected: false or absent, because tls is there)"),
                Arguments.of(
                        new Listener().trustedProxies("0.0.0.0/0"),
                        "trusted-proxies: 0.0.0.0/0 (expected: the blocks that your proxies are in, not all addresses)"),
                Arguments.of(
                        new Listener().maxRequestLine(DataSize.ofBytes(255)),
                        "max-request-line: 255B (expected: 256B to 65536B)"),
                Arguments.of(
                        new Listener().maxHeaders(DataSize.ofMegabytes(1)),
                        "max-headers: 1048576B (expected: 1024B to 262144B)"),
                Arguments.of(
                        new Listener().proxyProtocol(ProxyProtocol.REQUIRED),
                        "trusted-proxies: [] (expected: the blocks of those who may send PROXY headers, because they are required)"),
                Arguments.of(new Listener().maxConnections(0), "max-connections: 0 (expected: 1 to 1000000)"),
                Arguments.of(
                        new Listener().maxConnectionsPerAddress(0),
                        "max-connections-per-address: 0 (expected: 1 to 1000000)"),
                Arguments.of(
                        new Listener().answerTimeout(Duration.ZERO), "answer-timeout: PT0S (expected: 100ms to 1h)"),
                Arguments.of(
                        new Listener().requestTimeout(Duration.ZERO), "request-timeout: PT0S (expected: 100ms to 5m)"),
                Arguments.of(
                        new Listener().bodyTimeout(Duration.ofDays(1)), "body-timeout: PT24H (expected: 100ms to 1h)"),
                Arguments.of(new Listener().idleTimeout(Duration.ZERO), "idle-timeout: PT0S (expected: 1s to 1h)"),
                Arguments.of(
                        new Listener().shutdownGrace(Duration.ofHours(1)),
                        "shutdown-grace: PT1H (expected: 0s to 10m)"),
                Arguments.of(
                        new Listener().healthPath("/"),
                        "health-path: / (expected: a path such as /healthz, spelled as a request has it)"),
                Arguments.of(
                        new Listener().healthPath("/a/../b"),
                        "health-path: /a/../b (expected: a path such as /healthz, spelled as a request has it)"));
    }

    @ParameterizedTest
    @MethodSource("wrongSettings")
    void each_wrong_setting_is_refused_with_its_value_and_what_was_expected(Listener listener, String message) {
        assertThatThrownBy(listener::build).isInstanceOf(InvalidSetting.class).hasMessage(message);
    }

    @Test
    void each_wrong_setting_of_shedding_is_refused() {
        assertThatThrownBy(() -> new SheddingConfig(Duration.ofMillis(1), 90))
                .hasMessage("event-loop-lag: PT0.001S (expected: 10ms to 1m)");
        assertThatThrownBy(() -> new SheddingConfig(Duration.ofMillis(100), 49))
                .hasMessage("memory: 49 (expected: 50 to 100)");
    }

    @Test
    void who_names_clients_by_proxy_header_is_not_believed_by_x_forwarded_for() {
        var listener = new Listener().trustedProxies("10.0.0.0/8");

        assertThat(listener.build().forwardedForProxies()).hasSize(1);
        assertThat(listener.proxyProtocol(ProxyProtocol.REQUIRED).build().forwardedForProxies())
                .isEmpty();
    }

    @Test
    void a_port_is_part_of_a_url_unless_it_is_the_usual_one() {
        assertThat(new Listener().port(8443).build().portSuffix()).isEqualTo(":8443");
        assertThat(new Listener().port(443).build().portSuffix()).isEmpty();
        assertThat(new Listener().port(8443).externalPort(443).build().portSuffix())
                .isEmpty();
        assertThat(new Listener()
                        .tls(null)
                        .insecurePlaintext(true)
                        .port(80)
                        .build()
                        .portSuffix())
                .isEmpty();
    }

    @Test
    void a_certificate_file_that_is_not_there_is_named() {
        assertThatThrownBy(() -> RenewedTls.follow(
                        "listener",
                        new CertificateFiles(TLS.certificate(), TLS.key()),
                        null,
                        InstantSource.system(),
                        new SimpleMeterRegistry()))
                .isInstanceOf(InvalidSetting.class)
                .hasMessage(
                        "tls.certificate: tls.crt: there is no such file (expected: a PEM file that this process may read)");
    }

    /** A listener that is right until one thing is changed. */
    public static final class Listener {
        private String address = "0.0.0.0";
        private int port = 8443;
        private @Nullable Integer externalPort;
        private ListenerConfig.@Nullable Tls tls = TLS;
        private boolean insecurePlaintext;
        private List<Cidr> trustedProxies = List.of();
        private DataSize maxRequestLine = DataSize.ofKilobytes(8);
        private DataSize maxHeaders = DataSize.ofKilobytes(16);
        private int maxConnections = 10_000;
        private Duration requestTimeout = Duration.ofSeconds(10);
        private Duration bodyTimeout = Duration.ofSeconds(30);
        private Duration idleTimeout = Duration.ofSeconds(60);
        private ProxyProtocol proxyProtocol = ProxyProtocol.REFUSED;
        private int maxConnectionsPerAddress = 10_000;
        private Duration answerTimeout = Duration.ofSeconds(30);
        private SheddingConfig shedding = new SheddingConfig(Duration.ofSeconds(10), 100);
        private @Nullable String healthPath;
        private Duration shutdownGrace = Duration.ofSeconds(20);

        public Listener address(String address) {
            this.address = address;
            return this;
        }

        public Listener port(int port) {
            this.port = port;
            return this;
        }

        public Listener externalPort(int externalPort) {
            this.externalPort = externalPort;
            return this;
        }

        public Listener tls(ListenerConfig.@Nullable Tls tls) {
            this.tls = tls;
            return this;
        }

        public Listener insecurePlaintext(boolean insecurePlaintext) {
            this.insecurePlaintext = insecurePlaintext;
            return this;
        }

        public Listener trustedProxies(String block) {
            this.trustedProxies = List.of(Cidr.parse(block));
            return this;
        }

        public Listener maxRequestLine(DataSize maxRequestLine) {
            this.maxRequestLine = maxRequestLine;
            return this;
        }

        public Listener maxHeaders(DataSize maxHeaders) {
            this.maxHeaders = maxHeaders;
            return this;
        }

        public Listener maxConnections(int maxConnections) {
            this.maxConnections = maxConnections;
            return this;
        }

        public Listener requestTimeout(Duration requestTimeout) {
            this.requestTimeout = requestTimeout;
            return this;
        }

        public Listener bodyTimeout(Duration bodyTimeout) {
            this.bodyTimeout = bodyTimeout;
            return this;
        }

        public Listener idleTimeout(Duration idleTimeout) {
            this.idleTimeout = idleTimeout;
            return this;
        }

        public Listener shutdownGrace(Duration shutdownGrace) {
            this.shutdownGrace = shutdownGrace;
            return this;
        }

        public Listener proxyProtocol(ProxyProtocol proxyProtocol) {
            this.proxyProtocol = proxyProtocol;
            return this;
        }

        public Listener maxConnectionsPerAddress(int maxConnectionsPerAddress) {
            this.maxConnectionsPerAddress = maxConnectionsPerAddress;
            return this;
        }

        public Listener answerTimeout(Duration answerTimeout) {
            this.answerTimeout = answerTimeout;
            return this;
        }

        public Listener healthPath(@Nullable String healthPath) {
            this.healthPath = healthPath;
            return this;
        }

        public Listener shedding(SheddingConfig shedding) {
            this.shedding = shedding;
            return this;
        }

        public ListenerConfig build() {
            return new ListenerConfig(
                    address,
                    port,
                    externalPort,
                    tls,
                    insecurePlaintext,
                    trustedProxies,
                    proxyProtocol,
                    maxRequestLine,
                    maxHeaders,
                    maxConnections,
                    maxConnectionsPerAddress,
                    requestTimeout,
                    bodyTimeout,
                    answerTimeout,
                    idleTimeout,
                    shedding,
                    shutdownGrace,
                    healthPath);
        }
    }
}
