// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.http1;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.edge.HeadLimits;
import io.sallyport.forward.Tunnel;
import io.sallyport.wire.answer.DenialResponse;
import io.sallyport.wire.exchange.Abort;
import io.sallyport.wire.exchange.ClientConnection;
import io.sallyport.wire.exchange.ConnectionFacts;
import io.sallyport.wire.exchange.Exchange;
import io.sallyport.wire.exchange.IngressHandler;
import io.sallyport.wire.exchange.LingeringClose;
import io.sallyport.wire.exchange.WireRequestHead;
import io.sallyport.wire.framing.FramingGuard;
import io.sallyport.wire.framing.HeadDeadline;
import io.sallyport.wire.framing.Malformed;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One connection of HTTP/1.1 or HTTP/1.0, behind its codec. The only class that knows whose turn the connection is: a request begins when
 * the one before it has its answer and has been read, and until then what follows it is held and no more is read.
 *
 * <p>Bytes that are no message have their turn like a request ({@link Malformed}): they are answered when everything before them has
 * been, and are the last.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write fails with its connection, whose end is noticed elsewhere
public final class Http1Connection extends ChannelDuplexHandler implements ClientConnection {
    /** By how much the codec allows more than we do: a limit of ours is then always met first, with our answer and a record. */
    private static final int SLACK = 1024;

    private final IngressHandler handler;
    private final FramingGuard guard;
    private final HeadDeadline headDeadline;
    private final HttpServerCodec codec;

    @SuppressWarnings("NullAway.Init") // set before anything is read
    private ChannelHandlerContext context;

    /** The exchange whose turn it is. */
    private @Nullable Exchange current;

    /** What has been read behind its request. */
    private final ArrayDeque<Object> held = new ArrayDeque<>(0);

    /** Some of the newest request that was begun is still to come. */
    private boolean receiving;

    /** How many requests have begun. */
    private int begun;

    private boolean http10;

    /** The client wants the connection to end with the answer to the current request. */
    private boolean last;

    /** No more requests are taken: the connection ends with the answer that is under way, or has become a tunnel's. */
    private boolean ending;

    /** The gateway stops, or the connection is idle: it ends when no request is under way. */
    private boolean closing;

    private boolean switched;

    /** A message is being dealt with: what is held has to wait for that. */
    private boolean busy;

    /** Nothing is read: requests wait for their turn, a body is not wanted, or the client does not take its answers. */
    private boolean paused;

    private Http1Connection(
            IngressHandler handler, FramingGuard guard, HeadDeadline headDeadline, HttpServerCodec codec) {
        this.handler = handler;
        this.guard = guard;
        this.headDeadline = headDeadline;
        this.codec = codec;
    }

    /**
     * Puts all that reads HTTP/1.x where the decrypted bytes of a new connection arrive. On its event loop, before anything is read.
     *
     * @param before the name of the handler in front of which they go, behind TLS
     * @param headTimeout within which a head has to arrive
     */
    public static Http1Connection install(
            ChannelPipeline pipeline, String before, IngressHandler handler, HeadLimits limits, Duration headTimeout) {
        var guard = new FramingGuard(limits);
        var headDeadline = new HeadDeadline(
                guard::headUnderWay,
                headTimeout,
                here -> here.fireChannelRead(new Malformed(Reason.EDGE_REQUEST_TIMEOUT, false)));
        var codec = new HttpServerCodec(
                new HttpDecoderConfig()
                        .setMaxInitialLineLength(limits.maxRequestLine() + SLACK)
                        .setMaxHeaderSize(limits.maxHeaders() + SLACK)
                        .setValidateHeaders(true)
                        .setAllowDuplicateContentLengths(false),
                // How much is read ahead is ours to limit: by not reading on.
                Integer.MAX_VALUE);
        var connection = new Http1Connection(handler, guard, headDeadline, codec);
        pipeline.addBefore(before, "sallyport.framing-guard", guard)
                .addBefore(before, "sallyport.head-deadline", headDeadline)
                .addBefore(before, "sallyport.http1-codec", codec)
                .addBefore(before, "sallyport.http1", connection);
        return connection;
    }

    /** Whether a request is coming in or being answered. */
    public boolean isBusy() {
        return current != null || guard.headUnderWay() != 0;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        this.context = context;
    }

    @Override
    public ChannelHandlerContext context() {
        return context;
    }

    @Override
    public boolean knowsChunks() {
        return !http10;
    }

