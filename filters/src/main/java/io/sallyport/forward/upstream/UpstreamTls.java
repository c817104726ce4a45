// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.micrometer.core.instrument.MeterRegistry;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.identity.TrustBundles;
import io.sallyport.workload.svid.WorkloadIdentity;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Predicate;
import java.util.function.Supplier;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.netty.tcp.SslProvider;

/**
 * The TLS contexts towards upstreams under one identity of the gateway, or under none: one for each upstream and what it has to
 * prove. Safe for use by any thread.
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

    private final @Nullable WorkloadIdentity identity;
    private final Surroundings around;
    private final ConcurrentMap<UpstreamPeer, SslContext> contexts = new ConcurrentHashMap<>();

    /**
     * What is the same whatever the identity.
     *
     * @param bundles those of now
     * @param openSsl false for the JDK's own TLS, which is slower
     */
    record Surroundings(
            Supplier<@Nullable TrustBundles> bundles,
            TlsFilesWatch files,
            InstantSource clock,
            MeterRegistry meters,
            boolean openSsl) {}

    /** @param identity null for upstreams that are not shown it */
    UpstreamTls(@Nullable WorkloadIdentity identity, Surroundings around) {
        this.identity = identity;
        this.around = around;
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
        var name = peer.serverName();
        return (name == null ? tls : tls.serverNames(new SNIHostName(name))).build();
    }

    /** Has the contexts of those peers made anew. */
    void forget(Predicate<UpstreamPeer> peers) {
        contexts.keySet().removeIf(peers);
    }

    private SslContext contextOf(UpstreamPeer peer) {
        return contexts.computeIfAbsent(peer, this::newContext);
    }

    private SslContext newContext(UpstreamPeer peer) {
        try {
            var context = SslContextBuilder.forClient()
                    .applicationProtocolConfig(
                            switch (peer.protocol()) {
                                case HTTP1 -> ApplicationProtocolConfig.DISABLED;
                                case H2 -> ONLY_H2;
                            })
                    .sslProvider(
                            around.openSsl
                                    ? io.netty.handler.ssl.SslProvider.OPENSSL
                                    : io.netty.handler.ssl.SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2")
                    .keyStoreType(KEY_STORE)
                    // The trust manager is the one that looks at names.
                    .endpointIdentificationAlgorithm(null);
            secure(context, peer);
            return new ResumptionFreeSslContext(context.build());
        } catch (SSLException | IllegalArgumentException e) {
            // Trap T12: never on without a certificate.
            throw new ForwardFailure(SVID_MISSING, e);
        }
    }

    private void secure(SslContextBuilder context, UpstreamPeer peer) {
        var candidate = new CandidatePin(peer.label(), peer.proof().candidates(), around.bundles, around.meters);
        switch (peer.proof()) {
            case PeerProof.Workload(var expected, var _) -> {
                var own = Objects.requireNonNull(identity, "identity");
                show(context, own.key(), own.chain());
                context.trustManager(new PinnedTrustManager(own.bundles(), expected, candidate, around.clock));
            }
            case PeerProof.Named named -> {
                var current = named.reading(around.files.follow(named.files()));
                var shown = current.files().content().shown();
                if (named.showsSvid()) {
                    var own = Objects.requireNonNull(identity, "identity");
                    show(context, own.key(), own.chain());
                } else if (shown != null) {
                    show(context, shown.key(), shown.chain());
                }
                context.trustManager(new NamedTrustManager(current, candidate, around.clock));
            }
            case PeerProof.Nothing _ -> throw new IllegalArgumentException("TLS towards " + peer.label());
        }
    }

    /** The native library asks for keys of RSA and EC alone: one of Ed25519 is shown by the JDK's own TLS. */
    private static void show(SslContextBuilder context, PrivateKey key, List<X509Certificate> chain) {
        if (key.getAlgorithm().equals("EdDSA")) {
            context.sslProvider(io.netty.handler.ssl.SslProvider.JDK);
        }
        context.keyManager(key, chain.toArray(X509Certificate[]::new));
    }
}
