// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.AttributeKey;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.edge.EdgeSettings;
import io.sallyport.forward.ForwardFailure;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.UpstreamProtocol;
import io.sallyport.ingress.Ingress;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.netty.channel.AbortedException;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.util.context.Context;

/**
 * A request that was not refused at once, until its end: waits for the pipeline if it must, hands the permit to the forwarder,
 * and ends exactly once, whoever comes first: the answer, a denial, a failure, the client going away, or the wire itself when
 * the body turns out too large, too late or broken ({@link #fail}).
 *
 * <p>Reactor Netty subscribes to it once and cancels it when the connection or the stream is gone. Confined to the request's
 * event loop: signals of a forwarder that come on another thread are moved here.
 */
final class Exchange extends Mono<Void> implements Subscription {
    private static final AttributeKey<Exchange> CURRENT = AttributeKey.valueOf(Exchange.class, "current");

    private final Ingress ingress;
    private final RequestContext context;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final Duration bodyTimeout;
    private final Admission admission;
    private final Channel channel;
    private final EventLoop eventLoop;

    private @Nullable CoreSubscriber<? super Void> client;
    /** What a cancel cancels: the stage that is asking, then the forwarder. */
    private @Nullable Subscription underWay;

    private @Nullable BodyWatch body;
    private boolean ended;

    /** @param admission any but a refusal */
    Exchange(
            Ingress ingress,
            RequestContext context,
            HttpServerRequest request,
            HttpServerResponse response,
            Duration bodyTimeout,
            Admission admission) {
        this.ingress = ingress;
        this.context = context;
        this.request = request;
        this.response = response;
        this.bodyTimeout = bodyTimeout;
        this.admission = admission;
        this.channel = Wire.channelOf(request);
        this.eventLoop = channel.eventLoop();
    }

    /** The exchange whose request is still sending its body on this HTTP/1.1 connection, or null. On its event loop. */
    static @Nullable Exchange receivingOn(Channel channel) {
        return channel.attr(CURRENT).get();
    }

    @Override
    public void subscribe(CoreSubscriber<? super Void> client) {
        this.client = client;
        client.onSubscribe(this);
        if (ended) {
            return;
        }
        try {
            watchBody();
            switch (admission) {
                case Admission.Settled settled -> settle(settled);
                case Admission.Awaited(var awaited) -> awaited.subscribe(new AdmissionSubscriber());
            }
        } catch (Throwable e) {
            failed(e);
        }
    }

    private void watchBody() {
        var route = context.route();
        if (route != null && Wire.announcesBody(request.requestHeaders())) {
            var limit = context.snapshot()
                    .settings(StageName.EDGE, EdgeSettings.class)
                    .bodyLimitOf(route);
            var patience = isConversation(route) ? null : bodyTimeout;
            body = BodyWatch.start(this, channel, request.requestHeaders(), limit, patience);
            channel.attr(CURRENT).set(this);
        }
    }

    /** Whether this is a call of gRPC, whose client sends when it has something to say: {@code max-stream} limits that. */
    private boolean isConversation(Route route) {
        var plan = route.settings(StageName.FORWARD, ForwardPlan.class);
        return plan != null && plan.target().protocol() == UpstreamProtocol.H2 && GrpcRefusal.isFor(context);
    }

    private void settle(Admission.Settled settled) {
        switch (settled) {
            case Admission.Permitted(var permit) -> forward(permit);
            case Admission.Refused(var denial) -> end(denial);
        }
    }

    private void forward(Permit permit) {
        if (ended) {
            return;
        }
        try {
            ingress.forwarder().forward(permit, request, response).subscribe(new ForwardSubscriber());
        } catch (Throwable e) {
            failed(e);
        }
    }

    /** The body has been read to its end: from here on the connection's bytes are another request's. */
    void bodyReceived() {
        channel.attr(CURRENT).set(null);
        body = null;
    }

    /**
     * Ends this exchange for a reason that only the wire sees, upstream first: it never gets a request that looks complete. On
     * the request's event loop; does nothing once the exchange has ended.
     */
    void fail(Denial denial) {
        if (ended) {
            return;
        }
        cancelUnderWay();
        end(denial);
    }

    /**
     * Ends this exchange because its stream was reset for what came on it: nothing can be answered any more. On the request's
     * event loop; does nothing once the exchange has ended.
     */
    void breakOff(Denial.Rejected denial) {
        if (ended) {
            return;
        }
        cancelUnderWay();
        conclude(
                response.hasSentHeaders()
                        ? new Outcome.Aborted(response.status().code(), denial.reason())
                        : new Outcome.Refused(denial));
    }

