// SPDX-License-Identifier: Apache-2.0
package io.sallyport.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.pipeline.UpstreamLease;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RouteStageTest {
    private static final Duration OPEN_FOR = Duration.ofSeconds(10);
    private static final UpstreamCapacity.Breaker HALF_OF_TWO = new UpstreamCapacity.Breaker(50, 2, OPEN_FOR, 1);

    private final SettableClock clock = new SettableClock();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final RouteStage stage = new RouteStage(new UpstreamHealth(meters, clock));

    @Test
    void a_route_without_limits_passes_and_leases_nothing() {
        var context = FakeRequest.get("/").context();

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.lease()).isNull();
    }

    @Test
    void a_full_upstream_is_refused_until_somebody_gives_a_place_back() {
        var route = route(null, 1);
        var first = take(route);

        assertThat(reasonOf(route)).isEqualTo(Reason.ROUTE_SATURATED);
        first.answered(200);
        take(route).abandoned();
        take(route).failed(new IllegalStateException("reset"));
        assertThat(stage.evaluate(contextOn(route))).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void failures_open_the_breaker_and_the_client_is_told_when_to_come_back() {
        var route = route(HALF_OF_TWO, null);
        take(route).answered(200);
        take(route).failed(new IllegalStateException("refused"));

        assertThat(denialOf(route))
                .isEqualTo(new Denial.Unavailable(Reason.ROUTE_CIRCUIT_OPEN, OPEN_FOR)
                        .with(Evidence.Key.DETAIL, "orders:8443"));
    }

    @Test
    void an_answer_of_5xx_is_a_failure_and_an_answer_of_4xx_is_not() {
        var failing = route(HALF_OF_TWO, null);
        take(failing).answered(503);
        take(failing).answered(500);
        var refusing = Route.builder("other", "api.example.org", Route.Kind.UPSTREAM)
                .settings(StageName.ROUTE, new UpstreamCapacity("other:8443", HALF_OF_TWO, null))
                .build();
        take(refusing).answered(404);
        take(refusing).answered(403);

        assertThat(reasonOf(failing)).isEqualTo(Reason.ROUTE_CIRCUIT_OPEN);
        assertThat(stage.evaluate(contextOn(refusing))).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void an_open_breaker_lets_a_trial_through_after_its_time_and_closes_when_it_succeeds() {
        var route = route(HALF_OF_TWO, null);
        take(route).answered(500);
        take(route).answered(500);
        clock.now = clock.now.plus(OPEN_FOR).plusMillis(1);

        var trial = take(route);
        assertThat(reasonOf(route)).isEqualTo(Reason.ROUTE_CIRCUIT_OPEN);
        trial.answered(200);

        assertThat(stage.evaluate(contextOn(route))).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void one_that_lasts_closes_the_breaker_at_once_and_keeps_its_place_until_it_ends() {
        var route = route(HALF_OF_TWO, 1);
        take(route).answered(500);
        take(route).answered(500);
        clock.now = clock.now.plus(OPEN_FOR).plusMillis(1);

        var webSocket = take(route);
        webSocket.lasting();
        assertThat(reasonOf(route)).isEqualTo(Reason.ROUTE_SATURATED);
        webSocket.failed(new IllegalStateException("broken off"));

        take(route).answered(200);
        assertThat(stage.evaluate(contextOn(route))).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void a_request_that_never_reached_the_upstream_says_nothing_about_it() {
        var route = route(HALF_OF_TWO, null);
        take(route).abandoned();
        take(route).abandoned();
        take(route).abandoned();

        assertThat(stage.evaluate(contextOn(route))).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void an_open_breaker_takes_no_place_of_the_bulkhead() {
        var route = route(HALF_OF_TWO, 1);
        take(route).answered(500);
        take(route).answered(500);
        assertThat(reasonOf(route)).isEqualTo(Reason.ROUTE_CIRCUIT_OPEN);
        assertThat(reasonOf(route)).isEqualTo(Reason.ROUTE_CIRCUIT_OPEN);
        clock.now = clock.now.plus(OPEN_FOR).plusMillis(1);

        assertThat(stage.evaluate(contextOn(route))).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void an_open_breaker_stays_open_over_a_reload_that_does_not_change_it() {
        var before = route(HALF_OF_TWO, null);
        take(before).answered(500);
        take(before).answered(500);

        assertThat(reasonOf(route(HALF_OF_TWO, null))).isEqualTo(Reason.ROUTE_CIRCUIT_OPEN);
        assertThat(stage.evaluate(contextOn(route(new UpstreamCapacity.Breaker(60, 2, OPEN_FOR, 1), null))))
                .isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void the_state_of_each_upstream_is_a_metric() {
        take(route(HALF_OF_TWO, 1));

        assertThat(meters.find("resilience4j.circuitbreaker.state")
                        .tag("name", "orders:8443")
                        .gauges())
                .isNotEmpty();
        assertThat(meters.find("resilience4j.bulkhead.available.concurrent.calls")
                        .tag("name", "orders:8443")
                        .gauges())
                .isNotEmpty();
    }

    private static Route route(UpstreamCapacity.@Nullable Breaker breaker, @Nullable Integer maxConcurrent) {
        return Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .settings(StageName.ROUTE, new UpstreamCapacity("orders:8443", breaker, maxConcurrent))
                .build();
    }

    private UpstreamLease take(Route route) {
        var context = contextOn(route);
        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        return Objects.requireNonNull(context.takeLease());
    }

    private static RequestContext contextOn(Route route) {
        return FakeRequest.get("/").on(route).context();
    }

    private Denial denialOf(Route route) {
        return ((Verdict.Deny) stage.evaluate(contextOn(route))).denial();
    }

    private Reason reasonOf(Route route) {
        return denialOf(route).reason();
    }

    private static final class SettableClock extends Clock {
        private Instant now = FakeRequest.NOW;

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
