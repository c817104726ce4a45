// SPDX-License-Identifier: Apache-2.0
package io.sallyport.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.decision.Denial;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.pipeline.CanonicalPath;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Exact counts of every outcome, and a sample of durations. */
class DecisionMetricsTest {
    private static final Denial DENIED = new Denial.Forbidden(Reason.AUTHORIZE_DENY_RULE);

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final DecisionMetrics metrics = new DecisionMetrics(meters);

    @Test
    void a_denial_that_did_not_stop_its_request_is_counted_beside_the_one_that_did() {
        var route = Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .mode(StageName.RISK, Mode.OBSERVE)
                .onUndecided(StageName.REVOCATION, FaultPolicy.PASS)
                .build();
        var unavailable = new Denial.Unavailable(Reason.REVOCATION_UNAVAILABLE, Duration.ofSeconds(1));
        var context = FakeRequest.get("/").on(route).context();
        var pipeline = new Pipeline(
                List.of(
                        stage(StageName.REVOCATION, new Verdict.Undecided(unavailable, null)),
                        stage(StageName.RISK, new Verdict.Deny(new Denial.Forbidden(Reason.RISK_DENIED))),
                        stage(StageName.AUTHORIZE, new Verdict.Deny(DENIED))),
                metrics);

        pipeline.admit(context);
        pipeline.conclude(context, new Outcome.Refused(DENIED));

        assertThat(counted("revocation", "enforce", "undecided_pass", "revocation.unavailable", "orders"))
                .isEqualTo(1);
        assertThat(counted("risk", "observe", "would_deny", "risk.denied", "orders"))
                .isEqualTo(1);
        assertThat(counted("authorize", "enforce", "deny", "authorize.deny_rule", "orders"))
                .isEqualTo(1);
    }

    @Test
    void a_broken_answer_is_counted_by_its_reason() {
        var reset = new Denial.UpstreamFailed(Reason.FORWARD_UPSTREAM_RESET);

        metrics.onOutcome(FakeRequest.get("/").context(), new Outcome.Aborted(200, reset));

        assertThat(counted("forward", "enforce", "abort", "forward.upstream_reset", "orders"))
                .isEqualTo(1);
    }

    @Test
    void what_was_allowed_and_what_clients_gave_up_is_counted_by_route() {
        metrics.onOutcome(FakeRequest.get("/").context(), new Outcome.Answered(200));
        metrics.onOutcome(FakeRequest.get("/").context(), new Outcome.Cancelled(0));
        metrics.onOutcome(FakeRequest.get("/").on(null).context(), new Outcome.Cancelled(0));

        assertThat(counted("pipeline", "enforce", "allow", "none", "orders")).isEqualTo(1);
        assertThat(counted("pipeline", "enforce", "cancel", "none", "orders")).isEqualTo(1);
        assertThat(counted("pipeline", "enforce", "cancel", "none", "none")).isEqualTo(1);
    }

    @Test
    void a_hundred_thousand_refusals_of_four_threads_are_counted_exactly() throws Exception {
        var threads = new Thread[4];
        for (int t = 0; t < threads.length; t++) {
            var context = FakeRequest.get("/").context();
            threads[t] = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 25_000; i++) {
                    metrics.onOutcome(context, new Outcome.Refused(DENIED));
                }
            });
        }
        for (var thread : threads) {
            thread.join();
        }

        assertThat(counted("authorize", "enforce", "deny", "authorize.deny_rule", "orders"))
                .isEqualTo(100_000);
    }

    @Test
    void one_request_in_sixteen_is_timed() {
        for (long id = 0; id < 160; id++) {
            metrics.onOutcome(withId(id), new Outcome.Answered(200));
        }

        assertThat(meters.get("sallyport.request.duration")
                        .tags("route", "orders", "outcome", "answered")
                        .timer()
                        .count())
                .isEqualTo(10);
    }

    private double counted(String stage, String mode, String decision, String reason, String route) {
        return meters.get("sallyport.decisions")
                .tags("stage", stage, "mode", mode, "decision", decision, "reason", reason, "route", route)
                .counter()
                .count();
    }

    private static RequestContext withId(long id) {
        var plain = FakeRequest.get("/").context();
        var context = new RequestContext(
                plain.head(), plain.snapshot(), new UUID(0x7000, id), FakeRequest.NOW, 0L, Runnable::run);
        context.matched(FakeRequest.ROUTE, new CanonicalPath("/"), null, Map.of());
        return context;
    }

    private static Stage stage(StageName name, Verdict verdict) {
        return new Stage() {
            @Override
            public StageName name() {
                return name;
            }

            @Override
            public Verdict evaluate(RequestContext context) {
                return verdict;
            }
        };
    }
}
