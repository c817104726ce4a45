// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.edge.BodyLimit;
import io.sallyport.forward.DirectForwarder;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.RouteFilters;
import io.sallyport.forward.StreamLimit;
import io.sallyport.forward.TestTarget;
import io.sallyport.forward.UpstreamClient;
import io.sallyport.forward.WebSocketPlan;
import io.sallyport.forward.upstream.UpstreamConnections;
import io.sallyport.gateway.FilterDefinitions;
import io.sallyport.gateway.GatewayForwarder;
import io.sallyport.gateway.PermitRouteMapping;
import io.sallyport.gateway.PinnedRoutingFilter;
import io.sallyport.gateway.PinnedWebHandler;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.CanonicalPath;
import io.sallyport.pipeline.ClientAddress;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.WireServer;
import io.sallyport.wire.answer.CorsConfig;
import io.sallyport.wire.answer.CorsRules;
import io.sallyport.wire.answer.LocalAnswer;
import io.sallyport.wire.answer.LocalForwarder;
import io.sallyport.wire.answer.Origin;
import io.sallyport.wire.exchange.PermitForwarder;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.util.unit.DataSize;
import reactor.core.publisher.Mono;

/**
 * A real server with both ways forward in front of a {@link ScriptedUpstream}. Its one stage says of each request what the
 * request's sequence wants.
 */
final class ModelGateway implements AutoCloseable {
    private static final Verdict UNKNOWN = new Verdict.Deny(new Denial.Rejected(Reason.AUTHORIZE_ROUTE_UNMATCHED));

    private static final Map<Integer, Denial> DENIALS = Map.of(
            400, new Denial.Rejected(Reason.EDGE_PATH_AMBIGUOUS),
            401,
                    new Denial.Unauthenticated(
                            Reason.AUTHENTICATE_JWT_MISSING, List.of(Challenge.bearer(Map.of("realm", "model")))),
            403, new Denial.Forbidden(Reason.RISK_DENIED),
            404, new Denial.Rejected(Reason.AUTHORIZE_ROUTE_UNMATCHED),
            405, new Denial.MethodNotAllowed(Reason.EDGE_METHOD_REFUSED, Set.of(HttpMethod.PUT)),
            413, new Denial.Rejected(Reason.EDGE_BODY_TOO_LARGE),
            421, new Denial.Rejected(Reason.EDGE_MISDIRECTED),
            429, new Denial.Throttled(Reason.FLOOD_CONNECTIONS, Duration.ofSeconds(1), List.of()),
            503, new Denial.Unavailable(Reason.PIPELINE_OVERLOADED, Duration.ofSeconds(1)));

    private final Map<String, Run> runs = new ConcurrentHashMap<>();
    private final Map<Integer, Run> runsByPort = new ConcurrentHashMap<>();
    private final AtomicInteger names = new AtomicInteger();
    private final ScriptedUpstream upstream = ScriptedUpstream.start(runs::get);
    private final UpstreamConnections connections = new UpstreamConnections(
            new FakeSvidSource(), Duration.ZERO, Duration.ZERO, InstantSource.system(), new SimpleMeterRegistry());
    private final Map<String, Route> routes = new ConcurrentHashMap<>();
    private final WireServer server;
    private volatile boolean stopped;

    private ModelGateway() {
        var exchange = new UpstreamClient(connections);
        var filtered = new GatewayForwarder(new PermitRouteMapping(
                new PinnedWebHandler(new PinnedRoutingFilter(exchange)), new StandardEnvironment()));
        server = WireServer.permitting(
                        new PermitForwarder(new LocalForwarder(), new DirectForwarder(exchange), filtered))
                .judging(this::judge)
                .maxConnections(10_000)
                .start();
        Thread.ofVirtual().start(this::collect);
    }

    static ModelGateway start() {
        return new ModelGateway();
    }

    /** The statuses with which a stage refuses. */
    static Set<Integer> refusals() {
        return DENIALS.keySet();
    }

    int port() {
        return server.port();
    }

    /** Runs that sequence under a name that no other has had. */
    Run begin(Sequence sequence) {
        var run = new Run(sequence, "%06x".formatted(names.incrementAndGet()));
        runs.put(run.name, run);
        return run;
    }

