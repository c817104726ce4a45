// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import reactor.netty.Connection;
import reactor.netty.tcp.TcpClient;

/**
 * The idle connections to one upstream under one pin, of one generation of the gateway's identity, on one event loop; and where
 * there is none, a new one. Has no limit: how many requests an upstream gets is the bulkhead's to say. But so many
 * connections at a time are made, and who comes meanwhile waits for one of them, or for one that is given back: a handshake costs what
 * a dozen requests cost, and when each request that has to wait asked for one, no request would get on.
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

    /** Enough for the network's round trips, few enough to leave most of the event loop to requests. */
    private static final int MOST_CONNECTING = 16;

    private final TcpClient client;
    private final EventLoop eventLoop;
    private final long longestWait;

    /** The one that was used last comes first, so that those which are not needed grow old. */
    private final ArrayDeque<UpstreamConnection> idle = new ArrayDeque<>();

    private final ArrayDeque<Waiter> waiting = new ArrayDeque<>();
    private int connecting;
    private boolean serving;
    private boolean sweeping;

    private record Waiter(Consumer<UpstreamConnection> taken, Consumer<Throwable> failed, long since) {}

    /**
     * @param client connects and proves the peer's identity, on that event loop
     * @param longestWait for the turn to connect; who has waited longer fails as if that had been the connecting
     */
    UpstreamPool(TcpClient client, EventLoop eventLoop, Duration longestWait) {
        this.client = client;
        this.eventLoop = eventLoop;
        this.longestWait = longestWait.toNanos();
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
        if (connecting < MOST_CONNECTING) {
            connect(taken, failed);
        } else {
            waiting.addLast(new Waiter(taken, failed, System.nanoTime()));
        }
    }

    private void connect(Consumer<UpstreamConnection> taken, Consumer<Throwable> failed) {
        connecting++;
        client.connect()
                .subscribe(
                        connected -> {
                            connecting--;
                            connected(connected, taken, failed);
                            connectNext();
                        },
                        failure -> {
                            connecting--;
                            failed.accept(failure);
                            connectNext();
                        });
    }

    private void connectNext() {
        while (connecting < MOST_CONNECTING) {
            var next = waiting.pollFirst();
            if (next == null) {
                return;
            }
            if (System.nanoTime() - next.since > longestWait) {
                next.failed.accept(new ConnectTimeoutException("no turn to connect"));
            } else {
                connect(next.taken, next.failed);
            }
        }
    }

    private void connected(Connection connected, Consumer<UpstreamConnection> taken, Consumer<Throwable> failed) {
        var connection = UpstreamConnection.on(connected.channel());
        if (connection == null) {
            // Closed at this very moment, its handlers are gone.
            failed.accept(new ClosedChannelException());
            return;
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
        serveWaiting();
        if (!sweeping) {
            sweeping = true;
            sweepLater();
        }
    }

    // Not by calling itself: whoever does not want a connection any more gives it back at once.
    private void serveWaiting() {
        if (serving) {
            return;
        }
        serving = true;
        try {
            while (!waiting.isEmpty() && !idle.isEmpty()) {
                var connection = idle.removeFirst();
                if (isReusable(connection)) {
                    waiting.removeFirst().taken.accept(connection);
                } else {
                    connection.retire();
                }
            }
        } finally {
            serving = false;
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
