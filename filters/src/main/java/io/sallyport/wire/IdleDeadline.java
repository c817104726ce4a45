// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import reactor.netty.channel.ChannelOperations;

/**
 * Closes a connection on which nothing has been sent to the client for the idle time-out, and nobody waits for anything: no
 * head is coming in, no request is being served. One timer for each connection, which is not touched while requests come and go; Reactor
 * Netty's own time-out is a handler that comes and goes with each of them.
 */
@SuppressWarnings("FutureReturnValueIgnored") // there is nothing left to do for a connection that will not close
final class IdleDeadline extends ChannelOutboundHandlerAdapter implements Runnable {
    private static final String NAME = "sallyport.idle-deadline";

    private final Channel connection;
    private final long timeout;
    private final IntSupplier headUnderWay;

    private long lastFlush = System.nanoTime();
    private @Nullable Future<?> timer;

    private IdleDeadline(Channel connection, Duration timeout, IntSupplier headUnderWay) {
        this.connection = connection;
        this.timeout = timeout.toNanos();
        this.headUnderWay = headUnderWay;
    }

    /**
     * Watches a new connection. On its event loop.
     *
     * @param headUnderWay not zero while the head of a request is coming in; that has a time-out of its own
     */
    static void watch(Channel connection, Duration timeout, IntSupplier headUnderWay) {
        connection.pipeline().addFirst(NAME, new IdleDeadline(connection, timeout, headUnderWay));
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
        if (isBusy()) {
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

    private boolean isBusy() {
        if (headUnderWay.getAsInt() != 0 || ChannelOperations.get(connection) != null) {
            return true;
        }
        var http1 = Http1Requests.of(connection);
        if (http1 != null) {
            return http1.isAnswering();
        }
        var http2 = connection.pipeline().get(Http2FrameCodec.class);
        return http2 != null && http2.connection().numActiveStreams() > 0;
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
