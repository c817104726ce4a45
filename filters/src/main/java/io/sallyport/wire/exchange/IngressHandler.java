// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.edge.EdgeSettings;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.upstream.UpstreamProtocol;
import io.sallyport.ingress.Ingress;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.ClientAddress;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.RequestIds;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.answer.GrpcRefusal;
import io.sallyport.wire.shedding.LoadShedding;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Judges each request of the ingress port before anything else has seen it, and records how it ended: one reading of the clock, one
 * snapshot, one outcome. No reactive operator is made on the way to a permit or a refusal. Runs on the request's event loop.
 */
public final class IngressHandler {
    private static final Denial NOT_READY = new Denial.Unavailable(Reason.PIPELINE_NOT_READY, Duration.ofSeconds(1));
    private static final Snapshot NO_SNAPSHOT = new Snapshot("none", List.of(), Map.of());

    private final Ingress ingress;
    private final Supplier<@Nullable Snapshot> snapshots;
    private final InstantSource clock;
    private final LoadShedding shedding;
    private final Duration bodyTimeout;
    private final Duration shutdownGrace;
    private final @Nullable String healthPath;
    private volatile boolean draining;

    /** Requests that were not refused at once and have not ended. */
    private final LongAdder open = new LongAdder();

    /**
     * Takes what it asks, in this order.
     *
     * @param shedding asked before anything else
     * @param snapshots the configuration in force, from memory; null until there is one, and again when the gateway stops: the
     *     answer is then 503
     * @param bodyTimeout the longest that a body that is waited for may stand still
     * @param shutdownGrace the longest that a request may last once the gateway stops
     * @param healthPath what health checks ask for; null if they ask elsewhere
     */
    public IngressHandler(
            LoadShedding shedding,
            Ingress ingress,
            Supplier<@Nullable Snapshot> snapshots,
            InstantSource clock,
            Duration bodyTimeout,
            Duration shutdownGrace,
            @Nullable String healthPath) {
        this.shedding = shedding;
        this.ingress = ingress;
        this.snapshots = snapshots;
        this.clock = clock;
        this.bodyTimeout = bodyTimeout;
        this.shutdownGrace = shutdownGrace;
        this.healthPath = healthPath;
    }

    /** A request whose head has been read, on whatever carries it; to be {@linkplain Exchange#begin() begun}. */
    public Exchange open(RequestHead head, ClientConnection connection) {
        var snapshot = snapshots.get();
        var eventLoop = connection.context().channel().eventLoop();
        return new Exchange(this, connection, newContext(head, snapshot == null ? NO_SNAPSHOT : snapshot, eventLoop));
    }

    /** The gateway stops: health checks are told, so that nobody is sent here any more. On whatever thread. */
    public void drain() {
        draining = true;
    }

    boolean isDraining() {
        return draining;
    }

    /** Whether that request is a health check, which is nobody's and for no host. */
    boolean isHealthCheck(RequestHead head) {
        if (healthPath == null || !head.target().startsWith(healthPath)) {
            return false;
        }
        boolean reads = head.method().equals(HttpMethod.GET) || head.method().equals(HttpMethod.HEAD);
        int end = healthPath.length();
        return reads && (head.target().length() == end || head.target().charAt(end) == '?');
    }

    /** Whether a request is under way. On whatever thread. */
    public boolean isAnswering() {
        return open.sum() > 0;
    }

    void opened() {
        open.increment();
    }

    void closed() {
        open.decrement();
    }

    /** The longest that a request may last once the gateway stops. */
    public Duration shutdownGrace() {
        return shutdownGrace;
    }

    Forwarder forwarder() {
        return ingress.forwarder();
    }

    /** Asks every stage. A refusal has been recorded when this returns. */
    Admission judge(RequestContext context) {
        try {
            var overload = shedding.refusalOf(context.requestId(), (EventLoop) context.eventLoop());
            if (overload != null || context.snapshot() == NO_SNAPSHOT) {
                context.client(directly(context.head()));
                return refused(overload == null ? NOT_READY : overload, context);
            }
            var admission = ingress.admit(context);
            if (admission instanceof Admission.Refused(var denial)) {
                conclude(context, new Outcome.Refused(denial));
            }
            return admission;
        } catch (Throwable e) {
            // Whatever nobody foresaw is a refusal like any other: recorded, with an answer that tells nothing.
            return refused(Unforeseen.failure(e, context).denial(), context);
        }
    }

    private Admission refused(Denial denial, RequestContext context) {
        conclude(context, new Outcome.Refused(denial));
        return new Admission.Refused(denial);
    }

    void conclude(RequestContext context, Outcome outcome) {
        ingress.conclude(context, outcome);
    }

    /** The body of a request that announces one and was not refused. */
    RequestBody bodyOf(Exchange exchange, RequestContext context) {
        var route = context.requireRoute();
        var plan = route.settings(StageName.FORWARD, ForwardPlan.class);
        // A client of gRPC sends when it has something to say: max-stream limits that.
        var conversation =
                plan != null && plan.target().protocol() == UpstreamProtocol.H2 && GrpcRefusal.isFor(context);
        var head = context.head();
        return new RequestBody(
                exchange,
                exchange.eventLoop(),
                head.headers(),
                context.snapshot().settings(StageName.EDGE, EdgeSettings.class).bodyLimitOf(route),
                conversation ? null : bodyTimeout,
                head.isHttp2());
    }

    /**
     * Records what was refused before it was a request. On the connection's event loop.
     *
     * @param channel of the connection, or of a stream
     * @return the context of an answer, if there can be one
     */
    public RequestContext recordUnread(Denial denial, Channel channel, boolean http2) {
        var snapshot = snapshots.get();
        var head = new UnreadRequestHead(ConnectionFacts.of(channel), http2);
        var context = newContext(head, snapshot == null ? NO_SNAPSHOT : snapshot, channel.eventLoop());
        context.client(directly(head));
        conclude(context, new Outcome.Refused(denial));
        return context;
    }

    // Nobody has read X-Forwarded-For when this is asked.
    private static ClientAddress directly(RequestHead head) {
        return new ClientAddress(head.peerAddress().getAddress(), false);
    }

    private RequestContext newContext(RequestHead head, Snapshot snapshot, Executor eventLoop) {
        var now = clock.instant();
        return new RequestContext(
                head, snapshot, RequestIds.mint(now.toEpochMilli()), now, System.nanoTime(), eventLoop);
    }
}
