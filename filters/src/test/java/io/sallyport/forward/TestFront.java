// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.edge.BodyLimit;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.identity.Principal;
import io.sallyport.ingress.Ingress;
import io.sallyport.pipeline.CanonicalPath;
import io.sallyport.pipeline.ClientAddress;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import io.sallyport.pipeline.UpstreamLease;
import io.sallyport.wire.WireServer;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;
import reactor.netty.resources.LoopResources;

/** The listener in front of a forwarder: permits every request, and writes down how each one ended. */
public final class TestFront implements AutoCloseable {
    /** How one request ended. */
    public record End(String requestId, Outcome outcome, List<String> lease) {

        /** What the denial says of itself; empty if there is none. */
        public Map<Evidence.Key, String> evidence() {
            return switch (outcome) {
                case Outcome.Refused refused -> refused.denial().evidence().values();
                case Outcome.Aborted aborted -> aborted.denial().evidence().values();
                case Outcome.Answered _, Outcome.Cancelled _ -> Map.of();
            };
        }

        /** Why it failed, or null if it did not, or the client did. */
        public @Nullable Reason reason() {
            return switch (outcome) {
                case Outcome.Refused(Denial denial) -> denial.reason();
                case Outcome.Aborted aborted -> aborted.denial().reason();
                case Outcome.Answered _, Outcome.Cancelled _ -> null;
            };
        }
    }

    private final Function<String, Route> routes;
    private final WireServer server;
    private final BlockingQueue<End> ends = new LinkedTransferQueue<>();
    private final Map<String, End> byId = new ConcurrentHashMap<>();
    private final Map<RequestContext, RecordingLease> leases = new ConcurrentHashMap<>();
    private volatile Principal principal = Principal.Anonymous.ANONYMOUS;
    private volatile Consumer<RequestContext> facts = _ -> {};

    private TestFront(Forwarder forwarder, Function<String, Route> routes, @Nullable LoopResources loops) {
        this.routes = routes;
        this.server = WireServer.of(new Ingress(new Pipeline(List.of(new Everybody()), this::end), forwarder), loops);
    }

    /** Forwards each request on the route of its first path segment. */
    public static TestFront of(Forwarder forwarder, Function<String, Route> routes) {
        return new TestFront(forwarder, routes, null);
    }

    /** All of whose requests are on one event loop. */
    public static TestFront on(LoopResources oneLoop, Forwarder forwarder, Route route) {
        return new TestFront(forwarder, _ -> route, oneLoop);
    }

    public static TestFront of(Forwarder forwarder, Route route) {
        return of(forwarder, _ -> route);
    }

    /** A route whose plan is that target, without filters. */
    public static Route route(String name, UpstreamTarget target) {
        return route(name, target, new StreamLimit(Duration.ofHours(1), Duration.ZERO));
    }

    public static Route route(String name, UpstreamTarget target, StreamLimit stream) {
        return route(name, target, stream, null);
    }

    public static Route route(
            String name, UpstreamTarget target, StreamLimit stream, @Nullable WebSocketPlan webSocket) {
        return Route.builder(name, "api.example.org", Route.Kind.UPSTREAM)
                .settings(StageName.EDGE, BodyLimit.of(DataSize.ofGigabytes(1)))
                .settings(
                        StageName.FORWARD,
                        new ForwardPlan(
                                target, RouteFilters.NONE, null, stream, webSocket, Disclosure.of("api.example.org")))
                .build();
    }

    /** Whoever comes from now on is this one. */
    public TestFront as(Principal principal) {
        this.principal = principal;
        return this;
    }

    /** What stages would have found out. */
    public TestFront knowing(Consumer<RequestContext> facts) {
        this.facts = facts;
        return this;
    }

    public int port() {
        return server.port();
    }

    public String uri(String pathAndQuery) {
        return "http://127.0.0.1:" + port() + pathAndQuery;
    }

    /** How the next request ended; waits for it. */
    public End nextEnd() throws InterruptedException {
        return Objects.requireNonNull(ends.poll(20, TimeUnit.SECONDS), "no request ended within 20 s");
    }

    /** Why a request was refused, which is written down before the client is told; null if it was not. */
    public @Nullable Reason reasonOf(HttpResponse<?> answer) {
        var end = byId.get(answer.headers().firstValue("x-request-id").orElseThrow());
        return end == null ? null : end.reason();
    }

    @Override
    public void close() {
        server.close();
    }

    /** As a gateway that stops. */
    public void stop() {
        server.stop();
    }

    private void end(RequestContext context, Outcome outcome) {
        var lease = Objects.requireNonNull(leases.remove(context));
        var end = new End(context.requestId().toString(), outcome, lease.calls());
        byId.put(end.requestId(), end);
        ends.add(end);
    }

    /** The one stage: lets everybody pass. */
    private final class Everybody implements Stage {
        @Override
        public StageName name() {
            return StageName.EDGE;
        }

        @Override
        public Verdict evaluate(RequestContext context) {
            var target = context.head().target();
            int query = target.indexOf('?');
            var path = query < 0 ? target : target.substring(0, query);
            var segment = path.split("/", 3)[1];
            context.client(new ClientAddress(context.head().peerAddress().getAddress(), false));
            context.matched(
                    routes.apply(segment),
                    new CanonicalPath(path),
                    query < 0 ? null : target.substring(query + 1),
                    Map.of("tenant", segment));
            context.principal(principal);
            var lease = new RecordingLease();
            leases.put(context, lease);
            context.lease(lease);
            facts.accept(context);
            return Verdict.Pass.PASS;
        }
    }

    private static final class RecordingLease implements UpstreamLease {
        private final List<String> calls = new ArrayList<>();

        synchronized List<String> calls() {
            return List.copyOf(calls);
        }

        @Override
        public synchronized void answered(int status) {
            calls.add("answered " + status);
        }

        @Override
        public synchronized void lasting() {
            calls.add("lasting");
        }

        @Override
        public synchronized void failed(Throwable cause) {
            calls.add("failed");
        }

        @Override
        public synchronized void abandoned() {
            calls.add("abandoned");
        }
    }
}
