// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.buffer.ByteBufHolder;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.edge.BodyLimit;
import io.sallyport.wire.framing.Http2MessageGuard;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;
import reactor.netty.NettyPipeline;

/**
 * Watches one request's body on its way from the codec to whoever forwards it: ends the exchange when the body grows past the
 * route's limit, or stands still while it is being waited for. Counts what {@code Content-Length} announced and what it did not.
 *
 * <p>Behind the handler that holds back pipelined requests, so that it sees the bytes of its own request alone.
 *
 * <p>On HTTP/2 a body ends with its stream, whatever its {@code Content-Length} says, and may still turn out malformed when it is
 * as long as that: its last piece is held back until then, for an upstream would take it for the end.
 */
final class BodyWatch extends ChannelInboundHandlerAdapter implements Runnable {
    private static final String NAME = "sallyport.body-watch";

    private static final Denial TOO_LARGE = new Denial.Rejected(Reason.EDGE_BODY_TOO_LARGE);
    private static final Denial TOO_LATE = new Denial.Rejected(Reason.EDGE_REQUEST_TIMEOUT);
    private static final Denial.Rejected MALFORMED = new Denial.Rejected(Reason.EDGE_BODY_MALFORMED);

    private static final long NEVER = -1;

    /** Less than this within one time-out is no progress: one byte now and then is how a slow-body attack holds a request. */
    private static final DataSize PROGRESS = DataSize.ofKilobytes(1);

    private final ServerExchange exchange;
    private final Channel channel;
    private final @Nullable Duration timeout;
    private final BodyLimit limit;
    private final long holdBackAt;

    private @Nullable HttpContent heldBack;
    private long received;
    private long receivedBefore;
    private boolean stopped;
    private @Nullable Future<?> tick;

    private BodyWatch(
            ServerExchange exchange, Channel channel, BodyLimit limit, @Nullable Duration timeout, long holdBackAt) {
        this.exchange = exchange;
        this.channel = channel;
        this.timeout = timeout;
        this.limit = limit;
        this.holdBackAt = holdBackAt;
    }

    /**
     * Begins to watch; on the channel's event loop, before any of the body has been read.
     *
     * @param timeout null if the body may stand still for as long as the exchange lasts
     */
    static BodyWatch start(
            ServerExchange exchange, Channel channel, HttpHeaders head, BodyLimit limit, @Nullable Duration timeout) {
        var length = channel instanceof Http2StreamChannel ? head.get(HttpHeaderNames.CONTENT_LENGTH) : null;
        var watch = new BodyWatch(exchange, channel, limit, timeout, length == null ? NEVER : Long.parseLong(length));
        channel.pipeline().addBefore(NettyPipeline.ReactiveBridge, NAME, watch);
        watch.scheduleTick();
        return watch;
    }

    /** Watches no longer. */
    void stop() {
        if (stopped) {
            return;
        }
        stopped = true;
        if (tick != null) {
            tick.cancel(false);
        }
        if (channel.pipeline().context(this) != null) {
            channel.pipeline().remove(this);
        }
    }

    private void scheduleTick() {
        if (timeout != null) {
            tick = channel.eventLoop().schedule(this, timeout.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void run() {
        // Nobody reads while the upstream is slower than the client, or not connected yet: then the client is not to
        // blame.
        if (channel.config().isAutoRead() && received - receivedBefore < PROGRESS.toBytes()) {
            exchange.fail(TOO_LATE);
            return;
        }
        receivedBefore = received;
        scheduleTick();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof ByteBufHolder content) {
            received += content.content().readableBytes();
            if (received > limit.bytes()) {
                ReferenceCountUtil.release(message);
                exchange.fail(TOO_LARGE);
                return;
            }
        }
        if (message instanceof LastHttpContent) {
            passHeldBack(context);
            stop();
            exchange.bodyReceived();
        } else if (received == holdBackAt && message instanceof HttpContent piece) {
            holdBack(context, piece);
            return;
        }
        context.fireChannelRead(message);
    }

    private void holdBack(ChannelHandlerContext context, HttpContent piece) {
        if (heldBack == null) {
            heldBack = piece;
        } else {
            // As long as it was said to be already, so this one is empty.
            piece.release();
        }
        context.read();
    }

    private void passHeldBack(ChannelHandlerContext context) {
        if (heldBack != null) {
            context.fireChannelRead(heldBack);
            heldBack = null;
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        if (heldBack != null) {
            heldBack.release();
            heldBack = null;
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof Http2MessageGuard.Broken) {
            exchange.breakOff(MALFORMED);
        }
        context.fireUserEventTriggered(event);
    }
}
