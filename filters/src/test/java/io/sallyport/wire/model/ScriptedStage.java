// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.edge.BodyLimit;
import io.sallyport.edge.PathRules;
import io.sallyport.forward.Disclosure;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.RouteFilters;
import io.sallyport.forward.StreamLimit;
import io.sallyport.forward.TestTarget;
import io.sallyport.forward.WebSocketPlan;
import io.sallyport.gateway.FilterDefinitions;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.CanonicalPath;
import io.sallyport.pipeline.ClientAddress;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.answer.CorsConfig;
import io.sallyport.wire.answer.CorsRules;
import io.sallyport.wire.answer.LocalAnswer;
import io.sallyport.wire.answer.Origin;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.springframework.util.unit.DataSize;
import reactor.core.publisher.Mono;

/** Says of each request what the request's sequence wants, and finds the route that fits it. */
final class ScriptedStage implements Stage {
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

    private final Runs runs;
    private final int upstreamPort;
    private final UnaryOperator<Mono<Verdict.Settled>> later;
    private final Map<String, Route> routes = new ConcurrentHashMap<>();

    /** @param later makes a verdict come some time after it was asked for */
    ScriptedStage(Runs runs, int upstreamPort, UnaryOperator<Mono<Verdict.Settled>> later) {
        this.runs = runs;
        this.upstreamPort = upstreamPort;
        this.later = later;
    }

    @Override
    public StageName name() {
        return StageName.EDGE;
    }

    @Override
    public Verdict evaluate(RequestContext context) {
        context.client(new ClientAddress(context.head().peerAddress().getAddress(), false));
        context.principal(Principal.Anonymous.ANONYMOUS);
        var target = context.head().target();
        var run = runs.of(target);
        if (run == null) {
            return UNKNOWN;
        }
        var request = run.request(Runs.numberOf(target));
        context.matched(routeOf(request), new CanonicalPath(target), null, Map.of());
        var denial = DENIALS.get(request.refusal);
        Verdict.Settled verdict = denial == null ? Verdict.Pass.PASS : new Verdict.Deny(denial);
        return request.later ? new Verdict.Pending<>(later.apply(Mono.just(verdict)), answer -> answer) : verdict;
    }

    private Route routeOf(Request request) {
        if (request.preflight) {
            return routes.computeIfAbsent(
                    "preflight",
                    name -> Route.builder(name, "localhost", Route.Kind.LOCAL)
                            .settings(StageName.FORWARD, LocalAnswer.Preflight.of(List.of(cors())))
                            .build());
        }
        var socket = request.upgrade == Request.Upgrade.ALLOWED;
        var name = (request.filtered ? "filtered" : "plain") + (request.small ? "-small" : "") + (socket ? "-ws" : "");
        return routes.computeIfAbsent(name, _ -> upstreamRoute(name, request));
    }

    private Route upstreamRoute(String name, Request request) {
        var plan = new ForwardPlan(
                TestTarget.plaintext(upstreamPort)
                        .timeout(Duration.ofSeconds(20))
                        .build(),
                request.filtered ? filters() : RouteFilters.NONE,
                null,
                new StreamLimit(Duration.ofHours(1), Duration.ZERO),
                request.upgrade == Request.Upgrade.ALLOWED
                        ? new WebSocketPlan(Set.of(), 65_536, Duration.ofMinutes(1))
                        : null,
                Disclosure.of("localhost"));
        return Route.builder(name, "localhost", Route.Kind.UPSTREAM)
                .settings(StageName.FORWARD, plan)
                .settings(
                        StageName.EDGE,
                        BodyLimit.of(request.small ? DataSize.ofBytes(Request.SMALL) : DataSize.ofMegabytes(10)))
                .build();
    }

    private static RouteFilters filters() {
        var filters = FilterDefinitions.compile(
                List.of("AddResponseHeader=X-Way, filters"),
                Set.of(),
                PathRules.STRICT,
                IdentityHeaders.STANDARD,
                new Findings().at("filters"));
        return Objects.requireNonNull(filters);
    }

    private static CorsRules cors() {
        var config = new CorsConfig(
                List.of(new Origin("https://app.example.org")), List.of(), List.of(), false, Duration.ofMinutes(10));
        return Objects.requireNonNull(CorsRules.compile(config, Set.of(HttpMethod.GET), new Findings().at("cors")));
    }
}