    // What the client sends

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (ending && !receiving) {
            ReferenceCountUtil.release(message);
        } else if (busy || !held.isEmpty() || !isNext(message)) {
            held.add(message);
            pauseOrResume();
        } else {
            take(message);
            takeHeld();
        }
    }

    /** Whether it is that message's turn. */
    private boolean isNext(Object message) {
        return current == null
                || (receiving && !(message instanceof HttpRequest))
                || (message instanceof Malformed malformed && malformed.inBody());
    }

    private void takeHeld() {
        for (var next = held.peek(); next != null && !busy && isNext(next); next = held.peek()) {
            held.remove();
            take(next);
        }
    }

    private void take(Object message) {
        busy = true;
        try {
            switch (message) {
                case HttpRequest request when takesRequests() -> begin(request);
                case HttpContent content when receiving -> read(content);
                case Malformed malformed when takesRequests() || current != null -> refuse(malformed);
                default -> ReferenceCountUtil.release(message);
            }
        } finally {
            busy = false;
        }
    }

    /** Not when the client has gone: the codec makes a request even of a head that was broken off. */
    private boolean takesRequests() {
        return !ending && context.channel().isActive();
    }

    private void begin(HttpRequest request) {
        if (request.decoderResult().isFailure()) {
            // The guard has let it pass: whoever of the two is wrong, it has more than one reading.
            refuse(new Malformed(Reason.EDGE_PROTOCOL_ERROR, false));
            return;
        }
        begun++;
        receiving = !(request instanceof LastHttpContent);
        http10 = !request.protocolVersion().equals(HttpVersion.HTTP_1_1);
        last = http10 || !HttpUtil.isKeepAlive(request);
        var exchange = handler.open(WireRequestHead.of(request, ConnectionFacts.of(context.channel())), this);
        current = exchange;
        exchange.begin();
    }

    private void read(HttpContent content) {
        receiving = !(content instanceof LastHttpContent);
        if (current == null) {
            content.release();
        } else {
            current.read(content);
            if (current != null && current.holdsTooMuch()) {
                pauseOrResume();
            }
        }
    }

    private void refuse(Malformed malformed) {
        var denial = new Denial.Rejected(malformed.reason());
        if (malformed.inBody()) {
            // The request that they belong to may have had its answer and its outcome: then nobody waits for another.
            if (current != null) {
                current.refuse(denial);
            }
            return;
        }
        ending = true;
        var refused = handler.recordUnread(denial, context.channel(), false);
        var response = DenialResponse.of(denial, refused, context.alloc());
        response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        LingeringClose.arm(context.channel());
        context.writeAndFlush(response).addListener(_ -> context.close());
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        allTaken();
        context.fireChannelReadComplete();
    }

    /** All that had arrived, and whose turn it is, has been passed on. */
    private void allTaken() {
        if (current != null) {
            current.readComplete();
        }
        pauseOrResume();
    }

    /** As far as is needed to notice that the client leaves, and no further than what it has asked for. */
    private void pauseOrResume() {
        var channel = context.channel();
        if (switched || !channel.isActive()) {
            return;
        }
        boolean stop = (current != null && receiving)
                ? !current.wantsBody()
                : !ending && (!held.isEmpty() || (current == null && !channel.isWritable()));
        if (stop != paused) {
            paused = stop;
            // The client is not late with a head that we do not read: it has another time-out for what it does not
            // take.
            headDeadline.pause(stop);
            channel.config().setAutoRead(!stop);
        }
    }

    @Override
    public void bodyWantedChanged() {
        if (!busy) {
            pauseOrResume();
        }
    }

    // What the client is sent

    @Override
    public boolean beginResponse(HttpHeaders head, boolean unread) {
        ending = last || closing || unread;
        if (ending) {
            head.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
        return ending;
    }

    @Override
    public void finished(boolean unread) {
        current = null;
        if (!context.channel().isActive()) {
            return;
        }
        if (unread || ending || closing) {
            ending = true;
            // Whatever the client has been told, it may have sent more before.
            LingeringClose.arm(context.channel());
            context.close();
        }
        takeHeld();
        if (!busy) {
            allTaken();
        }
    }

    @Override
    public void abort() {
        Abort.connection(context.channel());
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (current != null) {
            current.writabilityChanged();
        }
        pauseOrResume();
        context.fireChannelWritabilityChanged();
    }

    // Another protocol

    @Override
    public boolean awaitSwitch(Runnable wentOn) {
        if (http10 || !guard.awaitSwitch(begun, wentOn)) {
            return false;
        }
        // Whatever else it becomes: the client may have sent on as if it had been agreed to.
        last = true;
        return true;
    }

    @Override
    public void leaveHttp(Tunnel tunnel) {
        switched = true;
        ending = true;
        // A client that sends what is no frame has sent more of it, and is told Close all the same.
        LingeringClose.arm(context.channel());
        var pipeline = context.pipeline();
        // Nothing is left in them: the client has sent nothing behind its request.
        pipeline.remove(guard);
        pipeline.remove(headDeadline);
        pipeline.remove(codec);
        tunnel.begin(context.channel(), context.name());
    }

    // The ends

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        ending = true;
        if (current != null) {
            current.clientGone();
        }
        releaseHeld();
        context.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        releaseHeld();
    }

    private void releaseHeld() {
        for (var next = held.poll(); next != null; next = held.poll()) {
            ReferenceCountUtil.release(next);
        }
    }

    /** The gateway stops, or the connection is idle. A request that is under way is completed before. */
    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        if (current == null || !context.channel().isActive()) {
            closeBehindAnswers(promise);
            return;
        }
        closing = true;
        context.channel().closeFuture().addListener(_ -> promise.trySuccess());
        current.goAway();
    }

    /** A refusal is not waited for: it may not have been sent yet. */
    private void closeBehindAnswers(ChannelPromise promise) {
        ending = true;
        // The client may have sent its next request meanwhile, and would lose the answer to the one before.
        LingeringClose.arm(context.channel());
        context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> context.close(promise));
    }

    /** The client sends no more, and is answered all the same if it waits for that. */
    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslCloseCompletionEvent) {
            closing = true;
            if (switched) {
                context.close();
            } else if (current == null) {
                closeBehindAnswers(context.newPromise());
            }
        } else {
            context.fireUserEventTriggered(event);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (current != null) {
            current.fail(cause);
        } else if (!(cause instanceof IOException)) {
            context.fireExceptionCaught(cause);
        }
        LingeringClose.arm(context.channel());
        context.close();
    }
}
