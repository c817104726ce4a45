// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Closes a connection whose client is still sending so that it can read our answer: first our direction, then, when the client
 * has seen that or soon after, the rest. A plain close with unread bytes makes the kernel send a reset, on which a client throws
 * away what it has received (RFC 9112 section 9.6).
 *
 * <p>First in the pipeline, where a close arrives when TLS has said its close_notify. What comes in meanwhile is dropped.
 */
@SuppressWarnings("FutureReturnValueIgnored") // promises are handed on, and their owners watch them
public final class LingeringClose extends ChannelDuplexHandler {
    private static final String NAME = "sallyport.lingering-close";

    /** Long enough for a round trip to the client, short enough to be no way of holding connections. */
    private static final Duration AT_MOST = Duration.ofSeconds(2);

    private boolean lingering;
    private @Nullable Future<?> deadline;

    private LingeringClose() {}

    /** Makes the next close of this connection a lingering one. On its event loop; again is harmless. */
    public static void arm(Channel channel) {
        if (channel.pipeline().get(NAME) == null) {
            channel.pipeline().addFirst(NAME, new LingeringClose());
        }
    }

    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        if (lingering) {
            // Somebody else wants it closed too: they hear when it is.
            context.channel().closeFuture().addListener(_ -> promise.trySuccess());
            return;
        }
        if (!(context.channel() instanceof DuplexChannel duplex) || !duplex.isActive()) {
            context.close(promise);
            return;
        }
        lingering = true;
        // Whoever ends it in the end: the client, or the deadline.
        context.channel().closeFuture().addListener(_ -> promise.trySuccess());
        deadline = context.executor().schedule(() -> context.close(), AT_MOST.toMillis(), TimeUnit.MILLISECONDS);
        duplex.shutdownOutput().addListener(shutdown -> {
            if (shutdown.isSuccess()) {
                context.read();
            } else {
                context.close();
            }
        });
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (lingering) {
            ReferenceCountUtil.release(message);
        } else {
            context.fireChannelRead(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (lingering) {
            context.read();
        } else {
            context.fireChannelReadComplete();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (deadline != null) {
            deadline.cancel(false);
        }
        context.fireChannelInactive();
    }
}
