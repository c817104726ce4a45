// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.resolver.dns.DnsAddressResolverGroup;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.workload.svid.SvidMetrics;
import io.sallyport.workload.svid.SvidSource;
import io.sallyport.workload.svid.WorkloadIdentity;
import io.spiffe.spiffeid.TrustDomain;
import java.lang.invoke.MethodHandles;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.SslProvider;
import reactor.netty.tcp.TcpClient;

/**
 * The connections to upstreams: a pool for each upstream and pin ({@link UpstreamPeer}), generation of the gateway's identity, and
 * event loop. A connection so lives on the event loop of the requests that it serves, and nothing of a request is ever touched by
 * two threads.
 *
 * <p>When the identity changes, new requests get new connections at once; connections of the previous generation are closed after
 * {@code drain-after}, those in use when their answer has ended. If an authority has left a bundle, every connection to a peer of
 * that trust domain, of whatever generation, is closed: if it is idle at once, if it is in use after {@code cut-after} at the
 * latest. If the identity was withdrawn, so is every connection.
 */
public final class UpstreamConnections implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(UpstreamConnections.class);

    private static final Denial SVID_MISSING =
            new Denial.Unavailable(Reason.FORWARD_SVID_MISSING, Duration.ofSeconds(5));
    private static final Denial SVID_EXPIRED =
            new Denial.Unavailable(Reason.FORWARD_SVID_EXPIRED, Duration.ofSeconds(5));

    private static final ApplicationProtocolConfig ONLY_H2 = new ApplicationProtocolConfig(
            ApplicationProtocolConfig.Protocol.ALPN,
            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
            ApplicationProtocolNames.HTTP_2);

    // What Netty wraps a key in to hand it on, in memory. The JDK's default encrypts it under a password that it takes
    // 10,000 rounds to derive, twice for each context, on the event loop of whoever connects first.
    private static final String KEY_STORE = "JKS";

    // What a request that has just found its pool needs to get a connection.
    private static final Duration LEAST_GRACE = Duration.ofSeconds(1);

    private final SvidSource identities;
    private final Duration drainAfter;
    private final Duration cutAfter;
    private final InstantSource clock;
    private final boolean openSsl;
    private final HandshakeMetrics handshakes;
    private final IdentityPools plaintext = new IdentityPools(null);
    private volatile @Nullable IdentityPools current;

    /** Pools of former identities that may still have connections in use. Guarded by this. */
    private final List<IdentityPools> former = new ArrayList<>();

    private final DnsAddressResolverGroup resolver = newResolver();
    private volatile @Nullable EventLoop anyEventLoop;
    private volatile boolean closed;

    /**
     * @param drainAfter how long connections of a previous identity are kept
     * @param cutAfter how long requests may go on over connections to peers that are no longer trusted
     */
    public UpstreamConnections(
            SvidSource identities, Duration drainAfter, Duration cutAfter, InstantSource clock, MeterRegistry meters) {
        this(identities, drainAfter, cutAfter, clock, meters, OpenSsl.isAvailable());
    }

    /** @param openSsl false for the JDK's own TLS, which is slower */
    UpstreamConnections(
            SvidSource identities,
            Duration drainAfter,
            Duration cutAfter,
            InstantSource clock,
            MeterRegistry meters,
            boolean openSsl) {
        this.identities = identities;
        this.drainAfter = atLeast(LEAST_GRACE, drainAfter);
        this.cutAfter = atLeast(LEAST_GRACE, cutAfter);
        this.clock = clock;
        this.handshakes = new HandshakeMetrics(meters);
        this.openSsl = openSsl;
        if (!openSsl) {
            log.atInfo().log("TLS towards upstreams is the JDK's, and slower than the native one");
        }
        SvidMetrics.bind(identities, clock, meters);
        identities.onUpdate(this::identityChanged);
    }

    private static Duration atLeast(Duration least, Duration value) {
        return value.compareTo(least) < 0 ? least : value;
    }

    /**
     * The pool of that upstream.
     *
     * @param eventLoop that of the request, and the caller's own
     * @throws ForwardFailure if the gateway cannot prove its own identity: {@code forward.svid_missing}, also if TLS cannot use
     *     the one it has, or {@code svid_expired}
     */
    public UpstreamPool poolFor(UpstreamTarget target, EventLoop eventLoop) {
        return poolsFor(target).pool(UpstreamPeer.of(target), eventLoop);
    }

    /** Where what became of handshakes is counted. */
    public HandshakeMetrics handshakes() {
        return handshakes;
    }

    private IdentityPools poolsFor(UpstreamTarget target) {
        if (!target.tls()) {
            return plaintext;
        }
        var identity = identities.current();
        if (identity == null) {
            throw new ForwardFailure(SVID_MISSING, null);
        }
        if (identity.isExpiredAt(clock.instant())) {
            throw new ForwardFailure(SVID_EXPIRED, null);
        }
        var pools = current;
        return pools != null && pools.isOf(identity) ? pools : swap(identity);
    }

    private synchronized IdentityPools swap(WorkloadIdentity identity) {
        var previous = current;
        if (previous != null && !previous.isOlderThan(identity)) {
            return previous;
        }
        var next = new IdentityPools(identity);
        if (previous != null) {
            next.makeReadyAs(previous);
        }
        current = next;
        if (previous != null) {
            drain(previous, identity);
        }
        return next;
    }

    /** On the thread of the source: it, and no event loop, builds the TLS contexts of upstreams that are in use. */
    private void identityChanged(@Nullable WorkloadIdentity identity) {
        if (closed) {
            return;
        }
        if (identity == null) {
            withdraw();
        } else {
            swap(identity);
        }
    }

    private synchronized void withdraw() {
        var previous = current;
        current = null;
        if (previous != null) {
            former.add(previous);
        }
        for (var pools : former) {
            pools.retireConnections(_ -> true);
            later(cutAfter, pools::dispose);
        }
        former.clear();
    }

    private void drain(IdentityPools previous, WorkloadIdentity next) {
        former.removeIf(IdentityPools::isOver);
        former.add(previous);
        later(drainAfter, previous::retire);
        if (previous.identity != null) {
            cut(next.bundles().distrustedSince(previous.identity.bundles()));
        }
    }

    private void cut(Set<TrustDomain> distrusted) {
        if (distrusted.isEmpty()) {
            return;
        }
        log.atInfo().addKeyValue("trust_domains", distrusted).log("an authority left the bundle; closing connections");
        Predicate<UpstreamPeer> concerned = peer -> peer.expectedIds().concern(distrusted);
        for (var pools : former) {
            pools.retireConnections(concerned);
            later(cutAfter, () -> pools.closeConnections(concerned));
        }
    }

    private static void later(Duration delay, Runnable task) {
        var _ = GlobalEventExecutor.INSTANCE.schedule(task, delay.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        closed = true;
        var last = current;
        if (last != null) {
            last.dispose();
        }
        synchronized (this) {
            former.forEach(IdentityPools::dispose);
            former.clear();
        }
        plaintext.dispose();
        resolver.close();
    }

    // Each event loop resolves for itself, without blocking. The files that say how are read here and now, and not
    // on an event loop with the first request.
    private DnsAddressResolverGroup newResolver() {
        var names = new DnsNameResolverBuilder()
                .datagramChannelFactory(() -> channelOf(DatagramChannel.class))
                .socketChannelFactory(() -> channelOf(SocketChannel.class));
        try {
            MethodHandles.lookup().ensureInitialized(DnsNameResolver.class);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("a public class", e);
        }
        return new DnsAddressResolverGroup(names);
    }

    // All event loops are of one kind: native ones where the platform has them.
    private <T extends Channel> T channelOf(Class<T> type) {
        var eventLoop = Objects.requireNonNull(anyEventLoop, "no request yet");
        LoopResources loop = _ -> eventLoop;
        return loop.onChannel(type, eventLoop);
    }

    private record PoolKey(UpstreamPeer peer, EventLoop eventLoop) {
        @Override
        public int hashCode() {
            return 31 * peer.hashCode() + eventLoop.hashCode();
        }
    }

    /** Everything that was made under one identity. */
    private final class IdentityPools {
        private final @Nullable WorkloadIdentity identity;
        private final ConcurrentMap<UpstreamPeer, SslContext> contexts = new ConcurrentHashMap<>();
        private final ConcurrentMap<PoolKey, UpstreamPool> pools = new ConcurrentHashMap<>();
        private final ConcurrentMap<UpstreamPeer, ChannelGroup> channels = new ConcurrentHashMap<>();
        private volatile boolean retired;

        /** @param identity null for upstreams that are reached in plaintext */
        IdentityPools(@Nullable WorkloadIdentity identity) {
            this.identity = identity;
        }

        boolean isOf(WorkloadIdentity other) {
            return identity != null && identity.generation() == other.generation();
        }

        boolean isOlderThan(WorkloadIdentity other) {
            return identity == null || identity.generation() < other.generation();
        }

        void makeReadyAs(IdentityPools previous) {
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

        /** Whether nothing is under way any more, and nothing will be. */
        boolean isOver() {
            return retired && channels.values().stream().allMatch(ChannelGroup::isEmpty);
        }

        UpstreamPool pool(UpstreamPeer peer, EventLoop eventLoop) {
            var key = new PoolKey(peer, eventLoop);
            var pool = pools.get(key);
            return pool != null ? pool : pools.computeIfAbsent(key, this::newPool);
        }

        private UpstreamPool newPool(PoolKey key) {
            var peer = key.peer;
            anyEventLoop = key.eventLoop;
            var address = peer.address();
            var group = channelsOf(peer);
            var client = TcpClient.create(ConnectionProvider.newConnection())
                    .remoteAddress(() -> address)
                    .runOn((LoopResources) _ -> key.eventLoop)
                    .resolver(resolver)
                    .option(
                            ChannelOption.CONNECT_TIMEOUT_MILLIS,
                            Math.toIntExact(peer.connectTimeout().toMillis()))
                    .doOnChannelInit((_, channel, _) -> {
                        // Before its handshake, which is to end with its identity too.
                        group.add(channel);
                        switch (peer.protocol()) {
                            case HTTP1 -> UpstreamConnection.install(channel.pipeline());
                            case H2 -> Http2Carrier.install(channel.pipeline(), peer.tls());
                        }
                    });
            var secured = peer.tls() ? client.secure(tls(peer)) : client;
            return switch (peer.protocol()) {
                case HTTP1 -> new Http1Pool(secured, key.eventLoop, peer.connectTimeout(), peer.idleTimeout());
                case H2 -> new Http2Pool(secured, key.eventLoop, peer.connectTimeout(), peer.idleTimeout());
            };
        }

        private ChannelGroup channelsOf(UpstreamPeer peer) {
            return channels.computeIfAbsent(peer, _ -> new DefaultChannelGroup(GlobalEventExecutor.INSTANCE));
        }

        private SslProvider tls(UpstreamPeer peer) {
            var tls = SslProvider.builder().sslContext(contextOf(peer)).handshakeTimeout(peer.connectTimeout());
            return (peer.isLiteral() ? tls : tls.serverNames(new SNIHostName(peer.host()))).build();
        }

        private SslContext contextOf(UpstreamPeer peer) {
            return contexts.computeIfAbsent(peer, this::newContext);
        }

        private SslContext newContext(UpstreamPeer peer) {
            var own = identity;
            if (own == null) {
                throw new IllegalStateException("TLS to %s without an identity".formatted(peer.label()));
            }
            try {
                return new ResumptionFreeSslContext(SslContextBuilder.forClient()
                        .applicationProtocolConfig(
                                switch (peer.protocol()) {
                                    case HTTP1 -> ApplicationProtocolConfig.DISABLED;
                                    case H2 -> ONLY_H2;
                                })
                        .sslProvider(
                                openSsl
                                        ? io.netty.handler.ssl.SslProvider.OPENSSL
                                        : io.netty.handler.ssl.SslProvider.JDK)
                        .protocols("TLSv1.3", "TLSv1.2")
                        .keyManager(own.key(), own.chain().toArray(X509Certificate[]::new))
                        .keyStoreType(KEY_STORE)
                        .trustManager(new PinnedTrustManager(own.bundles(), peer.expectedIds(), clock))
                        // An SVID names no host. Netty's own check would look for one.
                        .endpointIdentificationAlgorithm(null)
                        .build());
            } catch (SSLException | IllegalArgumentException e) {
                // Trap T12: never on without a certificate.
                throw new ForwardFailure(SVID_MISSING, e);
            }
        }

        /** Lets what is under way finish, then closes. */
        void retire() {
            retired = true;
            retireConnections(_ -> true);
        }

        /**
         * Closes those peers' connections that are idle now, and each other one when its answer has ended. Who waits for one goes
         * elsewhere.
         */
        void retireConnections(Predicate<UpstreamPeer> peers) {
            // First, so that whoever loses a handshake by it is told the same.
            retirePools(peers);
            channels.forEach((peer, group) -> {
                if (peers.test(peer)) {
                    group.forEach(IdentityPools::retireConnection);
                }
            });
        }

        private void retirePools(Predicate<UpstreamPeer> peers) {
            pools.forEach((key, pool) -> {
                if (peers.test(key.peer)) {
                    on(key.eventLoop, pool::retire);
                }
            });
        }

        private static void retireConnection(Channel channel) {
            on(channel.eventLoop(), () -> {
                var connection = Retirable.on(channel);
                if (connection != null) {
                    connection.retire();
                }
            });
        }

        private static void on(EventLoop eventLoop, Runnable task) {
            try {
                eventLoop.execute(task);
            } catch (RejectedExecutionException _) {
                // It has been shut down, and everything on it has ended.
            }
        }

        /** Closes those peers' connections, whatever is under way. */
        void closeConnections(Predicate<UpstreamPeer> peers) {
            channels.forEach((peer, group) -> {
                if (peers.test(peer)) {
                    var _ = group.close();
                }
            });
        }

        /** Closes everything, whatever is under way. */
        void dispose() {
            retired = true;
            retirePools(_ -> true);
            closeConnections(_ -> true);
        }
    }
}
