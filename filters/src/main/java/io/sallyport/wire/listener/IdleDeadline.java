// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Closes a connection on which nothing has been sent to the client for the idle time-out, and nobody waits for anything: no
 * head is coming in, no request is being served. One timer for each connection, which is not touched while requests come and go.
 */
@SuppressWarnings("FutureReturnValueIgnored") // there is nothing left to do for a connection that will not close
final class IdleDeadline extends ChannelOutboundHandlerAdapter implements Runnable {
    private static final String NAME = "sallyport.idle-deadline";

    private final Channel connection;
    private final long timeout;

    /** Whether a request is coming in or being answered; known when the protocol is. */
    private BooleanSupplier busy = () -> false;

    private long lastFlush = System.nanoTime();
    private @Nullable Future<?> timer;

    private IdleDeadline(Channel connection, Duration timeout) {
        this.connection = connection;
        this.timeout = timeout.toNanos();
    }

    /** Watches a new connection. On its event loop. */
    static IdleDeadline watch(Channel connection, Duration timeout) {
        var deadline = new IdleDeadline(connection, timeout);
        connection.pipeline().addFirst(NAME, deadline);
        return deadline;
    }

    /** @param busy whether a request is coming in, which has a time-out of its own, or being answered */
    void unless(BooleanSupplier busy) {
        this.busy = busy;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        schedule(timeout);
    }

    @Override
    public void flush(ChannelHandlerContext context) {
        lastFlush = System.nanoTime();
        context.flush();
    }

    @Override
    public void run() {
        if (busy.getAsBoolean()) {
            // What ends it is flushed, and counts from there.
            schedule(timeout);
            return;
        }
        long left = timeout - (System.nanoTime() - lastFlush);
        if (left > 0) {
            schedule(left);
        } else {
            connection.close();
        }
    }

    private void schedule(long nanos) {
        timer = connection.eventLoop().schedule(this, nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        if (timer != null) {
            timer.cancel(false);
        }
    }
}
