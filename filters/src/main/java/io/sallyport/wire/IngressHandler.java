// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.ingress.Ingress;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.ClientAddress;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.RequestIds;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.wire.framing.FramingGuard;
import io.sallyport.wire.shedding.LoadShedding;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.netty.Connection;
import reactor.netty.ConnectionObserver;
import reactor.netty.channel.ChannelOperations;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.http.server.HttpServerState;

/**
 * The only request handler of the ingress port: judges each request before anything else has seen it, or has been asked to by
 * {@link Http1Requests} when its head was read. No reactive operator is made for a refusal; a permit goes to the forwarder. Runs
 * on the request's event loop.
 */
public final class IngressHandler implements BiFunction<HttpServerRequest, HttpServerResponse, Publisher<Void>> {
    private static final Denial NOT_READY = new Denial.Unavailable(Reason.PIPELINE_NOT_READY, Duration.ofSeconds(1));
    private static final Snapshot NO_SNAPSHOT = new Snapshot("none", List.of(), Map.of());

    private final Ingress ingress;
    private final Supplier<@Nullable Snapshot> snapshots;
    private final InstantSource clock;
    private final LoadShedding shedding;
    private final Duration bodyTimeout;
    private final Duration answerTimeout;

    /** Requests that are answered without the server, which does not wait for them when it stops. */
    private final LongAdder answering = new LongAdder();

    /**
     * Takes what it asks, in this order.
     *
     * @param shedding asked before anything else
     * @param snapshots the configuration in force, from memory; null until there is one, and again when the gateway stops: the
     *     answer is then 503
     */
    public IngressHandler(
            LoadShedding shedding,
            Ingress ingress,
            Supplier<@Nullable Snapshot> snapshots,
            InstantSource clock,
            ListenerConfig listener) {
        this.shedding = shedding;
        this.ingress = ingress;
        this.snapshots = snapshots;
        this.clock = clock;
        this.bodyTimeout = listener.bodyTimeout();
        this.answerTimeout = listener.answerTimeout();
    }

    @Override
    public Publisher<Void> apply(HttpServerRequest request, HttpServerResponse response) {
        var channel = Wire.channelOf(request);
        var before = Http1Requests.judgedOn(channel);
        var judged = before == null ? judge(WireRequestHead.of(request, ConnectionFacts.of(channel)), channel) : before;
        var context = judged.context();
        try {
            if (context.head().isHttp2()) {
                // The connection's own sees what is left of it all; one stream may be held back alone.
                AnswerDeadline.ofStream(channel, answerTimeout);
            }
            return switch (judged.admission()) {
                case Admission.Refused(var denial) -> DenialWriter.answer(denial, context, request, response);
                case Admission.Permitted permitted ->
                    new ServerExchange(ingress, context, request, response, bodyTimeout, permitted);
                case Admission.Awaited awaited ->
                    new ServerExchange(ingress, context, request, response, bodyTimeout, awaited);
            };
        } catch (Throwable e) {
            var denial = Unforeseen.failure(e, context).denial();
            ingress.conclude(context, new Outcome.Refused(denial));
            return DenialWriter.answer(denial, context, request, response);
        }
    }

    /**
     * An exchange without the server's, for a request that has neither a body nor asks for more than an answer; null where its
     * route needs one of the server's all the same. On the channel's event loop.
     *
     * @param last whether the connection ends with its answer
     */
    @Nullable
    DirectExchange direct(Judged judged, ChannelHandlerContext client, Http1Requests connection, boolean last) {
        var route = judged.context().route();
        var forwarder = route == null ? null : ingress.forwarder().direct(route);
        return forwarder == null
                ? null
                : new DirectExchange(ingress, judged, forwarder, client, connection, last, answering);
    }

    /** Whether a request is under way of which the server does not know. On whatever thread. */
    public boolean isAnswering() {
        return answering.sum() > 0;
    }

    /** Ends what was judged and then not asked for: the server has answered in our place. On its event loop. */
    void ignored(Judged judged) {
        ingress.conclude(judged.context(), new Outcome.Refused(new Denial.Rejected(Reason.EDGE_PROTOCOL_ERROR)));
    }

