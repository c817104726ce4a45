// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import reactor.netty.Connection;
import reactor.netty.tcp.TcpClient;

/**
 * The idle connections of HTTP/1.1 to an upstream; and where there is none, a new one. Has no limit: how many requests an upstream
 * gets is the bulkhead's to say. But so many connections at a time are made, and who comes meanwhile waits for one of them, or
 * for one that is given back: a handshake costs what a dozen requests cost, and when each request that has to wait asked for one,
 * no request would get on.
 */
final class Http1Pool implements UpstreamPool {
    private final TcpClient client;
    private final EventLoop eventLoop;
    private final long longestWait;
    private final long maxIdle;

    /** The one that was used last comes first, so that those which are not needed grow old. */
    private final ArrayDeque<UpstreamConnection> idle = new ArrayDeque<>();

    private final ArrayDeque<Waiter> waiting = new ArrayDeque<>();
    private int connecting;
    private boolean serving;
    private boolean sweeping;
    private boolean retired;

    private record Waiter(
            Consumer<UpstreamConnection> taken,
            Consumer<Throwable> failed,
            BooleanSupplier gone,
            boolean anew,
            long since) {}

    /**
     * @param client connects and proves the peer's identity, on that event loop
     * @param longestWait for the turn to connect; who has waited longer fails as if that had been the connecting
     * @param maxIdle for which a connection is kept without a request under way
     */
    Http1Pool(TcpClient client, EventLoop eventLoop, Duration longestWait, Duration maxIdle) {
        this.client = client;
        this.eventLoop = eventLoop;
        this.longestWait = longestWait.toNanos();
        this.maxIdle = maxIdle.toNanos();
    }

    @Override
    public void acquire(
            Consumer<UpstreamConnection> taken, Consumer<Throwable> failed, BooleanSupplier gone, boolean anew) {
        for (var connection = anew ? null : idle.pollFirst(); connection != null; connection = idle.pollFirst()) {
            if (isReusable(connection)) {
                taken.accept(connection);
                return;
            }
            connection.retire();
        }
        if (connecting < MOST_CONNECTING) {
            connect(taken, failed);
        } else if (retired) {
            failed.accept(new PoolRetired());
        } else {
            waiting.addLast(new Waiter(taken, failed, gone, anew, System.nanoTime()));
        }
    }

    private void connect(Consumer<UpstreamConnection> taken, Consumer<Throwable> failed) {
        connecting++;
        UpstreamPool.connect(client, eventLoop)
                .subscribe(
                        connected -> {
                            connecting--;
                            connected(connected, taken, failed);
                            connectNext();
                        },
                        failure -> {
                            connecting--;
                            failed.accept(retired ? new PoolRetired() : failure);
                            connectNext();
                        });
    }

    private void connectNext() {
        while (connecting < MOST_CONNECTING) {
            var next = waiting.pollFirst();
            if (next == null) {
                return;
            }
            if (next.gone.getAsBoolean()) {
                // Else a client that takes back what it asks for would have all others wait for its handshakes.
                continue;
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
        if (retired) {
            connection.retire();
            failed.accept(new PoolRetired());
            return;
        }
        connection.connected(this);
        taken.accept(connection);
    }

    @Override
    public void retire() {
        retired = true;
        for (var next = waiting.pollFirst(); next != null; next = waiting.pollFirst()) {
            next.failed.accept(new PoolRetired());
        }
    }

    @Override
    public void suspect(UpstreamConnection connection) {
        // It is closed, and served nobody else.
    }

    @Override
    public void release(UpstreamConnection connection) {
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
            while (!idle.isEmpty()) {
                var next = nextForAny();
                if (next == null) {
                    return;
                }
                var connection = idle.removeFirst();
                if (isReusable(connection)) {
                    waiting.remove(next);
                    next.taken.accept(connection);
                } else {
                    connection.retire();
                }
            }
        } finally {
            serving = false;
        }
    }

    /** The first who takes a connection that others have used. */
    private @Nullable Waiter nextForAny() {
        for (var waiters = waiting.iterator(); waiters.hasNext(); ) {
            var waiter = waiters.next();
            if (waiter.gone.getAsBoolean()) {
                waiters.remove();
            } else if (!waiter.anew) {
                return waiter;
            }
        }
        return null;
    }

    private boolean isReusable(UpstreamConnection connection) {
        return connection.isOpen() && System.nanoTime() - connection.reusableUntil(maxIdle, MAX_LIFE) < 0;
    }

    private void sweepLater() {
        var _ = eventLoop.schedule(this::sweep, maxIdle, TimeUnit.NANOSECONDS);
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
