// SPDX-License-Identifier: Apache-2.0
package io.sallyport.telemetry;

import static java.util.Objects.requireNonNull;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.sallyport.decision.Reason;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.OutcomeListener;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RequestIds;
import io.sallyport.pipeline.WouldDeny;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Counts every outcome and every denial that did not stop its request ({@code sallyport.decisions}), and times a sample of the
 * requests ({@code sallyport.request.duration}). A meter is looked up by name once; after that, counting makes nothing.
 */
public final class DecisionMetrics implements OutcomeListener {
    private static final int TIMED_ONE_IN = 16;
    private static final String NO_ROUTE = "none";
    // Few, because there are as many series as buckets, for each route and outcome.
    private static final Duration[] BUCKETS = Stream.of(5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
            .map(millis -> Duration.ofMillis(millis))
            .toArray(Duration[]::new);

    private final MeterRegistry meters;
    private final ConcurrentHashMap<String, RouteMeters> routes = new ConcurrentHashMap<>();

    public DecisionMetrics(MeterRegistry meters) {
        this.meters = meters;
    }

    @Override
    public void onOutcome(RequestContext context, Outcome outcome) {
        var route = metersOf(context);
        count(route, context, outcome);
        if (RequestIds.isOneIn(TIMED_ONE_IN, context.requestId())) {
            time(route, outcome, System.nanoTime() - context.startedNanos());
        }
    }

    private static void count(RouteMeters route, RequestContext context, Outcome outcome) {
        var would = context.wouldDeny();
        for (int i = 0; i < would.size(); i++) {
            var denial = would.get(i);
            route.counter(decisionOf(denial), denial.denial().reason()).increment();
        }
        switch (outcome) {
            case Outcome.Answered _ -> route.allowed.increment();
            case Outcome.Cancelled _ -> route.cancelled.increment();
            case Outcome.Refused refused ->
                route.counter(Decided.DENY, refused.denial().reason()).increment();
            case Outcome.Aborted aborted ->
                route.counter(Decided.ABORT, aborted.denial().reason()).increment();
        }
    }

    private static void time(RouteMeters route, Outcome outcome, long nanos) {
        var timer = route.timer(
                switch (outcome) {
                    case Outcome.Answered _ -> "answered";
                    case Outcome.Cancelled _ -> "cancelled";
                    case Outcome.Refused _ -> "refused";
                    case Outcome.Aborted _ -> "aborted";
                });
        timer.record(nanos, TimeUnit.NANOSECONDS);
    }

    private RouteMeters metersOf(RequestContext context) {
        var route = context.route();
        var name = route == null ? NO_ROUTE : route.name();
        var known = routes.get(name);
        return known != null ? known : routes.computeIfAbsent(name, RouteMeters::new);
    }

    private static Decided decisionOf(WouldDeny would) {
        return switch (would.cause()) {
            case OBSERVED -> Decided.WOULD_DENY;
            case UNDECIDED -> Decided.UNDECIDED;
        };
    }

    /** The decisions that have a reason. */
    private enum Decided {
        DENY("enforce", "deny"),
        WOULD_DENY("observe", "would_deny"),
        UNDECIDED("enforce", "undecided_pass"),
        ABORT("enforce", "abort");

        private final String mode;
        private final String decision;

        Decided(String mode, String decision) {
            this.mode = mode;
            this.decision = decision;
        }
    }

    /** The meters of one route, made when they are first needed: most reasons never occur, and there may be 10,000 routes. */
    private final class RouteMeters {
        private final String route;
        private final Map<Decided, ConcurrentHashMap<Reason, Counter>> byDecision = new EnumMap<>(Decided.class);
        private final Map<String, Timer> byOutcome = new ConcurrentHashMap<>();
        private final Counter allowed;
        private final Counter cancelled;

        private RouteMeters(String route) {
            this.route = route;
            for (var decided : Decided.values()) {
                byDecision.put(decided, new ConcurrentHashMap<>());
            }
            this.allowed = register("pipeline", "enforce", "allow", "none");
            this.cancelled = register("pipeline", "enforce", "cancel", "none");
        }

        Counter counter(Decided decided, Reason reason) {
            var counters = requireNonNull(byDecision.get(decided));
            var known = counters.get(reason);
            return known != null
                    ? known
                    : counters.computeIfAbsent(
                            reason, first -> register(first.origin(), decided.mode, decided.decision, first.code()));
        }

        Timer timer(String outcome) {
            var known = byOutcome.get(outcome);
            return known != null ? known : byOutcome.computeIfAbsent(outcome, this::register);
        }

        private Counter register(String stage, String mode, String decision, String reason) {
            return Counter.builder("sallyport.decisions")
                    .description("Outcomes of requests, and denials that did not stop one")
                    .tag("stage", stage)
                    .tag("mode", mode)
                    .tag("decision", decision)
                    .tag("reason", reason)
                    .tag("route", route)
                    .register(meters);
        }

        private Timer register(String outcome) {
            return Timer.builder("sallyport.request.duration")
                    .description("From a request's head to its end, of one request in 16")
                    .tag("route", route)
                    .tag("outcome", outcome)
                    .serviceLevelObjectives(BUCKETS)
                    .register(meters);
        }
    }
}