    /** Asks every stage. A refusal is recorded, whoever writes it. On the channel's event loop. */
    Judged judge(RequestHead head, Channel channel) {
        var snapshot = snapshots.get();
        var context = newContext(head, snapshot == null ? NO_SNAPSHOT : snapshot, channel.eventLoop());
        try {
            var overload = shedding.refusalOf(context.requestId(), channel.eventLoop());
            if (overload != null || snapshot == null) {
                context.client(directly(head));
                return refused(overload == null ? NOT_READY : overload, context);
            }
            var admission = ingress.admit(context);
            if (admission instanceof Admission.Refused(var denial)) {
                ingress.conclude(context, new Outcome.Refused(denial));
            }
            return new Judged(context, admission);
        } catch (Throwable e) {
            // Whatever nobody foresaw is a refusal like any other: recorded, with an answer that tells nothing.
            return refused(Unforeseen.failure(e, context).denial(), context);
        }
    }

    /**
     * Refuses bytes that will not be a message, or not the rest of one: as {@link FramingGuard} reports them. An answer that is
     * under way to an earlier request on the same connection is finished first.
     *
     * @param here a handler between TLS and the codec; on its event loop
     * @param bodyPhase whether they belong to a body, whose request may be on its way to an upstream
     */
    void refuseBytes(ChannelHandlerContext here, Reason reason, boolean bodyPhase) {
        var denial = new Denial.Rejected(reason);
        var channel = here.channel();
        var receiving = ServerExchange.receivingOn(channel);
        if (bodyPhase && receiving != null) {
            receiving.fail(denial);
            return;
        }
        var requests = Http1Requests.of(channel);
        if (requests != null && requests.isAnswering()) {
            requests.afterwards(() -> refuseBytes(here, reason, bodyPhase));
            return;
        }
        var answering = ChannelOperations.get(channel);
        if (answering != null && channel.isActive()) {
            // On the loop, not at once: the next of several pipelined requests begins there, and is before us.
            answering
                    .onTerminate()
                    .subscribe(
                            null, null, () -> channel.eventLoop().execute(() -> refuseBytes(here, reason, bodyPhase)));
            return;
        }
        if (bodyPhase) {
            // The request that they belong to has had its answer and its outcome: nobody waits for another.
            Wire.abort(channel, false);
            return;
        }
        DenialWriter.answerRaw(here, denial, recordUnread(denial, channel, false));
    }

    /** Records what the server's codec answered by itself, before there was a request: it does so on HTTP/2. */
    void onState(Connection connection, ConnectionObserver.State state) {
        var channel = connection.channel();
        // A client that goes away within a head has asked for nothing.
        if (state != HttpServerState.REQUEST_DECODING_FAILED || !channel.isActive()) {
            return;
        }
        var receiving = ServerExchange.receivingOn(channel);
        if (receiving != null) {
            receiving.fail(new Denial.Rejected(Reason.EDGE_BODY_MALFORMED));
        } else {
            recordUnread(
                    new Denial.Rejected(Reason.EDGE_PROTOCOL_ERROR), channel, channel instanceof Http2StreamChannel);
        }
    }

    /** Records what was refused on an HTTP/2 connection before there was a request. On its event loop. */
    void recordUnread(Channel connection, Reason reason) {
        recordUnread(new Denial.Rejected(reason), connection, true);
    }

    private RequestContext recordUnread(Denial denial, Channel channel, boolean http2) {
        var snapshot = snapshots.get();
        var head = new UnreadRequestHead(ConnectionFacts.of(channel), http2);
        var context = newContext(head, snapshot == null ? NO_SNAPSHOT : snapshot, channel.eventLoop());
        context.client(directly(head));
        ingress.conclude(context, new Outcome.Refused(denial));
        return context;
    }

    // Nobody has read X-Forwarded-For when this is asked.
    private static ClientAddress directly(RequestHead head) {
        return new ClientAddress(head.peerAddress().getAddress(), false);
    }

    private Judged refused(Denial denial, RequestContext context) {
        ingress.conclude(context, new Outcome.Refused(denial));
        return new Judged(context, new Admission.Refused(denial));
    }

    private RequestContext newContext(RequestHead head, Snapshot snapshot, Executor eventLoop) {
        var now = clock.instant();
        return new RequestContext(
                head, snapshot, RequestIds.mint(now.toEpochMilli()), now, System.nanoTime(), eventLoop);
    }
}
