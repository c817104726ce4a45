// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.workload.svid.WorkloadIdentity;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.netty.tcp.SslProvider;

/**
 * The TLS contexts towards upstreams under one identity of the gateway: one for each upstream and pin. Safe for use by any thread.
 */
final class UpstreamTls {
    private static final Logger log = LoggerFactory.getLogger(UpstreamTls.class);

    static final Denial SVID_MISSING = new Denial.Unavailable(Reason.FORWARD_SVID_MISSING, Duration.ofSeconds(5));

    private static final ApplicationProtocolConfig ONLY_H2 = new ApplicationProtocolConfig(
            ApplicationProtocolConfig.Protocol.ALPN,
            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
            ApplicationProtocolNames.HTTP_2);

    // What Netty wraps a key in to hand it on, in memory. The JDK's default encrypts it under a password that it takes
    // 10,000 rounds to derive, twice for each context, on the event loop of whoever connects first.
    private static final String KEY_STORE = "JKS";

    private final WorkloadIdentity identity;
    private final InstantSource clock;
    private final boolean openSsl;
    private final ConcurrentMap<UpstreamPeer, SslContext> contexts = new ConcurrentHashMap<>();

    /** @param openSsl false for the JDK's own TLS, which is slower */
    UpstreamTls(WorkloadIdentity identity, InstantSource clock, boolean openSsl) {
        this.identity = identity;
        this.clock = clock;
        this.openSsl = openSsl;
    }

    /** Builds now what the previous identity was used for, so that no event loop has to. A fault is logged here, and met again there. */
    void prepareFor(UpstreamTls previous) {
        for (var peer : previous.contexts.keySet()) {
            try {
                contextOf(peer);
            } catch (ForwardFailure e) {
                log.atError()
                        .addKeyValue("upstream", peer.label())
                        .setCause(e.getCause())
                        .log("SVID not usable");
            }
        }
    }

    /**
     * How to secure a connection to that upstream.
     *
     * @throws ForwardFailure {@code forward.svid_missing} if TLS cannot use this identity
     */
    SslProvider towards(UpstreamPeer peer) {
        var tls = SslProvider.builder().sslContext(contextOf(peer)).handshakeTimeout(peer.connectTimeout());
        return (peer.isLiteral() ? tls : tls.serverNames(new SNIHostName(peer.host()))).build();
    }

    private SslContext contextOf(UpstreamPeer peer) {
        return contexts.computeIfAbsent(peer, this::newContext);
    }

    private SslContext newContext(UpstreamPeer peer) {
        try {
            return new ResumptionFreeSslContext(SslContextBuilder.forClient()
                    .applicationProtocolConfig(
                            switch (peer.protocol()) {
                                case HTTP1 -> ApplicationProtocolConfig.DISABLED;
                                case H2 -> ONLY_H2;
                            })
                    .sslProvider(
                            openSsl ? io.netty.handler.ssl.SslProvider.OPENSSL : io.netty.handler.ssl.SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2")
                    .keyManager(identity.key(), identity.chain().toArray(X509Certificate[]::new))
                    .keyStoreType(KEY_STORE)
                    .trustManager(new PinnedTrustManager(identity.bundles(), peer.expectedIds(), clock))
                    // An SVID names no host. Netty's own check would look for one.
                    .endpointIdentificationAlgorithm(null)
                    .build());
        } catch (SSLException | IllegalArgumentException e) {
            // Trap T12: never on without a certificate.
            throw new ForwardFailure(SVID_MISSING, e);
        }
    }
}
