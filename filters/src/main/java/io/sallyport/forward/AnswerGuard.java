// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.CombinedChannelDuplexHandler;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestEncoder;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.netty.Connection;
import reactor.netty.NettyPipeline;

/**
 * Stands behind the decoder of one upstream connection and holds that every request gets exactly one answer, its own, in time:
 *
 * <ul>
 *   <li>Interim answers (1xx) are read over, so many of them; one that switches protocols was not asked for and is an error.
 *   <li>The end of an answer is passed on only when all that came with it has been looked at. If anything follows, as the
 *       body of a 204 does, the connection is closed and not used for another request, which would get it as its answer.
 *   <li>Silence is measured from where the upstream has the whole request, and only while somebody waits for bytes: a client
 *       that reads slowly is not the upstream's fault. So is an upstream that does not take the request off our hands.
 *   <li>However much flows, an exchange lasts no longer than it may.
 * </ul>
 *
 * <p>Confined to the channel's event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write that fails closes its channel, and that is seen here
final class AnswerGuard extends ChannelDuplexHandler implements Runnable {
    static final String NAME = "sallyport.answer-guard";

    private static final long NOT_WAITING = 0;

    /** Of one request; upstreams send one or two. */
    private static final int MAX_INTERIMS = 16;

    /** One request and its answer on this connection. */
    static final class Turn {
        private final Duration timeout;
        private final Duration longest;
        private long began;
        private boolean requestSent;
        private boolean answerComplete;

        /**
         * @param timeout the longest silence
         * @param longest the longest that all of it may take
         */
        Turn(Duration timeout, Duration longest) {
            this.timeout = timeout;
            this.longest = longest;
        }

        /** Whether the answer came to its proper end, as opposed to the connection's. */
        boolean isAnswerComplete() {
            return answerComplete;
        }
    }

    private final AnswerDecoder decoder;

    private @Nullable ChannelHandlerContext context;
    private @Nullable Turn turn;
    private HttpMethod method = HttpMethod.GET;
    private boolean interim;
    private int interims;
    private boolean headRead;
    private @Nullable LastHttpContent heldEnd;
    private boolean overrun;
    private boolean retired;
    private boolean used;

    private long waitingSince = NOT_WAITING;
    private long stuckSince = NOT_WAITING;
    private @Nullable Future<?> tick;

    private AnswerGuard(AnswerDecoder decoder) {
        this.decoder = decoder;
    }

    /** Puts codec and guard in place of Netty's codec. */
    static void install(ChannelPipeline pipeline) {
        var decoder = new AnswerDecoder();
        pipeline.replace(
                NettyPipeline.HttpCodec,
                NettyPipeline.HttpCodec,
                new CombinedChannelDuplexHandler<>(decoder, new HttpRequestEncoder()));
        pipeline.addAfter(NettyPipeline.HttpCodec, NAME, new AnswerGuard(decoder));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        this.context = context;
    }

    /**
     * The next request on this connection begins.
     *
     * @return whether it is the first
     */
    boolean begin(Turn turn) {
        var first = !used;
        used = true;
        this.turn = turn;
        interim = false;
        interims = 0;
        headRead = false;
        waitingSince = NOT_WAITING;
        stuckSince = NOT_WAITING;
        turn.began = System.nanoTime();
        schedule(turn.timeout, turn.longest);
        return first;
    }

    /** No further request is to be sent here: closes at once if none is under way, else when its answer has ended. */
    void retire() {
        retired = true;
        if (turn == null && context != null) {
            close(context);
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (message instanceof HttpRequest request) {
            method = request.method();
            decoder.expectAnswerToHead(method.equals(HttpMethod.HEAD));
        }
        if (message instanceof LastHttpContent && turn != null) {
            turn.requestSent = true;
            // Bytes were asked for when the head was sent; that it takes the client long to send the rest is not
            // silence.
            waitingSince = System.nanoTime();
        }
        context.write(message, promise);
    }

    @Override
    public void read(ChannelHandlerContext context) {
        if (waitingSince == NOT_WAITING) {
            waitingSince = System.nanoTime();
        }
        context.read();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        stuckSince = context.channel().isWritable() ? NOT_WAITING : System.nanoTime();
        context.fireChannelWritabilityChanged();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (turn == null || heldEnd != null) {
            // More than one answer, or one that nobody asked for.
            ReferenceCountUtil.release(message);
            overrun = true;
            if (turn == null) {
                close(context);
            }
            return;
        }
        switch (message) {
            case HttpResponse head -> readHead(context, head);
            case HttpContent content -> readContent(context, content);
            default -> context.fireChannelRead(message);
        }
    }

    private void readHead(ChannelHandlerContext context, HttpResponse head) {
        if (head.decoderResult().cause() instanceof PrematureChannelClosureException) {
            ReferenceCountUtil.release(head);
            fail(context, new EOFException("the connection ended within the head of the answer"));
            return;
        }
        var problem = problemOf(head);
        if (problem != null) {
            ReferenceCountUtil.release(head);
            fail(context, new UpstreamProtocolError(problem));
            return;
        }
        int status = head.status().code();
        if (status < HttpResponseStatus.OK.code()) {
            interim = true;
            ReferenceCountUtil.release(head);
            return;
        }
        headRead = true;
        waitingSince = NOT_WAITING;
        if (announcesBodyThatCannotBe(head, status)) {
            // Where upstream and gateway may disagree on where an answer ends, it is the last on its connection.
            Connection.from(context.channel()).markPersistent(false);
        }
        context.fireChannelRead(head);
    }

    private @Nullable String problemOf(HttpResponse head) {
        if (head.decoderResult().isFailure()) {
            return String.valueOf(head.decoderResult().cause());
        }
        if (decoder.malformed() != null) {
            return decoder.malformed();
        }
        if (headRead) {
            return "a second head";
        }
        int status = head.status().code();
        if (status < 100 || status > 599 || status == HttpResponseStatus.SWITCHING_PROTOCOLS.code()) {
            return "status " + status;
        }
        if (status < HttpResponseStatus.OK.code()) {
            return problemOfInterim(head);
        }
        var codings = head.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
        if (codings.isEmpty()
                || (codings.size() == 1 && HttpHeaderValues.CHUNKED.contentEqualsIgnoreCase(codings.getFirst()))) {
            return null;
        }
        return "transfer coding other than chunked";
    }

    private @Nullable String problemOfInterim(HttpResponse head) {
        if (++interims > MAX_INTERIMS) {
            return "more than %d interim answers".formatted(MAX_INTERIMS);
        }
        // RFC 9110 section 8.6 and RFC 9112 section 6.1: neither is ever sent with one.
        return head.headers().contains(HttpHeaderNames.CONTENT_LENGTH)
                        || head.headers().contains(HttpHeaderNames.TRANSFER_ENCODING)
                ? "an interim answer with a body"
                : null;
    }

    private boolean announcesBodyThatCannotBe(HttpResponse head, int status) {
        return (method.equals(HttpMethod.HEAD)
                        || status == HttpResponseStatus.NO_CONTENT.code()
                        || status == HttpResponseStatus.NOT_MODIFIED.code())
                && (HttpUtil.getContentLength(head, 0L) > 0
                        || head.headers().contains(HttpHeaderNames.TRANSFER_ENCODING));
    }

    private void readContent(ChannelHandlerContext context, HttpContent content) {
        if (interim) {
            if (content instanceof LastHttpContent) {
                interim = false;
                // Nobody behind has seen anything, so nobody asks for more.
                context.read();
            }
            content.release();
            return;
        }
        if (content.decoderResult().isFailure()) {
            content.release();
            fail(
                    context,
                    new UpstreamProtocolError(
                            String.valueOf(content.decoderResult().cause())));
            return;
        }
        waitingSince = NOT_WAITING;
        if (content instanceof LastHttpContent end) {
            heldEnd = end;
        } else {
            context.fireChannelRead(content);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (turn == null && decoder.hasBytesLeft()) {
            close(context);
        }
        passEnd(context);
        context.fireChannelReadComplete();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        passEnd(context);
        stopClock();
        turn = null;
        context.fireChannelInactive();
    }

    private void passEnd(ChannelHandlerContext context) {
        var end = heldEnd;
        var ended = turn;
        if (end == null || ended == null) {
            return;
        }
        heldEnd = null;
        turn = null;
        ended.answerComplete = true;
        stopClock();
        if (overrun || retired || decoder.hasBytesLeft()) {
            Connection.from(context.channel()).markPersistent(false);
        }
        // From here on the connection may be another request's.
        context.fireChannelRead(end);
    }

    private void schedule(Duration silence, Duration rest) {
        if (context != null) {
            var delay = silence.compareTo(rest) <= 0 ? silence : rest;
            tick = context.executor().schedule(this, delay.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    private void stopClock() {
        if (tick != null) {
            tick.cancel(false);
            tick = null;
        }
    }

    @Override
    public void run() {
        if (turn == null || context == null) {
            return;
        }
        long now = System.nanoTime();
        long since = stuckSince != NOT_WAITING ? stuckSince : turn.requestSent ? waitingSince : NOT_WAITING;
        var silent = since == NOT_WAITING ? Duration.ZERO : Duration.ofNanos(now - since);
        var rest = turn.longest.minusNanos(now - turn.began);
        if (silent.compareTo(turn.timeout) >= 0) {
            fail(context, new UpstreamSilent(turn.timeout));
        } else if (!rest.isPositive()) {
            fail(context, new StreamOver(turn.longest));
        } else {
            schedule(turn.timeout.minus(silent), rest);
        }
    }

    private void fail(ChannelHandlerContext context, IOException why) {
        stopClock();
        turn = null;
        Connection.from(context.channel()).markPersistent(false);
        context.fireExceptionCaught(why);
        close(context);
    }

    private static void close(ChannelHandlerContext context) {
        context.close();
    }
}
