// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.sallyport.decision.Reason;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Gives a request's head a time to arrive in, from its first byte on, however many bytes come meanwhile: a head that trickles in
 * is how slow-request attacks hold connections. Behind the {@link FramingGuard}, which knows where a head begins and ends; costs
 * nothing while heads come in one piece. HTTP/1.x only.
 */
final class HeadDeadline extends ChannelInboundHandlerAdapter {
    private final FramingGuard guard;
    private final Duration timeout;
    private final IngressHandler handler;
    private @Nullable Future<?> timer;
    private boolean passed;

    HeadDeadline(FramingGuard guard, Duration timeout, IngressHandler handler) {
        this.guard = guard;
        this.timeout = timeout;
        this.handler = handler;
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
        if (guard.isInHead()) {
            if (timer == null) {
                timer = context.executor().schedule(() -> pass(context), timeout.toMillis(), TimeUnit.MILLISECONDS);
            }
        } else {
            cancel();
        }
        context.fireChannelReadComplete();
    }

    private void pass(ChannelHandlerContext context) {
        passed = true;
        handler.refuseBytes(context, Reason.EDGE_REQUEST_TIMEOUT, false);
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
