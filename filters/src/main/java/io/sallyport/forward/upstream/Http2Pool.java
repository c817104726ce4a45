// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import reactor.netty.Connection;
import reactor.netty.tcp.TcpClient;

/**
 * The connections of HTTP/2 to an upstream, in the order in which they were made: a request gets a stream of the first that has
 * room for one, so that the later ones grow idle. Where none has, as many are made as the waiting requests need by what the
 * upstream takes on one. An upstream that takes none for the time being is waited for.
 */
final class Http2Pool implements UpstreamPool {
    /** Connecting may take as long as the route says, and the TLS handshake again. */
    private static final int PHASES = 2;

    private final TcpClient client;
    private final EventLoop eventLoop;
    private final Duration patience;
    private final long maxIdle;

    private final List<Http2Carrier> carriers = new ArrayList<>();
    private final ArrayDeque<Waiter> waiting = new ArrayDeque<>();
    private int connecting;
    private int streamsOfOne = Http2Carrier.MOST_STREAMS;
    private boolean serving;
    private boolean sweeping;
    private boolean retired;

    /** One request. */
    private final class Waiter implements Runnable {
        private final Consumer<UpstreamConnection> taken;
        private final Consumer<Throwable> failed;
        private final BooleanSupplier gone;
        private final boolean anew;
        private final long since = System.nanoTime();
        private final Future<?> timer;

        Waiter(Consumer<UpstreamConnection> taken, Consumer<Throwable> failed, BooleanSupplier gone, boolean anew) {
            this.taken = taken;
            this.failed = failed;
            this.gone = gone;
            this.anew = anew;
            this.timer = eventLoop.schedule(this, PHASES * patience.toNanos(), TimeUnit.NANOSECONDS);
        }

        boolean takes(Http2Carrier carrier) {
            return !anew || carrier.isMadeSince(since);
        }

        void take(UpstreamConnection connection) {
            timer.cancel(false);
            taken.accept(connection);
        }

        /** Whether nobody waits any more; then it is to be forgotten. */
        boolean hasGone() {
            if (gone.getAsBoolean()) {
                timer.cancel(false);
                return true;
            }
            return false;
        }

        void fail(Throwable why) {
            timer.cancel(false);
            failed.accept(why);
        }

        @Override
        public void run() {
            if (waiting.remove(this)) {
                failed.accept(new ConnectTimeoutException("no room for another stream"));
            }
        }
    }

    /**
     * @param client connects and proves the peer's identity, on that event loop
     * @param patience how long each phase of connecting may take
     * @param maxIdle for which a connection is kept without a request under way
     */
    Http2Pool(TcpClient client, EventLoop eventLoop, Duration patience, Duration maxIdle) {
        this.client = client;
        this.eventLoop = eventLoop;
        this.patience = patience;
        this.maxIdle = maxIdle.toNanos();
    }

    @Override
    public void acquire(
            Consumer<UpstreamConnection> taken, Consumer<Throwable> failed, BooleanSupplier gone, boolean anew) {
        var connection = waiting.isEmpty() && !anew ? open(null) : null;
        if (connection != null) {
            taken.accept(connection);
        } else if (retired) {
            failed.accept(new PoolRetired());
        } else {
            waiting.addLast(new Waiter(taken, failed, gone, anew));
            connectAsNeeded();
        }
    }

    /** @param next who has waited for it; null if nobody has */
    private @Nullable UpstreamConnection open(@Nullable Waiter next) {
        for (var carrier : carriers) {
            if ((next == null || next.takes(carrier)) && carrier.hasRoom() && !carrier.isOld(maxIdle, MAX_LIFE)) {
                return carrier.open(this);
            }
        }
        return null;
    }

    private void connectAsNeeded() {
        if (carriers.stream().anyMatch(carrier -> carrier.limit() == 0)) {
            return;
        }
        while (connecting < MOST_CONNECTING && waiting.size() > connecting * streamsOfOne) {
            connecting++;
            UpstreamPool.connect(client, eventLoop).subscribe(this::connected, this::connectFailed);
        }
    }

    private void connected(Connection connected) {
        var carrier = Http2Carrier.on(connected.channel());
        if (carrier == null) {
            // Closed at this very moment, its handlers are gone.
            connectFailed(new ClosedChannelException());
        } else {
            carrier.connected(this, patience);
        }
    }

    /** The upstream's settings are known. */
    void ready(Http2Carrier carrier) {
        connecting--;
        carriers.add(carrier);
        streamsOfOne = Math.max(1, carrier.limit());
        serve();
        if (!sweeping) {
            sweeping = true;
            sweepLater();
        }
    }

    /**
     * A connection has ended.
     *
     * @param wasReady false if it could never be used
     */
    void ended(Http2Carrier carrier, boolean wasReady, Throwable why) {
        if (wasReady) {
            carriers.remove(carrier);
            mayHaveRoom();
        } else {
            connectFailed(why);
        }
    }

    private void connectFailed(Throwable why) {
        connecting--;
        if (connecting == 0) {
            failAll(retired ? new PoolRetired() : why);
        }
    }

    private void failAll(Throwable why) {
        var failing = List.copyOf(waiting);
        waiting.clear();
        for (var waiter : failing) {
            waiter.fail(why);
        }
    }

    /** There may be room for another stream, or need of another connection. */
    void mayHaveRoom() {
        if (!waiting.isEmpty()) {
            // Later: the codec is telling of a stream, and is not to be asked for another meanwhile.
            eventLoop.execute(this::serve);
        }
    }

    private void serve() {
        if (serving) {
            return;
        }
        serving = true;
        try {
            waiting.removeIf(Waiter::hasGone);
            while (!waiting.isEmpty()) {
                var connection = open(waiting.getFirst());
                if (connection == null) {
                    connectAsNeeded();
                    return;
                }
                waiting.removeFirst().take(connection);
            }
        } finally {
            serving = false;
        }
    }

    @Override
    public void release(UpstreamConnection connection) {
        connection.retire();
    }

    @Override
    public void suspect(UpstreamConnection connection) {
        var carrier = Http2Carrier.on(connection.channel().parent());
        if (carrier != null) {
            carrier.retire();
        }
    }

    @Override
    public void retire() {
        retired = true;
        failAll(new PoolRetired());
    }

    private void sweepLater() {
        var _ = eventLoop.schedule(this::sweep, maxIdle, TimeUnit.NANOSECONDS);
    }

    private void sweep() {
        for (var carrier : List.copyOf(carriers)) {
            if (carrier.isOld(maxIdle, MAX_LIFE)) {
                carrier.retire();
            }
        }
        sweeping = !carriers.isEmpty();
        if (sweeping) {
            sweepLater();
        }
    }
}
