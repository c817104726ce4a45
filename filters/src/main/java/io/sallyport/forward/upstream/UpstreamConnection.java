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
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import reactor.netty.NettyPipeline;

/**
 * One connection to an upstream, or on HTTP/2 one stream of a connection, as the last of its handlers. Holds that every request
 * gets exactly one answer, its own, in time:
 *
 * <ul>
 *   <li>Interim answers (1xx) are told of, so many of them; one that switches protocols is an error, unless its request asked
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
    "ReferenceEquality" // a call is itself, and so is the last part of a body
})
public final class UpstreamConnection extends ChannelDuplexHandler implements Retirable, Runnable {
    private static final long NOT_WAITING = 0;

    /** Of one request; upstreams send one or two. As many as the JDK's client takes; and nobody waits until a client takes them. */
    private static final int MAX_INTERIMS = 8;

    private final AnswerReader decoder;

    private @Nullable ChannelHandlerContext context;
    private @Nullable UpstreamPool pool;
    private @Nullable UpstreamCall call;
    private HttpMethod method = HttpMethod.GET;
    private boolean interim;
    private int interims;
    private boolean headRead;
    private @Nullable LastHttpContent heldEnd;
    private boolean lastOne;
    private boolean used;

    /** The request under way is not the first. */
    private boolean reused;

    /** Why nothing can be sent any more, or read; the connection ends when what has come before that has been read. */
    private @Nullable Throwable lost;

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
    public boolean begin(UpstreamCall call) {
        var first = !used;
        reused = used;
        used = true;
        this.call = call;
        interim = false;
        interims = 0;
        headRead = false;
        waitingSince = NOT_WAITING;
        stuckSince = NOT_WAITING;
        call.begin();
        schedule(call.timeout(), call.longest());
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

    /** Whether the upstream takes more of the body now; {@link UpstreamCall#writabilityChanged} tells when that changes. */
    public boolean isWritable() {
        return channel().isWritable();
    }

    /** The body that followed the head is complete. */
    public void endRequest() {
        send(LastHttpContent.EMPTY_LAST_CONTENT);
    }

    /** That call went wrong: closes the connection if it is not over. */
    public void abandon(UpstreamCall abandoned) {
        if (call == abandoned) {
            over();
            close(context());
        }
    }

    /**
     * Nobody waits for the rest of that call. An answer that is there soon, and is short, is read to its end for the connection's
     * sake: the next request would have to wait for a handshake, which costs many times what a client pays to take requests
     * back. In any other case closes the connection, so that the upstream learns of it.
     */
    public void leave(UpstreamCall left) {
        if (call != left) {
            return;
        }
        if (lastOne || pool == null || !left.isRequestSent() || !channel().isActive()) {
            abandon(left);
            return;
        }
        stopClock();
        var unwanted = new UnwantedAnswer(this);
        unwanted.begin();
        unwanted.requestSent();
        call = unwanted;
        waitingSince = NOT_WAITING;
        stuckSince = NOT_WAITING;
        schedule(UnwantedAnswer.WITHIN, UnwantedAnswer.WITHIN);
        resume();
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
        if (call == null && context != null) {
            close(context);
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (message instanceof HttpRequest request) {
            method = request.method();
            decoder.expectAnswerToHead(method.equals(HttpMethod.HEAD));
        }
        if (message instanceof LastHttpContent && call != null) {
            call.requestSent();
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
        if (call != null) {
            call.writabilityChanged();
        }
        context.fireChannelWritabilityChanged();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        var call = this.call;
        if (call == null || heldEnd != null) {
            // More than one answer, or one that nobody asked for.
            ReferenceCountUtil.release(message);
            lastOne = true;
            if (call == null) {
                close(context);
            }
            return;
        }
        switch (message) {
            case HttpResponse head -> readHead(context, head, call);
            case HttpContent content -> readContent(context, content, call);
            default -> throw new IllegalStateException("from the codec: " + message.getClass());
        }
    }

    private void readHead(ChannelHandlerContext context, HttpResponse head, UpstreamCall call) {
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
            call.switched(head, context.channel());
            return;
        }
        if (status < HttpResponseStatus.OK.code()) {
            interim = true;
            call.interim(head);
            ReferenceCountUtil.release(head);
            return;
        }
        headRead = true;
        waitingSince = NOT_WAITING;
        // Where upstream and gateway may disagree on where an answer ends, it is the last on its connection.
        lastOne |= !HttpUtil.isKeepAlive(head) || AnswerHeadRules.announcesBodyThatCannotBe(method, head);
        call.head(head);
    }

    private @Nullable String problemOf(HttpResponse head) {
        if (head.decoderResult().isFailure()) {
            return UpstreamProtocolError.unreadable(head.decoderResult().cause());
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
            return call == null ? "nobody asked" : call.problemOfSwitch(head);
        }
        if (status >= HttpResponseStatus.OK.code()) {
            return AnswerHeadRules.problemOfFinal(head);
        }
        return ++interims > MAX_INTERIMS
                ? "more than %d interim answers".formatted(MAX_INTERIMS)
                : AnswerHeadRules.problemOfInterim(head);
    }

    private void readContent(ChannelHandlerContext context, HttpContent content, UpstreamCall call) {
        if (interim) {
            if (content instanceof LastHttpContent) {
                interim = false;
            }
            content.release();
            return;
        }
        if (content.decoderResult().isFailure()) {
            content.release();
            fail(context, UpstreamProtocolError.of(content.decoderResult().cause()));
            return;
        }
        waitingSince = NOT_WAITING;
        if (content instanceof LastHttpContent end) {
            if (lost != null && !context.channel().isActive()) {
                // Only the end of the connection ended it, and that was no orderly one: some of it may be missing.
                end.release();
                return;
            }
            heldEnd = end;
        }
        if (content.content().isReadable()) {
            call.part(content.content().retain());
        }
        if (content != heldEnd) {
            content.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (call == null && decoder.hasBytesLeft()) {
            close(context);
        }
        passEnd(context);
        if (call != null) {
            call.readComplete();
        }
        context.fireChannelReadComplete();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        passEnd(context);
        var broken = call;
        if (broken != null) {
            over();
            if (!reused || decoder.hasBegun() || !broken.repeat()) {
                broken.failed(
                        lost != null
                                ? lost
                                : new EOFException(
                                        headRead ? "the answer broke off" : "the connection ended without an answer"));
            }
        }
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (pool == null) {
            // Still connecting.
            context.fireExceptionCaught(cause);
        } else if (isOfTransport(cause) && call != null && context.channel().isOpen()) {
            lose(cause);
        } else {
            fail(context, cause);
        }
    }

    private static boolean isOfTransport(Throwable cause) {
        return cause instanceof IOException
                && !(cause instanceof SSLException)
                && !(cause instanceof UpstreamProtocolError);
    }

    /**
     * An upstream that refuses a body answers and closes its connection, and what we still send it meets a reset. Its answer is
     * here all the same, and is read before the end of the connection is.
     */
    private void lose(Throwable cause) {
        lastOne = true;
        if (lost == null) {
            lost = cause;
        }
        if (stuckSince == NOT_WAITING) {
            stuckSince = System.nanoTime();
        }
        resume();
    }

    private void passEnd(ChannelHandlerContext context) {
        var end = heldEnd;
        var ended = call;
        if (end == null || ended == null) {
            return;
        }
        heldEnd = null;
        over();
        if (lastOne || !ended.isRequestSent() || decoder.hasBytesLeft() || pool == null) {
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
        call = null;
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
        if (call == null || context == null) {
            return;
        }
        long now = System.nanoTime();
        long since = stuckSince != NOT_WAITING ? stuckSince : call.isRequestSent() ? waitingSince : NOT_WAITING;
        var silent = since == NOT_WAITING ? Duration.ZERO : Duration.ofNanos(now - since);
        var rest = call.rest();
        if (silent.compareTo(call.timeout()) >= 0) {
            if (pool != null) {
                pool.suspect(this);
            }
            fail(context, new UpstreamSilent(call.timeout()));
        } else if (!rest.isPositive()) {
            fail(context, new StreamOver(call.longest()));
        } else {
            schedule(call.timeout().minus(silent), rest);
        }
    }

    private void fail(ChannelHandlerContext context, Throwable why) {
        var failing = call;
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
