// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Gives a request's head a time to arrive in, from its first byte on, however many bytes come meanwhile: a head that trickles in
 * is how slow-request attacks hold connections. Behind the {@link FramingGuard} or {@link Http2FrameGuard}, which knows where a
 * head begins and ends; costs nothing while heads come in one piece.
 */
public final class HeadDeadline extends ChannelInboundHandlerAdapter {
    private final IntSupplier headUnderWay;
    private final Duration timeout;
    private final Consumer<ChannelHandlerContext> onPassed;

    @SuppressWarnings("NullAway.Init") // set before anything is read
    private ChannelHandlerContext here;

    private @Nullable Future<?> timer;
    private int watched;
    private boolean paused;
    private boolean passed;

    /**
     * @param headUnderWay another number for each head, or zero while none is coming in
     * @param onPassed ends the connection
     */
    public HeadDeadline(IntSupplier headUnderWay, Duration timeout, Consumer<ChannelHandlerContext> onPassed) {
        this.headUnderWay = headUnderWay;
        this.timeout = timeout;
        this.onPassed = onPassed;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        here = context;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (passed) {
            ReferenceCountUtil.release(message);
        } else {
            context.fireChannelRead(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        int head = headUnderWay.getAsInt();
        if (head != watched) {
            watched = head;
            schedule();
        }
        context.fireChannelReadComplete();
    }

    /** Stops the clock while it is we who do not read on, and starts it anew. On the connection's event loop. */
    public void pause(boolean paused) {
        this.paused = paused;
        schedule();
    }

    private void schedule() {
        cancel();
        if (watched != 0 && !paused) {
            timer = here.executor().schedule(this::pass, timeout.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void pass() {
        passed = true;
        onPassed.accept(here);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        cancel();
        context.fireChannelInactive();
    }

    private void cancel() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }
}
