// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.sallyport.config.InvalidSetting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLException;

/** TLS towards clients: versions 1.3 and 1.2 with forward secrecy and authenticated encryption only, HTTP/2 by ALPN. */
public final class ListenerTls {
    private static final List<String> PROTOCOLS = List.of("TLSv1.3", "TLSv1.2");

    /** RFC 9325 section 4.2, in our order of preference; names that the provider does not know fall away. */
    private static final List<String> SUITES = List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    private ListenerTls() {}

    /**
     * Reads the certificate and makes the server's context of it, in the native library where the platform has it. Clients are not
     * asked for a certificate.
     *
     * @throws InvalidSetting naming the file that cannot be used
     */
    public static SslContext load(Path certificate, Path key) {
        return load(certificate, key, builder -> builder.clientAuth(ClientAuth.NONE));
    }

    /**
     * The same for the listener, with what it asks of its clients.
     *
     * @param clients judges what they show
     */
    static SslContext load(ListenerConfig.Tls tls, ClientTrustManager clients) {
        return load(
                tls.certificate(),
                tls.key(),
                builder -> builder.trustManager(clients)
                        .clientAuth(tls.clientCertificates().netty()));
    }

    private static SslContext load(Path certificate, Path key, UnaryOperator<SslContextBuilder> clients) {
        requireReadable("certificate", certificate);
        requireReadable("key", key);
        try {
            return clients.apply(SslContextBuilder.forServer(certificate.toFile(), key.toFile()))
                    .sslProvider(isNative() ? SslProvider.OPENSSL : SslProvider.JDK)
                    .protocols(PROTOCOLS)
                    .ciphers(SUITES, SupportedCipherSuiteFilter.INSTANCE)
                    .applicationProtocolConfig(new ApplicationProtocolConfig(
                            Protocol.ALPN,
                            // The two behaviours that every provider has; a client without a common protocol gets
                            // HTTP/1.1.
                            SelectorFailureBehavior.NO_ADVERTISE,
                            SelectedListenerFailureBehavior.ACCEPT,
                            ApplicationProtocolNames.HTTP_2,
                            ApplicationProtocolNames.HTTP_1_1))
                    .build();
        } catch (IllegalArgumentException | SSLException e) {
            // The parser's message may quote what it read of the key.
            throw new InvalidSetting(
                    "tls",
                    "%s, %s".formatted(certificate, key),
                    "PEM files: a certificate chain, and the PKCS #8 key of its first certificate");
        }
    }

    private static void requireReadable(String key, Path file) {
        try (var _ = Files.newInputStream(file)) {
            // Can be opened, which is all that was asked.
        } catch (IOException _) {
            throw new InvalidSetting("tls." + key, file, "a PEM file that this process may read");
        }
    }

    /** Whether TLS runs in the native library; the JDK's own is slower. */
    static boolean isNative() {
        return OpenSsl.isAvailable() && SslProvider.isAlpnSupported(SslProvider.OPENSSL);
    }
}
