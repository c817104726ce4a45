// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.AttributeKey;
import io.sallyport.decision.Denial;
import io.sallyport.edge.EdgeSettings;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.upstream.UpstreamProtocol;
import io.sallyport.ingress.Ingress;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.util.context.Context;

/**
 * An exchange of Reactor Netty's server, which frames the answer, paces the body and holds back the next request. It subscribes
 * once, and cancels when the connection or the stream is gone. Signals of a forwarder that come on another thread are moved to
 * the event loop.
 */
final class ServerExchange extends Exchange implements Publisher<Void>, Subscription {
    private static final AttributeKey<ServerExchange> CURRENT = AttributeKey.valueOf(ServerExchange.class, "current");

    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final Duration bodyTimeout;
    private final Admission admission;

    private @Nullable CoreSubscriber<? super Void> client;
    private @Nullable BodyWatch body;

    /** @param admission any but a refusal */
    ServerExchange(
            Ingress ingress,
            RequestContext context,
            HttpServerRequest request,
            HttpServerResponse response,
            Duration bodyTimeout,
            Admission admission) {
        super(ingress, context, Wire.channelOf(request));
        this.request = request;
        this.response = response;
        this.bodyTimeout = bodyTimeout;
        this.admission = admission;
    }

    /** The exchange whose request is still sending its body on this HTTP/1.1 connection, or null. On its event loop. */
    static @Nullable ServerExchange receivingOn(Channel channel) {
        return channel.attr(CURRENT).get();
    }

    @Override
    public void subscribe(Subscriber<? super Void> subscriber) {
        client = Operators.toCoreSubscriber(subscriber);
        client.onSubscribe(this);
        if (hasEnded()) {
            return;
        }
        try {
            watchBody();
        } catch (RuntimeException e) {
            failed(e);
            return;
        }
        settle(admission);
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

    /** The body has been read to its end: from here on the connection's bytes are another request's. */
    void bodyReceived() {
        channel.attr(CURRENT).set(null);
        body = null;
    }

    @Override
    void forward(Permit permit) {
        ingress.forwarder().forward(permit, request, response).subscribe(new ForwardSubscriber());
    }

    @Override
    int status() {
        return response.hasSentHeaders() ? response.status().code() : 0;
    }

    /** Reactor Netty also completes the sending of an answer when the connection ends under it. */
    @Override
    boolean isCut() {
        return !channel.isActive() && !Wire.isFinished(request);
    }

    @Override
    void refuse(Denial denial) {
        // An error means that the connection is gone already; it must not become the 500 that Reactor Netty would make.
        Mono.fromDirect(DenialWriter.answer(denial, context, request, response))
                .subscribe(null, _ -> abort(), this::complete);
    }

    @Override
    void abort() {
        if (isSwitched()) {
            // There is a Close frame on its way to the client; the WebSocket ends its connections by itself.
            return;
        }
        Wire.abort(channel, context.head().isHttp2());
    }

    @Override
    void complete() {
        if (client != null && !isSwitched()) {
            client.onComplete();
        }
    }

    /** Whether the connection has become a WebSocket: nothing of HTTP is to be written any more, or completed. */
    private boolean isSwitched() {
        return status() == HttpResponseStatus.SWITCHING_PROTOCOLS.code();
    }

    @Override
    void conclude(Outcome outcome) {
        if (body != null) {
            body.stop();
            bodyReceived();
        }
        super.conclude(outcome);
    }

    @Override
    public void cancel() {
        if (eventLoop.inEventLoop()) {
            clientGone();
        } else {
            eventLoop.execute(this::clientGone);
        }
    }

    @Override
    public void request(long n) {
        // Nothing is ever emitted.
    }

    @Override
    Context clientContext() {
        return client == null ? Context.empty() : client.currentContext();
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
                eventLoop.execute(ServerExchange.this::answered);
            }
        }

        @Override
        public Context currentContext() {
            return clientContext();
        }
    }
}
