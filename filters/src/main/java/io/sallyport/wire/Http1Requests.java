// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.AttributeKey;
import io.netty.util.ReferenceCountUtil;
import io.sallyport.decision.Denial;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.wire.framing.HeadDeadline;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import reactor.netty.NettyPipeline;
import reactor.netty.channel.ChannelOperations;

/**
 * Takes the requests of an HTTP/1.1 connection, between the codec and Reactor Netty, and answers from here what needs nothing of the
 * server's: those that are refused, for a flood is made of them, and those that only go to an upstream and have no body, for most are
 * such. What the server makes for a request costs more than a refusal does. Any other request goes on to {@link IngressHandler},
 * through the server, with what was said of it.
 *
 * <p>In turn: a request is judged when no earlier one waits for its answer, whose place it would take. While one is answered here
 * what follows is held, and no more is read; while the server has one, what follows is the server's, and judged by the handler.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write fails with its connection, whose end is noticed elsewhere
final class Http1Requests extends ChannelDuplexHandler {
    private static final String NAME = "sallyport.http1-requests";
    private static final AttributeKey<Judged> JUDGED = AttributeKey.valueOf(Http1Requests.class, "judged");

    private final IngressHandler handler;
    private final HeadDeadline headDeadline;

    /** Requests that the server has and has not answered in full. */
    private int unanswered;

    /** The request that is answered from here. */
    private @Nullable DirectExchange current;

    /** What has been read behind it. */
    private final ArrayDeque<Object> held = new ArrayDeque<>(0);

    /** What is to be done when it, and what is held, have been answered. */
    private final ArrayDeque<Runnable> afterwards = new ArrayDeque<>(0);

    /** What is still to come of a request that is answered from here. */
    private boolean dropping;

    /** The connection ends with an answer of ours: nothing that comes behind it is a request. */
    private boolean ended;

    /** The connection ends with an answer of the server's, or is no longer one of HTTP. */
    private boolean last;

    /** Somebody has closed the connection, which waits for the answer that is under way. */
    private boolean closing;

    /** Nothing is read: answers have piled up that the client has not taken, or requests that wait for their turn. */
    private boolean paused;

    private Http1Requests(IngressHandler handler, HeadDeadline headDeadline) {
        this.handler = handler;
        this.headDeadline = headDeadline;
    }

    /** Puts one behind the codec of a connection that has turned out to be one of HTTP/1.x, before its first request. */
    static void install(Channel connection, IngressHandler handler) {
        var pipeline = connection.pipeline();
        var headDeadline = Objects.requireNonNull(pipeline.get(HeadDeadline.class), "no deadline for heads");
        pipeline.addAfter(NettyPipeline.HttpCodec, NAME, new Http1Requests(handler, headDeadline));
    }

    /** That of a connection; null if it is not, or not yet, one of HTTP/1.x. */
    static @Nullable Http1Requests of(Channel connection) {
        return connection.pipeline().get(NAME) instanceof Http1Requests requests ? requests : null;
    }

    /** What was said of the request that Reactor Netty now asks about; null if it is still to be judged. */
    static @Nullable Judged judgedOn(Channel channel) {
        var attribute = channel.attr(JUDGED);
        var judged = attribute.get();
        if (judged != null) {
            attribute.set(null);
        }
        return judged;
    }

    /** Whether a request is being answered from here. */
    boolean isAnswering() {
        return current != null;
    }

    /** Does something, in a task of its own, when what is answered from here has its answer, or the connection has ended. */
    void afterwards(Runnable task) {
        afterwards.add(task);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (held.isEmpty() && isNext(message)) {
            take(context, message);
        } else {
            held.add(message);
            readOn(context.channel());
        }
    }

    private boolean isNext(Object message) {
        return current == null || (dropping && !(message instanceof HttpRequest));
    }

    private void take(ChannelHandlerContext context, Object message) {
        if (ended) {
            ReferenceCountUtil.release(message);
        } else if (message instanceof HttpRequest request) {
            if (isToBeJudged(context.channel(), request)) {
                judge(context, request);
            } else {
                pass(context, request);
            }
        } else if (dropping) {
            dropping = !(message instanceof LastHttpContent);
            ReferenceCountUtil.release(message);
        } else {
            context.fireChannelRead(message);
        }
    }

    private boolean isToBeJudged(Channel channel, HttpRequest request) {
        return unanswered == 0
                && !last
                && request.decoderResult().isSuccess()
                && request.protocolVersion().equals(HttpVersion.HTTP_1_1)
                && ChannelOperations.get(channel) == null;
    }

    private void judge(ChannelHandlerContext context, HttpRequest request) {
        var channel = context.channel();
        var judged = handler.judge(WireRequestHead.of(request, ConnectionFacts.of(channel)), channel);
        if (judged.admission() instanceof Admission.Refused(var denial)) {
            dropping = true;
            refuse(context, judged.context(), denial, !HttpUtil.isKeepAlive(request));
            return;
        }
        var exchange = isPlain(request.headers())
                ? handler.direct(judged, context, this, !HttpUtil.isKeepAlive(request))
                : null;
        if (exchange != null) {
            dropping = true;
            current = exchange;
            exchange.begin();
            return;
        }
        channel.attr(JUDGED).set(judged);
        pass(context, request);
        var ignored = judgedOn(channel);
        if (ignored != null) {
            // The server has answered by itself. Whatever the request was admitted to is given back.
            handler.ignored(ignored);
        }
    }

    /** Whether a request wants an answer, and nothing else: no body is to be read, no trailer fields and no other protocol asked for. */
    private static boolean isPlain(HttpHeaders request) {
        return !Wire.announcesBody(request)
                && !request.contains(HttpHeaderNames.UPGRADE)
                && !request.contains(HttpHeaderNames.EXPECT)
                && !request.contains(HttpHeaderNames.TE);
    }

    private void pass(ChannelHandlerContext context, HttpRequest request) {
        unanswered++;
        last |= !HttpUtil.isKeepAlive(request);
        context.fireChannelRead(request);
    }

    /** Whether the connection ends with the answer that is about to be written. */
    boolean endsWith(DirectExchange exchange) {
        return closing || exchange.isLast();
    }

    /** That exchange has its answer, or its client is gone. */
    void answered(ChannelHandlerContext context, DirectExchange exchange) {
        current = null;
        // Behind a client that is gone nothing is asked for.
        ended = endsWith(exchange) || !context.channel().isActive();
        if (ended) {
            context.channel().close();
        }
        takeHeld(context);
    }

    /** That exchange is refused, after all. */
    void refuse(ChannelHandlerContext context, DirectExchange exchange, Denial denial) {
        current = null;
        refuse(context, exchange.context, denial, endsWith(exchange));
        takeHeld(context);
    }

    private void takeHeld(ChannelHandlerContext context) {
        for (var next = held.peek(); next != null && isNext(next); next = held.peek()) {
            held.remove();
            take(context, next);
        }
        if (current == null) {
            runAfterwards(context.channel());
        }
        readOn(context.channel());
    }

    private void refuse(ChannelHandlerContext context, RequestContext refused, Denial denial, boolean end) {
        var channel = context.channel();
        var answer = DenialWriter.message(denial, refused, context.alloc());
        boolean unread = DenialWriter.endsConnection(refused, answer.status());
        if (unread) {
            LingeringClose.arm(channel);
        }
        ended = unread || end;
        if (ended) {
            answer.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            context.writeAndFlush(answer).addListener(ChannelFutureListener.CLOSE);
        } else {
            context.writeAndFlush(answer, context.voidPromise());
            readOn(channel);
        }
    }

    /** As Reactor Netty leaves a connection between two requests, unless its client asks and does not read. */
    private void readOn(Channel channel) {
        boolean stop = !held.isEmpty() || (current == null && !channel.isWritable());
        if (stop != paused) {
            paused = stop;
            // The client is not late with a head that we do not read: it has another time-out for what it does not
            // take.
            headDeadline.pause(stop);
        }
        // What the server has it reads at its own pace.
        if (unanswered == 0 && channel.config().isAutoRead() == stop) {
            channel.config().setAutoRead(!stop);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (current != null) {
            current.writabilityChanged();
        } else if (paused && context.channel().isWritable()) {
            readOn(context.channel());
        }
        context.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (current != null) {
            current.clientGone();
            current = null;
        }
        handlerRemoved(context);
        runAfterwards(context.channel());
        context.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        for (var next = held.poll(); next != null; next = held.poll()) {
            ReferenceCountUtil.release(next);
        }
    }

    private void runAfterwards(Channel channel) {
        for (var next = afterwards.poll(); next != null; next = afterwards.poll()) {
            channel.eventLoop().execute(next);
        }
    }

    /** Who stops the gateway closes connections that the server has no exchange on. One that is answered from here ends with its answer. */
    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        if (current == null || !context.channel().isActive()) {
            context.close(promise);
            return;
        }
        closing = true;
        context.channel().closeFuture().addListener(_ -> promise.trySuccess());
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        boolean informational = false;
        if (message instanceof HttpResponse response) {
            informational = isInformational(response.status());
            last |= !informational && (isSwitch(response.status()) || !HttpUtil.isKeepAlive(response));
        }
        if (!informational && message instanceof LastHttpContent) {
            unanswered--;
        }
        context.write(message, promise);
    }

    private static boolean isInformational(HttpResponseStatus status) {
        return status.codeClass() == HttpStatusClass.INFORMATIONAL && !isSwitch(status);
    }

    private static boolean isSwitch(HttpResponseStatus status) {
        return status.equals(HttpResponseStatus.SWITCHING_PROTOCOLS);
    }
}
