// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.CombinedChannelDuplexHandler;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestEncoder;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.io.EOFException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.netty.NettyPipeline;

/**
 * One connection to an upstream, or on HTTP/2 one stream of a connection, as the last of its handlers. Holds that every request
 * gets exactly one answer, its own, in time:
 *
 * <ul>
 *   <li>Interim answers (1xx) are read over, so many of them; one that switches protocols is an error, unless its request asked
 *       for just that: then this is no connection for HTTP any more.
 *   <li>The end of an answer is passed on only when all that came with it has been looked at. If anything follows, as the
 *       body of a 204 does, the connection is closed and not used for another request, which would get it as its answer.
 *   <li>Silence is measured from where the upstream has the whole request, and only while somebody waits for bytes: a client
 *       that reads slowly is not the upstream's fault. So is an upstream that does not take the request off our hands.
 *   <li>However much flows, an exchange lasts no longer than it may.
 * </ul>
 *
 * <p>Confined to the channel's event loop.
 */
@SuppressWarnings({
    "FutureReturnValueIgnored", // a write that fails closes its channel, and that is seen here
    "ReferenceEquality" // a turn is itself, and so is the last part of a body
})
public final class UpstreamConnection extends ChannelDuplexHandler implements Retirable, Runnable {
    private static final long NOT_WAITING = 0;

    /** Of one request; upstreams send one or two. */
    private static final int MAX_INTERIMS = 16;

    /** How long an answer that nobody wants any more is read for, and how much of it: with either, closing costs less. */
    private static final Duration UNWANTED_WITHIN = Duration.ofMillis(250);

    private static final int UNWANTED_BYTES = 64 * 1024;

    /**
     * One request on this connection and its answer: its head, the parts of its body, then its end; or a failure in place of what
     * is still to come. Told on the connection's event loop, after a failure or the end nothing more.
     */
    public abstract static class Turn {
        private final Duration timeout;
        private final Duration longest;
        private long began;
        private boolean requestSent;

        /**
         * One that has not begun.
         *
         * @param timeout the longest silence
         * @param longest the longest that all of it may take
         */
        protected Turn(Duration timeout, Duration longest) {
            this.timeout = timeout;
            this.longest = longest;
        }

        /** The upstream takes more of the request's body, or no more for now. */
        protected abstract void writabilityChanged();

        /** The answer begins; no interim one. */
        protected abstract void head(HttpResponse head);

        /**
         * Some of its body.
         *
         * @param content not empty; the callee's from here on
         */
        protected abstract void part(ByteBuf content);

        /** All that has arrived so far has been passed on, and the answer is not at its end. */
        protected abstract void readComplete();

        /** The answer came to its proper end, as opposed to the connection's. */
        protected abstract void end(HttpHeaders trailers);

        /** What is still to come will not: the connection ended, was silent for too long, or brought what is no answer. */
        protected abstract void failed(Throwable why);

        /** What is wrong with a 101 as the answer to this request; null if it is what was asked for. */
        protected @Nullable String problemOfSwitch(HttpResponse head) {
            return "status " + head.status().code();
        }

        /** That answer has come: the connection, which follows no rule of this class any more, is the callee's from here on. */
        protected void switched(HttpResponse head, Channel connection) {
            throw new IllegalStateException("a switch that is a problem");
        }

        /** The longest that all of it may take. */
        public final Duration longest() {
            return longest;
        }

        /** How much of the time that all of it may take is left. */
        public final Duration rest() {
            return longest.minusNanos(System.nanoTime() - began);
        }
    }

    private final AnswerReader decoder;

    private @Nullable ChannelHandlerContext context;
    private @Nullable UpstreamPool pool;
    private @Nullable Turn turn;
    private HttpMethod method = HttpMethod.GET;
    private boolean interim;
    private int interims;
    private boolean headRead;
    private @Nullable LastHttpContent heldEnd;
    private boolean lastOne;
    private boolean used;

    private long connectedAt;
    private long idleSince;
    private long waitingSince = NOT_WAITING;
    private long stuckSince = NOT_WAITING;
    private @Nullable Future<?> tick;

    private UpstreamConnection(AnswerReader decoder) {
        this.decoder = decoder;
    }

    /**
     * For one request, on a stream of a connection.
     *
     * @param first whether no request has been sent on that connection before
     */
    static UpstreamConnection ofStream(AnswerReader reader, boolean first) {
        var connection = new UpstreamConnection(reader);
        connection.used = !first;
        connection.lastOne = true;
        return connection;
    }

