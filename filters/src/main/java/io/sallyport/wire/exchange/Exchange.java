// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.EncoderException;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GenericFutureListener;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.Body;
import io.sallyport.forward.ClientExchange;
import io.sallyport.forward.RequestHeaders;
import io.sallyport.forward.ResponseHeaders;
import io.sallyport.forward.Tunnel;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.wire.answer.DenialResponse;
import io.sallyport.wire.answer.GrpcRefusal;
import io.sallyport.wire.answer.HealthResponse;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.netty.channel.AbortedException;

/**
 * One request from its head to its end. Has it judged, hands the permit to the forwarder, and is the only way on which a response
 * reaches the client. Ends exactly once, with one outcome, whoever comes first: the answer, a denial, a failure, the client that
 * leaves, or the wire itself when the body turns out too large, too late or broken.
 *
 * <p>Knows nothing of turns or streams: those are its {@link ClientConnection}'s. Confined to the request's event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write fails with its connection, whose end is noticed elsewhere
public final class Exchange implements ClientExchange, GenericFutureListener<Future<? super Void>> {
    private static final Denial STOPPED = new Denial.Unavailable(Reason.FORWARD_GATEWAY_STOPPED, Duration.ofSeconds(1));
    private static final Denial ANSWER_TIMEOUT = new Denial.Rejected(Reason.EDGE_ANSWER_TIMEOUT);
    private static final String EVENT_STREAM = "text/event-stream";

    private final IngressHandler handler;
    private final ClientConnection connection;
    private final RequestContext context;

    private @Nullable RequestBody body;

    /** What a leave of the client cancels while a stage is asking somebody. */
    private @Nullable Subscription asking;

    /** The same once there is a permit. */
    private @Nullable Leave leave;

    private @Nullable AnswerWriter writer;
    private @Nullable Tunnel tunnel;

    /** The status that the client has been sent, or is being sent; 0 if none has. */
    private int sent;

    /** The last message of the answer has been written: what comes of that write decides. */
    private boolean lastWritten;

    /** The client has been told to send its body. */
    private boolean continued;

    private boolean permitted;
    private boolean goingAway;
    private boolean ended;

    Exchange(IngressHandler handler, ClientConnection connection, RequestContext context) {
        this.handler = handler;
        this.connection = connection;
        this.context = context;
    }

    /** Has the request judged, and answered. May be over when this returns. */
    public void begin() {
        if (handler.isHealthCheck(context.head())) {
            ended = true;
            writeWhole(HealthResponse.of(handler.isDraining(), context), hasUnreadBody());
            return;
        }
        var admission = handler.judge(context);
        if (admission instanceof Admission.Refused(var denial)) {
            ended = true;
            sendRefusal(denial);
            return;
        }
        permitted = true;
        handler.opened();
        try {
            if (RequestHeaders.announceBody(context.head().headers())) {
                body = handler.bodyOf(this, context);
                body.begin();
            }
            switch (admission) {
                case Admission.Settled settled -> settled(settled);
                case Admission.Awaited(var awaited) -> awaited.subscribe(new AdmissionSubscriber());
            }
        } catch (Throwable e) {
            fail(e);
        }
    }

    private void settled(Admission.Settled settled) {
        asking = null;
        if (ended) {
            return;
        }
        try {
            switch (settled) {
                case Admission.Permitted _ when body != null && body.isTooLarge() -> refuse(RequestBody.TOO_LARGE);
                case Admission.Permitted(var permit) -> handler.forwarder().forward(permit, this);
                case Admission.Refused(var denial) -> refuse(denial);
            }
        } catch (Throwable e) {
            fail(e);
        }
    }

    // The request

    @Override
    public EventLoop eventLoop() {
        return connection.context().channel().eventLoop();
    }

    @Override
    public boolean hasLeft() {
        return ended || !connection.context().channel().isActive();
    }

    @Override
    public Body body() {
        return body == null ? Body.NONE : body;
    }

    @Override
    public void onLeave(Leave leave) {
        this.leave = leave;
    }

    /** Whether its body is still being read, so that what arrives belongs to it. */
    public boolean isReceiving() {
        return body != null && !body.hasArrived();
    }

    /** Whether the next part of its body is to be read from the client. */
    public boolean wantsBody() {
        return body == null || body.isWanted();
    }

    /** Whether so much of its body waits for a taker that no more is to be read, now and not when all has been that came with it. */
    public boolean holdsTooMuch() {
        return body != null && body.holdsTooMuch();
    }

    /** Some of the request behind its head has been read. Released here. */
    public void read(HttpContent content) {
        if (body == null) {
            content.release();
        } else if (content.decoderResult().isFailure()) {
            content.release();
            refuse(new Denial.Rejected(Reason.EDGE_BODY_MALFORMED));
        } else {
            body.read(content);
        }
    }

    /** All that arrived together has been passed on. */
    public void readComplete() {
        if (body != null) {
            body.readComplete();
        }
    }

    /** The forwarder has begun to read the body. */
    void bodyTaken() {
        sayContinue();
    }

    private void sayContinue() {
        if (context.head().headers().containsValue(HttpHeaderNames.EXPECT, HttpHeaderValues.CONTINUE, true)) {
            interim(
                    HttpResponseStatus.CONTINUE,
                    DefaultHttpHeadersFactory.headersFactory().newHeaders());
        }
    }

    void bodyWantedChanged() {
        connection.bodyWantedChanged();
    }

    // The response

    @Override
    public void interim(HttpResponseStatus interim, HttpHeaders head) {
        boolean twice = continued && interim.code() == HttpResponseStatus.CONTINUE.code();
        if (!ended && sent == 0 && connection.knowsChunks() && !twice) {
            continued |= interim.code() == HttpResponseStatus.CONTINUE.code();
            var client = connection.context();
            client.writeAndFlush(
                    new DefaultFullHttpResponse(
                            HttpVersion.HTTP_1_1, interim, Unpooled.EMPTY_BUFFER, head, EmptyHttpHeaders.INSTANCE),
                    client.voidPromise());
        }
    }

    @Override
    public void answer(HttpResponseStatus status, HttpHeaders head, Body content) {
        if (ended || sent != 0) {
            content.discard();
            return;
        }
        sent = status.code();
        var client = connection.context();
        var withTrailers = acceptsTrailers();
        var whole = withTrailers && !content.trailers().isEmpty() ? null : content.takeWhole(client.alloc());
        connection.beginResponse(head, whole != null && isReceiving());
        if (whole != null) {
            if (!ResponseHeaders.isBodiless(context.head().method(), status)
                    && !head.contains(HttpHeaderNames.CONTENT_LENGTH)) {
                head.set(HttpHeaderNames.CONTENT_LENGTH, Integer.toString(whole.readableBytes()));
            }
            writeLast(
                    new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, whole, head, EmptyHttpHeaders.INSTANCE));
            return;
        }
        if (connection.knowsChunks() && !head.contains(HttpHeaderNames.CONTENT_LENGTH)) {
            head.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        client.write(new DefaultHttpResponse(HttpVersion.HTTP_1_1, status, head), client.voidPromise());
        writer = new AnswerWriter(this, client, content, withTrailers, isEvents(head) ? new EventBoundary() : null);
        content.take(writer);
        client.flush();
        if (goingAway) {
            endStream();
        }
    }

    private static boolean isEvents(HttpHeaders head) {
        var type = head.get(HttpHeaderNames.CONTENT_TYPE);
        return type != null
                && type.regionMatches(true, 0, EVENT_STREAM, 0, EVENT_STREAM.length())
                && !head.contains(HttpHeaderNames.CONTENT_LENGTH);
    }

    // RFC 9110 section 6.5.1: to a client that did not ask for trailer fields they may be dropped.
    private boolean acceptsTrailers() {
        var head = context.head();
        return head.isHttp2()
                || (connection.knowsChunks()
                        && head.headers().containsValue(HttpHeaderNames.TE, HttpHeaderValues.TRAILERS, true));
    }

    void writeLast(HttpObject last) {
        if (ended) {
            return;
        }
        lastWritten = true;
        var client = connection.context();
        ChannelPromise written = client.newPromise();
        written.addListener(this);
        client.writeAndFlush(last, written);
    }

    /** The last message has been written, or could not be. */
    @Override
    public void operationComplete(Future<? super Void> written) {
        if (ended) {
            return;
        }
        if (written.isSuccess()) {
            conclude(new Outcome.Answered(sent));
            connection.finished(isReceiving());
        } else if (written.cause() instanceof EncoderException broken) {
            fail(broken);
        } else {
            leave();
        }
    }

    private void leave() {
        conclude(cancelled());
        connection.abort();
    }

    /** The client takes more of the response, or no more for now. */
    public void writabilityChanged() {
        if (writer != null) {
            writer.writabilityChanged();
        }
    }

    @Override
    public boolean awaitSwitch(Runnable wentOn) {
        return connection.awaitSwitch(wentOn);
    }

    @Override
    public void switchProtocol(HttpHeaders head, Tunnel tunnel) {
        if (ended || sent != 0) {
            return;
        }
        // RFC 9110 section 7.8: who asked for it gets it first, with nothing to send or not.
        sayContinue();
        sent = HttpResponseStatus.SWITCHING_PROTOCOLS.code();
        this.tunnel = tunnel;
        var client = connection.context();
        client.writeAndFlush(new DefaultFullHttpResponse(
                        HttpVersion.HTTP_1_1,
                        HttpResponseStatus.SWITCHING_PROTOCOLS,
                        Unpooled.EMPTY_BUFFER,
                        head,
                        EmptyHttpHeaders.INSTANCE))
                .addListener(written -> {
                    if (!ended && written.isSuccess()) {
                        connection.leaveHttp(tunnel);
                        if (goingAway) {
                            tunnel.goAway();
                        }
                    }
                });
    }

    @Override
    public void tunnelClosed() {
        if (!ended) {
            conclude(new Outcome.Answered(sent));
        }
    }

    // The ends

    @Override
    public void fail(Throwable why) {
        if (!ended) {
            if (!(why instanceof ForwardFailure) && (hasLeft() || AbortedException.isConnectionReset(why))) {
                leave();
            } else {
                refuse(Unforeseen.failure(why, context).denial());
            }
        }
    }

    /** Upstream first: it never gets a request that looks complete. */
    @Override
    public void refuse(Denial denial) {
        if (ended) {
            return;
        }
        if (sent != 0) {
            var last = endOf(denial);
            conclude(new Outcome.Aborted(sent, denial));
            if (last != null) {
                connection.context().writeAndFlush(last).addListener(_ -> connection.finished(isReceiving()));
            } else if (tunnel == null) {
                connection.abort();
            }
            // Else there is a Close frame on its way to the client; the tunnel ends its connections by itself.
            return;
        }
        conclude(new Outcome.Refused(denial));
        sendRefusal(denial);
    }

    /** What completes a stream that ends here for no fault of the upstream; null if it can only be broken off. */
    private @Nullable LastHttpContent endOf(Denial denial) {
        if (writer == null || lastWritten) {
            return null;
        }
        var inOrder =
                denial.reason() == Reason.FORWARD_GATEWAY_STOPPED || denial.reason() == Reason.FORWARD_STREAM_OVER;
        if (GrpcRefusal.isFor(context) && (inOrder || denial.reason() == Reason.EDGE_BODY_TOO_LARGE)) {
            return new DefaultLastHttpContent(Unpooled.EMPTY_BUFFER, GrpcRefusal.trailers(denial, hasExpired()));
        }
        if (!inOrder) {
            return null;
        }
        return writer.isBetweenEvents() ? LastHttpContent.EMPTY_LAST_CONTENT : null;
    }

    /** Whether what the caller proved itself with has expired since. */
    private boolean hasExpired() {
        var now = context.receivedAt().plusNanos(System.nanoTime() - context.startedNanos());
        return switch (context.principal()) {
            case Principal.Anonymous _ -> false;
            case Principal.Workload workload -> workload.expiresAt().isBefore(now);
            case Principal.Subject subject -> subject.expiresAt().isBefore(now);
        };
    }

    private void sendRefusal(Denial denial) {
        try {
            writeRefusal(denial);
        } catch (RuntimeException _) {
            // Whatever failed before may fail here too, the rules for other origins for instance: then nothing is
            // answered at all.
            connection.abort();
        }
    }

    private void writeRefusal(Denial denial) {
        var message = DenialResponse.of(denial, context, connection.context().alloc());
        writeWhole(
                message, context.head().isHttp2() ? hasUnreadBody() : DenialResponse.endsConnection(context, denial));
    }

    private boolean hasUnreadBody() {
        return RequestHeaders.announceBody(context.head().headers()) && (body == null || !body.hasArrived());
    }

    /** @param unread whether nobody will read what is left of the request */
    private void writeWhole(FullHttpResponse message, boolean unread) {
        var client = connection.context();
        if (connection.beginResponse(message.headers(), unread)) {
            client.writeAndFlush(message).addListener(_ -> connection.finished(unread));
        } else {
            client.writeAndFlush(message, client.voidPromise());
            connection.finished(unread);
        }
    }

    /** The stream was reset for what came on it: nothing can be answered any more. */
    public void breakOff(Denial.Rejected denial) {
        if (!ended) {
            conclude(sent == 0 ? new Outcome.Refused(denial) : new Outcome.Aborted(sent, denial));
        }
    }

    /** The client's connection or stream has ended. */
    public void clientGone() {
        // What has been written already is told of by its own promise.
        if (!ended && !lastWritten) {
            conclude(cancelled());
        }
    }

    /** The client went away, or we from it because it did not take its answer. */
    private Outcome cancelled() {
        return sent != 0 && AnswerDeadline.hasPassed(connection.context().channel())
                ? new Outcome.Aborted(sent, ANSWER_TIMEOUT)
                : new Outcome.Cancelled(sent);
    }

    /** The gateway stops: streams end as their protocols say; anything else has the grace to be completed in. */
    public void goAway() {
        if (ended || goingAway) {
            return;
        }
        goingAway = true;
        eventLoop().schedule(this::stop, handler.shutdownGrace().toMillis(), TimeUnit.MILLISECONDS);
        endStream();
    }

    private void endStream() {
        if (tunnel != null) {
            tunnel.goAway();
        } else if (writer != null && GrpcRefusal.isFor(context)) {
            stop();
        } else if (writer != null) {
            writer.endBetweenEvents();
        }
    }

    /** Ends the exchange because the gateway stops. */
    void stop() {
        refuse(STOPPED);
    }

    /** Records what came of it, and lets go of everything that is under way for it. */
    private void conclude(Outcome outcome) {
        ended = true;
        if (body != null) {
            body.stop();
        }
        if (asking != null) {
            asking.cancel();
        }
        if (leave != null && !(outcome instanceof Outcome.Answered)) {
            leave.clientLeft();
        }
        handler.conclude(context, outcome);
        if (permitted) {
            handler.closed();
        }
    }

    /** The pipeline answers on the request's event loop, exactly once, and never fails. */
    private final class AdmissionSubscriber implements CoreSubscriber<Admission.Settled> {
        @Override
        public void onSubscribe(Subscription subscription) {
            if (ended) {
                subscription.cancel();
            } else {
                asking = subscription;
                subscription.request(1);
            }
        }

        @Override
        public void onNext(Admission.Settled settled) {
            settled(settled);
        }

        @Override
        public void onError(Throwable error) {
            fail(error);
        }

        @Override
        public void onComplete() {}
    }
}
