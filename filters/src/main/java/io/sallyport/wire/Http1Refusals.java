// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
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
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import reactor.netty.NettyPipeline;
import reactor.netty.channel.ChannelOperations;

/**
 * Judges the requests of an HTTP/1.1 connection between the codec and Reactor Netty, and answers right here those that are refused:
 * what the server makes for a request costs more than a refusal does, and a flood is made of them. A request that is not refused
 * goes on to {@link IngressHandler} with what was said of it.
 *
 * <p>Only while no earlier request waits for its answer, whose place a refusal would take: a pipelined request is judged when its
 * turn comes, by the handler.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write fails with its connection, whose end is noticed elsewhere
final class Http1Refusals extends ChannelDuplexHandler {
    private static final AttributeKey<Judged> JUDGED = AttributeKey.valueOf(Http1Refusals.class, "judged");

    private final IngressHandler handler;
    private final HeadDeadline headDeadline;

    /** Requests that went on and have not been answered in full. */
    private int unanswered;

    /** What is still to come of a refused request. */
    private boolean dropping;

    /** The connection ends with an answer of ours: nothing that comes behind it is a request. */
    private boolean ended;

    /** The connection ends with an answer of the server's, or is no longer one of HTTP. */
    private boolean last;

    /** Answers have piled up: nothing is read until the client has taken them. */
    private boolean paused;

    private Http1Refusals(IngressHandler handler, HeadDeadline headDeadline) {
        this.handler = handler;
        this.headDeadline = headDeadline;
    }

    /** Puts one behind the codec of a connection that has turned out to be one of HTTP/1.x, before its first request. */
    static void install(Channel connection, IngressHandler handler) {
        var pipeline = connection.pipeline();
        var headDeadline = Objects.requireNonNull(pipeline.get(HeadDeadline.class), "no deadline for heads");
        pipeline.addAfter(
                NettyPipeline.HttpCodec, "sallyport.http1-refusals", new Http1Refusals(handler, headDeadline));
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

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (ended) {
            ReferenceCountUtil.release(message);
        } else if (message instanceof HttpRequest request) {
            if (isNext(context.channel(), request)) {
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

    private boolean isNext(Channel channel, HttpRequest request) {
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
            refuse(context, request, judged, denial);
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

    private void pass(ChannelHandlerContext context, HttpRequest request) {
        unanswered++;
        last |= !HttpUtil.isKeepAlive(request);
        context.fireChannelRead(request);
    }

    private void refuse(ChannelHandlerContext context, HttpRequest request, Judged judged, Denial denial) {
        var channel = context.channel();
        var answer = DenialWriter.message(denial, judged.context(), context.alloc());
        boolean unread = DenialWriter.endsConnection(judged.context(), answer.status());
        if (unread) {
            LingeringClose.arm(channel);
        }
        ended = unread || !HttpUtil.isKeepAlive(request);
        dropping = true;
        if (ended) {
            answer.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            context.writeAndFlush(answer).addListener(ChannelFutureListener.CLOSE);
        } else {
            context.writeAndFlush(answer);
            readOn(channel);
        }
    }

    /** As Reactor Netty leaves a connection between two requests, unless its client asks and does not read. */
    private void readOn(Channel channel) {
        boolean full = !channel.isWritable();
        if (full != paused) {
            paused = full;
            // The client is not late with a head that we do not read: it has another time-out for what it does not
            // take.
            headDeadline.pause(full);
        }
        if (channel.config().isAutoRead() == full) {
            channel.config().setAutoRead(!full);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (paused && context.channel().isWritable()) {
            readOn(context.channel());
        }
        context.fireChannelWritabilityChanged();
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