    /** Puts codec and connection where the bytes of a new channel arrive. */
    static void install(ChannelPipeline pipeline) {
        var decoder = new AnswerDecoder();
        pipeline.addBefore(
                NettyPipeline.ReactiveBridge,
                NettyPipeline.HttpCodec,
                new CombinedChannelDuplexHandler<>(decoder, new HttpRequestEncoder()));
        pipeline.addBefore(NettyPipeline.ReactiveBridge, NAME, new UpstreamConnection(decoder));
    }

    /** That of a channel which has been connected and verified; null if it is gone already. */
    static @Nullable UpstreamConnection on(Channel channel) {
        return channel.pipeline().get(NAME) instanceof UpstreamConnection connection ? connection : null;
    }

    /** @param pool what it goes back to between requests */
    void connected(UpstreamPool pool) {
        this.pool = pool;
        connectedAt = System.nanoTime();
        idleSince = connectedAt;
        // Always read, asked for or not, so that the connection's end is seen. Who takes an answer's body says when to
        // stop.
        channel().config().setAutoRead(true);
    }

    Channel channel() {
        return context().channel();
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context, "not in a pipeline");
    }

    /** Nanoseconds at which nothing new is to be sent on it any more. */
    long reusableUntil(long maxIdle, long maxLife) {
        long idle = idleSince + maxIdle;
        long life = connectedAt + maxLife;
        return idle - life < 0 ? idle : life;
    }

    /** Whether it can be handed out. */
    boolean isOpen() {
        return channel().isActive() && !lastOne;
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
    public boolean begin(Turn turn) {
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

    /** Sends a request that has no body, or the head of one whose body follows through {@link #sendPart}. */
    public void send(HttpObject request) {
        var context = context();
        write(context, request, context.voidPromise());
        context.flush();
    }

    /**
     * Sends some of the body that follows the head, with the next {@link #flush}.
     *
     * @param content the callee's from here on
     */
    public void sendPart(ByteBuf content) {
        var context = context();
        context.write(new DefaultHttpContent(content), context.voidPromise());
    }

    /** Sends what was given to {@link #sendPart}. */
    public void flush() {
        context().flush();
    }

    /** Whether the upstream takes more of the body now; {@link Turn#writabilityChanged} tells when that changes. */
    public boolean isWritable() {
        return channel().isWritable();
    }

    /** The body that followed the head is complete. */
    public void endRequest() {
        send(LastHttpContent.EMPTY_LAST_CONTENT);
    }

    /** That turn went wrong: closes the connection if it is not over. */
    public void abandon(Turn abandoned) {
        if (turn == abandoned) {
            over();
            close(context());
        }
    }

    /**
     * Nobody waits for the rest of that turn. An answer that is there soon, and is short, is read to its end for the connection's
     * sake: the next request would have to wait for a handshake, which costs many times what a client pays to take requests
     * back. In any other case closes the connection, so that the upstream learns of it.
     */
    public void leave(Turn left) {
        if (turn != left) {
            return;
        }
        if (lastOne || pool == null || !left.requestSent || !channel().isActive()) {
            abandon(left);
            return;
        }
        stopClock();
        Turn unwanted = new Unwanted();
        unwanted.began = System.nanoTime();
        unwanted.requestSent = true;
        turn = unwanted;
        waitingSince = NOT_WAITING;
        stuckSince = NOT_WAITING;
        schedule(UNWANTED_WITHIN, UNWANTED_WITHIN);
        resume();
    }

    /** The rest of a turn that nobody waits for. */
    private final class Unwanted extends Turn {
        private int bytesLeft = UNWANTED_BYTES;

        Unwanted() {
            super(UNWANTED_WITHIN, UNWANTED_WITHIN);
        }

        @Override
        protected void writabilityChanged() {
            // All of the request has been sent.
        }

        @Override
        protected void head(HttpResponse head) {
            ReferenceCountUtil.release(head);
            if (HttpUtil.getContentLength(head, 0L) > bytesLeft) {
                bytesLeft = -1;
            }
        }

        @Override
        protected void part(ByteBuf content) {
            bytesLeft -= content.readableBytes();
            content.release();
        }

        @Override
        protected void readComplete() {
            if (bytesLeft < 0) {
                abandon(this);
            }
        }

        @Override
        protected void end(HttpHeaders trailers) {}

        @Override
        protected void failed(Throwable why) {
            // Nobody wants to know.
        }
    }

    /** Reads nothing more until {@link #resume}. */
    public void pause() {
        channel().config().setAutoRead(false);
    }

    /** Reads on. */
    public void resume() {
        channel().config().setAutoRead(true);
    }

    @Override
    public void retire() {
        lastOne = true;
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
        if (turn != null) {
            turn.writabilityChanged();
        }
        context.fireChannelWritabilityChanged();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        var turn = this.turn;
        if (turn == null || heldEnd != null) {
            // More than one answer, or one that nobody asked for.
            ReferenceCountUtil.release(message);
            lastOne = true;
            if (turn == null) {
                close(context);
            }
            return;
        }
        switch (message) {
            case HttpResponse head -> readHead(context, head, turn);
            case HttpContent content -> readContent(context, content, turn);
            default -> throw new IllegalStateException("from the codec: " + message.getClass());
        }
    }

    private void readHead(ChannelHandlerContext context, HttpResponse head, Turn turn) {
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
        if (status == HttpResponseStatus.SWITCHING_PROTOCOLS.code()) {
            over();
            context.pipeline().remove(this);
            turn.switched(head, context.channel());
            return;
        }
        if (status < HttpResponseStatus.OK.code()) {
            interim = true;
            ReferenceCountUtil.release(head);
            return;
        }
        headRead = true;
        waitingSince = NOT_WAITING;
        // Where upstream and gateway may disagree on where an answer ends, it is the last on its connection.
        lastOne |= !HttpUtil.isKeepAlive(head) || announcesBodyThatCannotBe(head, status);
        turn.head(head);
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
        if (status < 100 || status > 599) {
            return "status " + status;
        }
        if (status == HttpResponseStatus.SWITCHING_PROTOCOLS.code()) {
            return turn == null ? "nobody asked" : turn.problemOfSwitch(head);
        }
        if (status < HttpResponseStatus.OK.code()) {
            return problemOfInterim(head);
        }
        var length = head.headers().get(HttpHeaderNames.CONTENT_LENGTH);
        if (length != null && length.length() > 1 && length.charAt(0) == '0') {
            // The codec reads it as a decimal number, and the client would get it as it is.
            return "a length with leading zeros";
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

    private void readContent(ChannelHandlerContext context, HttpContent content, Turn turn) {
        if (interim) {
            if (content instanceof LastHttpContent) {
                interim = false;
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
        }
        if (content.content().isReadable()) {
            turn.part(content.content().retain());
        }
        if (content != heldEnd) {
            content.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (turn == null && decoder.hasBytesLeft()) {
            close(context);
        }
        passEnd(context);
        if (turn != null) {
            turn.readComplete();
        }
        context.fireChannelReadComplete();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        passEnd(context);
        var broken = turn;
        if (broken != null) {
            over();
            broken.failed(
                    new EOFException(headRead ? "the answer broke off" : "the connection ended without an answer"));
        }
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (pool == null) {
            // Still connecting.
            context.fireExceptionCaught(cause);
        } else {
            fail(context, cause);
        }
    }

    private void passEnd(ChannelHandlerContext context) {
        var end = heldEnd;
        var ended = turn;
        if (end == null || ended == null) {
            return;
        }
        heldEnd = null;
        over();
        if (lastOne || !ended.requestSent || decoder.hasBytesLeft() || pool == null) {
            close(context);
        } else {
            idleSince = System.nanoTime();
            // From here on it may be another request's.
            pool.release(this);
        }
        ended.end(end.trailingHeaders());
        end.release();
    }

    private void over() {
        stopClock();
        turn = null;
        if (heldEnd != null) {
            heldEnd.release();
            heldEnd = null;
        }
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
        var rest = turn.rest();
        if (silent.compareTo(turn.timeout) >= 0) {
            if (pool != null) {
                pool.suspect(this);
            }
            fail(context, new UpstreamSilent(turn.timeout));
        } else if (!rest.isPositive()) {
            fail(context, new StreamOver(turn.longest));
        } else {
            schedule(turn.timeout.minus(silent), rest);
        }
    }

    private void fail(ChannelHandlerContext context, Throwable why) {
        var failing = turn;
        over();
        close(context);
        if (failing != null) {
            failing.failed(why);
        }
    }

    private void close(ChannelHandlerContext context) {
        lastOne = true;
        context.close();
    }
}
