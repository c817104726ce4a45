// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import reactor.netty.Connection;
import reactor.netty.tcp.TcpClient;

/**
 * The idle connections to one upstream under one pin, of one generation of the gateway's identity, on one event loop; and where
 * there is none, a new one. Has no queue and no limit: how many requests an upstream gets is the bulkhead's to say.
 *
 * <p>Confined to its event loop.
 */
final class UpstreamPool {
    // Shorter than what servers keep idle connections for, 5 s at the least: a request that meets its connection's end
    // is a 502,
    // for it is not repeated.
    private static final long MAX_IDLE = Duration.ofSeconds(4).toNanos();

    // A peer is verified when it is connected to; not too long before it is used.
    private static final long MAX_LIFE = Duration.ofMinutes(10).toNanos();

    private final TcpClient client;
    private final EventLoop eventLoop;

    /** The one that was used last comes first, so that those which are not needed grow old. */
    private final ArrayDeque<UpstreamConnection> idle = new ArrayDeque<>();

    private boolean sweeping;

    /** @param client connects and proves the peer's identity, on that event loop */
    UpstreamPool(TcpClient client, EventLoop eventLoop) {
        this.client = client;
        this.eventLoop = eventLoop;
    }

    /**
     * Finds a connection or makes one.
     *
     * @param taken gets it, at once or later; whoever does not need it any more by then gives it back by {@link #release}
     * @param failed gets the reason why there is none
     */
    void acquire(Consumer<UpstreamConnection> taken, Consumer<Throwable> failed) {
        for (var connection = idle.pollFirst(); connection != null; connection = idle.pollFirst()) {
            if (isReusable(connection)) {
                taken.accept(connection);
                return;
            }
            connection.retire();
        }
        client.connect().subscribe(connected -> connected(connected, taken), failed);
    }

    private void connected(Connection connected, Consumer<UpstreamConnection> taken) {
        var connection = UpstreamConnection.on(connected.channel());
        if (connection == null) {
            // Closed at this very moment, its handlers are gone.
            throw new IllegalStateException("a connection without its handler");
        }
        connection.connected(this);
        taken.accept(connection);
    }

    /** Takes back a connection that has nothing under way. */
    void release(UpstreamConnection connection) {
        if (!connection.isOpen()) {
            connection.retire();
            return;
        }
        idle.addFirst(connection);
        if (!sweeping) {
            sweeping = true;
            sweepLater();
        }
    }

    private static boolean isReusable(UpstreamConnection connection) {
        return connection.isOpen() && System.nanoTime() - connection.reusableUntil(MAX_IDLE, MAX_LIFE) < 0;
    }

    private void sweepLater() {
        var _ = eventLoop.schedule(this::sweep, MAX_IDLE, TimeUnit.NANOSECONDS);
    }

    private void sweep() {
        idle.removeIf(connection -> {
            var over = !isReusable(connection);
            if (over) {
                connection.retire();
            }
            return over;
        });
        sweeping = !idle.isEmpty();
        if (sweeping) {
            sweepLater();
        }
    }
}
