// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.util.ArrayList;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The pools of one identity of the gateway, by upstream, pin and event loop, with all connections that were opened for them. Safe
 * for use by any thread.
 */
final class IdentityPools {
    private final UpstreamDialer dialer;
    private final @Nullable UpstreamTls tls;
    private final ConcurrentMap<PoolKey, UpstreamPool> pools = new ConcurrentHashMap<>();
    private final ConcurrentMap<UpstreamPeer, ChannelGroup> channels = new ConcurrentHashMap<>();
    private volatile boolean retired;

    private record PoolKey(UpstreamPeer peer, EventLoop eventLoop) {
        @Override
        public int hashCode() {
            return 31 * peer.hashCode() + eventLoop.hashCode();
        }
    }

    /** @param tls null for upstreams that are reached in plaintext */
    IdentityPools(UpstreamDialer dialer, @Nullable UpstreamTls tls) {
        this.dialer = dialer;
        this.tls = tls;
    }

    /** @throws ForwardFailure {@code forward.svid_missing} if TLS cannot use the identity */
    UpstreamPool pool(UpstreamPeer peer, EventLoop eventLoop) {
        var key = new PoolKey(peer, eventLoop);
        var pool = pools.get(key);
        return pool != null ? pool : pools.computeIfAbsent(key, this::newPool);
    }

    private UpstreamPool newPool(PoolKey key) {
        var peer = key.peer;
        var opened = channels.computeIfAbsent(peer, _ -> new DefaultChannelGroup(GlobalEventExecutor.INSTANCE));
        var client = dialer.client(peer, key.eventLoop, opened, tls);
        return switch (peer.protocol()) {
            case HTTP1 -> new Http1Pool(client, key.eventLoop, peer.connectTimeout(), peer.idleTimeout());
            case H2 -> new Http2Pool(client, key.eventLoop, peer.connectTimeout(), peer.idleTimeout());
        };
    }

    /** Whether nothing is under way any more, and nothing will be. */
    boolean isOver() {
        return retired && channels.values().stream().allMatch(ChannelGroup::isEmpty);
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

    /**
     * Forgets those peers' pools, so that their next requests get new connections. Closes the connections that are idle now, and each
     * other one when its answer has ended.
     *
     * @return what closes the rest of them
     */
    Runnable renew(Predicate<UpstreamPeer> peers) {
        var forgotten = new ArrayList<ChannelGroup>();
        pools.forEach((key, pool) -> {
            if (peers.test(key.peer) && pools.remove(key, pool)) {
                on(key.eventLoop, pool::retire);
            }
        });
        channels.forEach((peer, group) -> {
            if (peers.test(peer) && channels.remove(peer, group)) {
                group.forEach(IdentityPools::retireConnection);
                forgotten.add(group);
            }
        });
        return () -> forgotten.forEach(group -> {
            var _ = group.close();
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
