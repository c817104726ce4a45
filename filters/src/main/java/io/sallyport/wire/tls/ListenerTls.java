// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslCachingX509KeyManagerFactory;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.handler.ssl.util.KeyManagerFactoryWrapper;
import io.sallyport.workload.svid.WorkloadIdentity;
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
     * A server's context, in the native library where the platform has it.
     *
     * @param clients what is asked of clients
     */
    static SslContext context(ServerCertificates certificates, UnaryOperator<SslContextBuilder> clients)
            throws SSLException {
        // Caching, so that a key is not encoded for each handshake: what a name of a key means here never changes.
        var keys = new OpenSslCachingX509KeyManagerFactory(new KeyManagerFactoryWrapper(certificates));
        return build(clients.apply(SslContextBuilder.forServer(keys)), isNative());
    }

    /**
     * The same under the gateway's own SVID, for clients that have to show theirs.
     *
     * @param clients judges what they show
     */
    static SslContext context(WorkloadIdentity own, ClientTrustManager clients) throws SSLException {
        // The native library asks a plain key manager for keys of RSA and EC alone.
        boolean known = !own.key().getAlgorithm().equals("EdDSA");
        return build(
                SslContextBuilder.forServer(own.key(), own.chain())
                        .trustManager(clients)
                        .clientAuth(ClientAuth.REQUIRE),
                isNative() && known);
    }

    private static SslContext build(SslContextBuilder server, boolean natively) throws SSLException {
        return server.sslProvider(natively ? SslProvider.OPENSSL : SslProvider.JDK)
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
    }

    /** Whether TLS runs in the native library; the JDK's own is slower. */
    public static boolean isNative() {
        return OpenSsl.isAvailable() && SslProvider.isAlpnSupported(SslProvider.OPENSSL);
    }
}