    private void answered() {
        if (ended) {
            return;
        }
        conclude(isCut() ? cancelled() : new Outcome.Answered(response.status().code()));
        complete();
    }

    /** Reactor Netty also completes the sending of an answer when the connection ends under it. */
    private boolean isCut() {
        return !channel.isActive() && !Wire.isFinished(request);
    }

    private void failed(Throwable error) {
        if (ended) {
            return;
        }
        if (!(error instanceof ForwardFailure) && (isCut() || AbortedException.isConnectionReset(error))) {
            conclude(cancelled());
            complete();
            return;
        }
        end(Unforeseen.failure(error, context).denial());
    }

    private void end(Denial denial) {
        if (ended) {
            return;
        }
        if (response.hasSentHeaders()) {
            conclude(new Outcome.Aborted(response.status().code(), denial.reason()));
            // The client's subscription is left alone: completing it would complete the answer.
            abort();
            return;
        }
        conclude(new Outcome.Refused(denial));
        try {
            // An error means that the connection is gone already; it must not become the 500 that Reactor Netty would
            // make.
            Mono.fromDirect(DenialWriter.answer(denial, context, request, response))
                    .subscribe(null, _ -> abort(), this::complete);
        } catch (RuntimeException _) {
            // A forwarder began to answer at this very moment, on another thread: whatever it sends is not an answer.
            abort();
        }
    }

    private void abort() {
        if (isSwitched()) {
            // There is a Close frame on its way to the client; the WebSocket ends its connections by itself.
            return;
        }
        Wire.abort(channel, context.head().isHttp2());
    }

    @Override
    public void cancel() {
        if (!eventLoop.inEventLoop()) {
            eventLoop.execute(this::cancel);
            return;
        }
        if (ended) {
            return;
        }
        cancelUnderWay();
        conclude(cancelled());
    }

    /** The client went away, or we from it because it did not take its answer. */
    private Outcome cancelled() {
        if (!response.hasSentHeaders()) {
            return new Outcome.Cancelled(0);
        }
        int status = response.status().code();
        return AnswerDeadline.hasPassed(channel)
                ? new Outcome.Aborted(status, Reason.EDGE_ANSWER_TIMEOUT)
                : new Outcome.Cancelled(status);
    }

    private void conclude(Outcome outcome) {
        ended = true;
        if (body != null) {
            body.stop();
            bodyReceived();
        }
        ingress.conclude(context, outcome);
    }

    private void cancelUnderWay() {
        if (underWay != null) {
            underWay.cancel();
        }
    }

    /** Whether the connection has become a WebSocket: nothing of HTTP is to be written any more, or completed. */
    private boolean isSwitched() {
        return response.hasSentHeaders() && response.status().equals(HttpResponseStatus.SWITCHING_PROTOCOLS);
    }

    private void complete() {
        if (client != null && !isSwitched()) {
            client.onComplete();
        }
    }

    @Override
    public void request(long n) {
        // Nothing is ever emitted.
    }

    private Context clientContext() {
        return client == null ? Context.empty() : client.currentContext();
    }

    private void proceed(Subscription subscription, long demand) {
        underWay = subscription;
        if (ended) {
            subscription.cancel();
        } else {
            subscription.request(demand);
        }
    }

    /** The pipeline answers on the request's event loop, exactly once, and never fails. */
    private final class AdmissionSubscriber implements CoreSubscriber<Admission.Settled> {
        @Override
        public void onSubscribe(Subscription subscription) {
            proceed(subscription, 1);
        }

        @Override
        public void onNext(Admission.Settled settled) {
            if (!ended) {
                settle(settled);
            }
        }

        @Override
        public void onError(Throwable error) {
            failed(error);
        }

        @Override
        public void onComplete() {}

        @Override
        public Context currentContext() {
            return clientContext();
        }
    }

    /** A forwarder may answer on the thread of its upstream's connection. */
    private final class ForwardSubscriber implements CoreSubscriber<Void> {
        @Override
        public void onSubscribe(Subscription subscription) {
            proceed(subscription, Long.MAX_VALUE);
        }

        @Override
        public void onNext(Void nothing) {}

        @Override
        public void onError(Throwable error) {
            if (eventLoop.inEventLoop()) {
                failed(error);
            } else {
                eventLoop.execute(() -> failed(error));
            }
        }

        @Override
        public void onComplete() {
            if (eventLoop.inEventLoop()) {
                answered();
            } else {
                eventLoop.execute(Exchange.this::answered);
            }
        }

        @Override
        public Context currentContext() {
            return clientContext();
        }
    }
}