    /** Bytes that are no request belong to the connection's run. */
    void connected(Run run, int clientPort) {
        runsByPort.put(clientPort, run);
    }

    /** Nothing more will come of it. */
    void forget(Run run) {
        runs.remove(run.name);
    }

    private Verdict judge(RequestContext context) {
        context.client(new ClientAddress(context.head().peerAddress().getAddress(), false));
        context.principal(Principal.Anonymous.ANONYMOUS);
        var target = context.head().target();
        var run = runOf(target);
        if (run == null) {
            return UNKNOWN;
        }
        var request = run.request(numberOf(target));
        context.matched(routeOf(request), new CanonicalPath(target), null, Map.of());
        var denial = DENIALS.get(request.refusal);
        Verdict.Settled verdict = denial == null ? Verdict.Pass.PASS : new Verdict.Deny(denial);
        return request.later
                ? new Verdict.Pending<>(Mono.just(verdict).delayElement(Duration.ofMillis(2)), late -> late)
                : verdict;
    }

    private @Nullable Run runOf(String target) {
        int dash = target.indexOf('-');
        return dash < 0 ? null : runs.get(target.substring(1, dash));
    }

    private static int numberOf(String target) {
        return Integer.parseInt(target.substring(target.indexOf('-') + 1));
    }

    private Route routeOf(Request request) {
        if (request.preflight) {
            return routes.computeIfAbsent(
                    "preflight",
                    name -> Route.builder(name, "localhost", Route.Kind.LOCAL)
                            .settings(StageName.FORWARD, LocalAnswer.Preflight.of(List.of(cors())))
                            .build());
        }
        var name = (request.filtered ? "filtered" : "plain")
                + (request.small ? "-small" : "")
                + (request.upgrade == Request.Upgrade.ALLOWED ? "-socket" : "");
        return routes.computeIfAbsent(name, _ -> upstreamRoute(name, request));
    }

    private Route upstreamRoute(String name, Request request) {
        var plan = new ForwardPlan(
                TestTarget.plaintext(upstream.port())
                        .timeout(Duration.ofSeconds(20))
                        .build(),
                request.filtered ? filters() : RouteFilters.NONE,
                null,
                new StreamLimit(Duration.ofHours(1), Duration.ZERO),
                request.upgrade == Request.Upgrade.ALLOWED
                        ? new WebSocketPlan(Set.of(), 65_536, Duration.ofMinutes(1))
                        : null);
        return Route.builder(name, "localhost", Route.Kind.UPSTREAM)
                .settings(StageName.FORWARD, plan)
                .settings(
                        StageName.EDGE,
                        BodyLimit.of(request.small ? DataSize.ofBytes(Request.SMALL) : DataSize.ofMegabytes(10)))
                .build();
    }

    private static RouteFilters filters() {
        var filters = FilterDefinitions.compile(
                List.of("AddResponseHeader=X-Way, filters"), Set.of(), new Findings().at("filters"));
        return Objects.requireNonNull(filters);
    }

    private static CorsRules cors() {
        var config = new CorsConfig(
                List.of(new Origin("https://app.example.org")), List.of(), List.of(), false, Duration.ofMinutes(10));
        return Objects.requireNonNull(CorsRules.compile(config, Set.of(HttpMethod.GET), new Findings().at("cors")));
    }

    private void collect() {
        while (!stopped) {
            try {
                var ended = server.ended(Duration.ofMillis(100));
                if (ended != null) {
                    collect(ended);
                }
            } catch (InterruptedException _) {
                return;
            }
        }
    }

    private void collect(WireServer.Ended ended) {
        var head = ended.context().head();
        var requestId = ended.context().requestId().toString();
        var run = runOf(head.target());
        if (run != null) {
            run.ended(new Run.Ended(numberOf(head.target()), requestId, ended.outcome()));
            return;
        }
        var byPort = runsByPort.get(head.peerAddress().getPort());
        if (byPort != null) {
            byPort.ended(new Run.Ended(-1, requestId, ended.outcome()));
        }
    }

    @Override
    public void close() {
        stopped = true;
        server.close();
        connections.close();
        upstream.close();
    }
}
