// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.http2;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.util.ReferenceCountUtil;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.Tunnel;
import io.sallyport.wire.exchange.Abort;
import io.sallyport.wire.exchange.ClientConnection;
import io.sallyport.wire.exchange.ConnectionFacts;
import io.sallyport.wire.exchange.Exchange;
import io.sallyport.wire.exchange.IngressHandler;
import io.sallyport.wire.exchange.WireRequestHead;
import io.sallyport.wire.framing.Http2MessageGuard;
import org.jspecify.annotations.Nullable;

/** One stream of HTTP/2, which is one request and its response. Behind a codec that makes messages of its frames. */
@SuppressWarnings("FutureReturnValueIgnored") // a write fails with its stream, whose end is noticed elsewhere
final class Http2ClientStream extends ChannelInboundHandlerAdapter implements ClientConnection {
    private static final Denial.Rejected MALFORMED_BODY = new Denial.Rejected(Reason.EDGE_BODY_MALFORMED);
    private static final Denial.Rejected MALFORMED = new Denial.Rejected(Reason.EDGE_PROTOCOL_ERROR);

    private final Http2ClientConnection connection;
    private final IngressHandler handler;

    /** Its neighbours in the connection's list. */
    @Nullable
    Http2ClientStream older;

    @Nullable
    Http2ClientStream newer;

    @SuppressWarnings("NullAway.Init") // set before anything is read
    private ChannelHandlerContext context;

    private @Nullable Exchange exchange;

    Http2ClientStream(Http2ClientConnection connection, IngressHandler handler) {
        this.connection = connection;
        this.handler = handler;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        this.context = context;
        connection.opened(this);
    }

    @Override
    public ChannelHandlerContext context() {
        return context;
    }

    @Override
    public boolean knowsChunks() {
        return true;
    }

    void goAway() {
        if (exchange != null) {
            exchange.goAway();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        switch (message) {
            case HttpRequest request when exchange == null -> begin(request);
            case HttpContent content when exchange != null -> exchange.read(content);
            default -> ReferenceCountUtil.release(message);
        }
    }

    private void begin(HttpRequest request) {
        var begun = handler.open(WireRequestHead.ofStream(request, ConnectionFacts.of(context.channel())), this);
        exchange = begun;
        // Of a request that ends with its head, the codec makes a message with an empty body.
        ReferenceCountUtil.release(request);
        begun.begin();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (exchange != null) {
            exchange.readComplete();
        }
        bodyWantedChanged();
    }

    @Override
    public void bodyWantedChanged() {
        if (exchange != null) {
            context.channel().config().setAutoRead(!exchange.isReceiving() || exchange.wantsBody());
        }
    }

    @Override
    public boolean beginResponse(HttpHeaders head, boolean unread) {
        return unread;
    }

    @Override
    public void finished(boolean unread) {
        if (unread) {
            // After the response: a reset overtakes data that flow control still holds back. Not with the void promise:
            // the stream may
            // have ended meanwhile, and that would be logged as an error.
            context.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.NO_ERROR));
        }
    }

    @Override
    public void abort() {
        Abort.stream(context.channel());
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (exchange != null) {
            exchange.writabilityChanged();
        }
    }

    @Override
    public boolean awaitSwitch(Runnable wentOn) {
        return false;
    }

    @Override
    public void leaveHttp(Tunnel tunnel) {
        throw new IllegalStateException("a stream of HTTP/2 switches to no other protocol");
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof Http2MessageGuard.Broken && exchange != null && exchange.isReceiving()) {
            exchange.breakOff(MALFORMED_BODY);
        }
        ReferenceCountUtil.release(event);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        connection.closed(this);
        if (exchange != null) {
            exchange.clientGone();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (exchange != null) {
            exchange.fail(cause);
        } else {
            // The frames of a head that no message can be made of.
            handler.recordUnread(MALFORMED, context.channel(), true);
            context.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.PROTOCOL_ERROR));
            context.close();
        }
    }
}
