// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import io.netty.util.NetUtil;
import io.sallyport.config.Finding;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.edge.CanonicalPaths;
import io.sallyport.edge.Cidr;
import io.sallyport.edge.PathRules;
import io.sallyport.wire.shedding.SheddingConfig;
import io.sallyport.wire.tls.CertificateFiles;
import io.sallyport.wire.tls.ClientCertificates;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/**
 * Where and how the gateway listens. Read when the process starts; a reload that changes it takes a restart.
 *
 * @param externalPort null if clients use {@code port}
 * @param tls null if and only if {@code insecurePlaintext}
 * @param trustedProxies never all addresses: that would let every client choose its own
 */
public record ListenerConfig(
        @Setting(value = "The address to listen on, a literal.", byDefault = "0.0.0.0")
        String address,

        @Setting(value = "The port to listen on, 0 (any free one) to 65535.", byDefault = "8443")
        int port,

        @Setting("The port that clients use, where it differs: behind a load balancer or a port mapping.") @Nullable
        Integer externalPort,

        @Setting("The certificate that clients see. Required unless insecure-plaintext is true.") @Nullable
        Tls tls,

        @Setting(value = "Listens without TLS: tokens then cross the network readable.", byDefault = "false")
        boolean insecurePlaintext,

        @Setting(
                value =
                        "Address blocks of proxies in front whose X-Forwarded-For is believed, read from the right; from anywhere else it is removed.",
                byDefault = "[]")
        List<Cidr> trustedProxies,

        @Setting(
                value =
                        "Whether each connection begins with a PROXY header (version 1 or 2) that names the client: required, or refused. "
                                + "Required, only trusted-proxies may connect, and their X-Forwarded-For is not believed.",
                byDefault = "refused")
        ProxyProtocol proxyProtocol,

        @Setting(value = "The longest request line, 256 B to 64 KB. A longer one is a 414.", byDefault = "8KB")
        DataSize maxRequestLine,

        @Setting(value = "The longest header block, 1 KB to 256 KB. A longer one is a 431.", byDefault = "32KB")
        DataSize maxHeaders,

        @Setting(
                value =
                        "How many connections are held at once, 1 to 1000000. One more is closed as soon as it is accepted.",
                byDefault = "20000")
        int maxConnections,

        @Setting(
                value =
                        "How many of them one address (an IPv6 /64) may hold, 1 to 1000000. One more is closed as soon as it is accepted. "
                                + "Not counted for trusted proxies, unless proxy-protocol tells who is behind them.",
                byDefault = "10000")
        int maxConnectionsPerAddress,

        @Setting(
                value =
                        "How long a TLS handshake may take, and from its first byte on a request's head, 100ms to 5m. A later head is a 408.",
                byDefault = "10s")
        Duration requestTimeout,

        @Setting(
                value =
                        "How long a body that the gateway is waiting for may make no progress, 100ms to 1h; less than 1 KB in that time is none. Then the request is a 408.",
                byDefault = "30s")
        Duration bodyTimeout,

        @Setting(
                value =
                        "How long an answer may make no progress because the client does not read it, 100ms to 1h; less than 1 KB in that time is none. Then it is broken off.",
                byDefault = "30s")
        Duration answerTimeout,

        @Setting(value = "How long a connection without a request under way is kept, 1s to 1h.", byDefault = "60s")
        Duration idleTimeout,

        @Setting(value = "When requests are refused because there are too many.", byDefault = "{}")
        SheddingConfig shedding,

        @Setting(
                value = "How long requests under way may take to finish when the gateway stops, 0s to 10m.",
                byDefault = "20s")
        Duration shutdownGrace,

        @Setting(
                "A path that the gateway itself answers for health checks, whatever the Host, without one, and in HTTP/1.0: GET and HEAD"
                        + " are 200, and 503 while the gateway stops. Such requests are neither judged nor recorded. Without it there is none.")
        @Nullable
        String healthPath) {

    private static final String TLS_OR_PLAINTEXT = "certificate and key, or else insecure-plaintext: true";
    private static final int HIGHEST_PORT = 65_535;

    /**
     * The certificates, and what is asked of the other side.
     *
     * @param certificate the chain of the first, leaf first
     * @param key the leaf's private key, not encrypted
     * @param moreCertificates beside the first
     */
    public record Tls(
            @Setting(
                    "A PEM file with the certificate chain, the leaf first. It and the key are read again when they change; a pair that cannot be used is refused, and the one before stays.")
            Path certificate,

            @Setting(
                    "A PEM file with the leaf's private key, not encrypted: PKCS #8, PKCS #1 or SEC 1; RSA, EC or Ed25519.")
            Path key,

            @Setting(
                    value =
                            "Further certificates. A client is shown the first that covers the name in its SNI, and the one above if none does.",
                    byDefault = "[]")
            List<CertificateFiles> moreCertificates,

            @Setting(
                    value =
                            "Whether clients are asked for an X509-SVID: none, optional, or required of every connection. One "
                                    + "that is no SVID by the trust bundles of identity ends the handshake; which workloads "
                                    + "may call a route is the route's client-spiffe-ids.",
                    byDefault = "none")
            ClientCertificates clientCertificates) {

        public Tls {
            moreCertificates = List.copyOf(moreCertificates);
        }

        /** All of them, that above first. */
        public List<CertificateFiles> certificates() {
            return Stream.concat(Stream.of(new CertificateFiles(certificate, key)), moreCertificates.stream())
                    .toList();
        }
    }

    /** Whether some client may show a certificate. */
    public boolean asksForCertificates() {
        return tls != null && tls.clientCertificates() != ClientCertificates.NONE;
    }

    public ListenerConfig {
        trustedProxies = List.copyOf(trustedProxies);
        if (!NetUtil.isValidIpV4Address(address) && !NetUtil.isValidIpV6Address(address)) {
            throw new InvalidSetting("address", address, "an IPv4 or IPv6 address");
        }
        requirePort("port", port, 0);
        if (externalPort != null) {
            requirePort("external-port", externalPort, 1);
        }
        if (tls == null && !insecurePlaintext) {
            throw new InvalidSetting("tls", Finding.ABSENT, TLS_OR_PLAINTEXT);
        }
        if (tls != null && insecurePlaintext) {
            throw new InvalidSetting("insecure-plaintext", true, "false or absent, because tls is there");
        }
        for (var proxies : trustedProxies) {
            if (proxies.prefixLength() == 0) {
                throw new InvalidSetting(
                        "trusted-proxies", proxies, "the blocks that your proxies are in, not all addresses");
            }
        }
        if (proxyProtocol == ProxyProtocol.REQUIRED && trustedProxies.isEmpty()) {
            throw new InvalidSetting(
                    "trusted-proxies",
                    "[]",
                    "the blocks of those who may send PROXY headers, because they are required");
        }
        requireSize("max-request-line", maxRequestLine, DataSize.ofBytes(256), DataSize.ofKilobytes(64));
        requireSize("max-headers", maxHeaders, DataSize.ofKilobytes(1), DataSize.ofKilobytes(256));
        requireConnections("max-connections", maxConnections);
        requireConnections("max-connections-per-address", maxConnectionsPerAddress);
        requireDuration(
                "request-timeout", requestTimeout, Duration.ofMillis(100), Duration.ofMinutes(5), "100ms to 5m");
        requireDuration("body-timeout", bodyTimeout, Duration.ofMillis(100), Duration.ofHours(1), "100ms to 1h");
        requireDuration("answer-timeout", answerTimeout, Duration.ofMillis(100), Duration.ofHours(1), "100ms to 1h");
        requireDuration("idle-timeout", idleTimeout, Duration.ofSeconds(1), Duration.ofHours(1), "1s to 1h");
        requireHealthPath(healthPath);
        requireDuration("shutdown-grace", shutdownGrace, Duration.ZERO, Duration.ofMinutes(10), "0s to 10m");
    }

    private static void requireHealthPath(@Nullable String path) {
        if (path != null && (path.equals("/") || !CanonicalPaths.isCanonical(path, PathRules.STRICT))) {
            throw new InvalidSetting("health-path", path, "a path such as /healthz, spelled as a request has it");
        }
    }

    private static void requirePort(String key, int port, int lowest) {
        if (port < lowest || port > HIGHEST_PORT) {
            throw new InvalidSetting(key, port, "%d to %d".formatted(lowest, HIGHEST_PORT));
        }
    }

    private static void requireConnections(String key, int connections) {
        if (connections < 1 || connections > 1_000_000) {
            throw new InvalidSetting(key, connections, "1 to 1000000");
        }
    }

    private static void requireSize(String key, DataSize size, DataSize least, DataSize most) {
        if (size.compareTo(least) < 0 || size.compareTo(most) > 0) {
            throw new InvalidSetting(key, size, "%s to %s".formatted(least, most));
        }
    }

    private static void requireDuration(String key, Duration value, Duration least, Duration most, String expected) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new InvalidSetting(key, value, expected);
        }
    }

    /** Whose X-Forwarded-For is believed: nobody's, where the PROXY header has said who the client is. */
    public List<Cidr> forwardedForProxies() {
        return proxyProtocol == ProxyProtocol.REQUIRED ? List.of() : trustedProxies;
    }

    /** The scheme that clients use. */
    public String scheme() {
        return tls == null ? "http" : "https";
    }

    /** What follows a host in a URL of this listener: {@code :8443}, or nothing where the port is the scheme's own. */
    public String portSuffix() {
        int external = externalPort == null ? port : externalPort;
        return external == (tls == null ? 80 : 443) ? "" : ":" + external;
    }
}
