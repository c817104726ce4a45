// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authorize.pdp.Decision;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Mode;
import io.sallyport.decision.Reason;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.Admitted;
import io.sallyport.pipeline.Answer;
import io.sallyport.pipeline.BoundedCalls;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.pipeline.UnrulyAnswer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.scheduler.VirtualTimeScheduler;

/** A decision point that another process is: it decides later, or not at all. */
class WaitingDecisionPointTest {
    private static final Decision ALLOWED = new Decision.Allowed("remote", List.of());
    private static final Decision DENIED = new Decision.Denied(List.of("remote"), List.of());
    private static final Duration DEADLINE = Duration.ofMillis(250);

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Admitted client = new Admitted();
    private final UnrulyAnswer<Decision> decision = new UnrulyAnswer<>();

    @AfterEach
    void stop() {
        time.dispose();
    }

    @Test
    void a_request_that_is_allowed_later_passes() {
        ask(decision, Mode.ENFORCE);
        assertThat(client.settled()).isEmpty();

        decision.says(ALLOWED).completes();

        assertThat(client.turn().only()).isInstanceOf(Admission.Permitted.class);
    }

    @Test
    void a_request_that_is_denied_later_is_forbidden_with_its_rules_and_faults_in_the_record() {
        var _ = ask(decision, Mode.ENFORCE);

        decision.says(new Decision.Denied(List.of("remote"), List.of(new Decision.Fault("remote", "timeout"))));

        assertThat(client.turn().only())
                .isEqualTo(new Admission.Refused(new Denial.Forbidden(Reason.AUTHORIZE_DENY_RULE)
                        .with(Evidence.Key.RULE_NAME, "remote")
                        .with(Evidence.Key.DETAIL, "remote: timeout")));
        assertThat(meters.get("sallyport.authorize.rule.faults").counter().count())
                .isEqualTo(1);
    }

    @Test
    void a_decision_point_that_fails_is_a_503_and_never_a_403() {
        var _ = ask(decision, Mode.ENFORCE);

        decision.fails(new IOException("connection refused by 10.0.0.7"));

        var denial = ((Admission.Refused) client.turn().only()).denial();
        assertThat(denial.reason()).isEqualTo(Reason.AUTHORIZE_PDP_UNAVAILABLE);
        assertThat(denial).isInstanceOf(Denial.Unavailable.class);
        assertThat(denial.evidence().values()).containsEntry(Evidence.Key.CAUSE, "java.io.IOException");
    }

    @Test
    void a_decision_point_that_never_decides_is_a_503_at_the_adapters_deadline() {
        ask(bounded(decision), Mode.ENFORCE);

        time.advanceTimeBy(DEADLINE.minusMillis(1));
        assertThat(client.turn().settled()).isEmpty();
        time.advanceTimeBy(Duration.ofMillis(1));

        assertThat(reason(client.turn())).isEqualTo(Reason.AUTHORIZE_PDP_UNAVAILABLE);
        assertThat(decision.cancelled()).isEqualTo(1);
    }

    @Test
    void a_decision_after_the_deadline_allows_nothing() {
        ask(bounded(decision), Mode.ENFORCE);
        time.advanceTimeBy(DEADLINE);

        decision.says(ALLOWED).completes();

        assertThat(reason(client.turn())).isEqualTo(Reason.AUTHORIZE_PDP_UNAVAILABLE);
    }

    /** No adapter may do that; what it did not decide is denied in every mode. */
    @Test
    void a_decision_that_completes_empty_is_a_503_even_where_decisions_are_observed() {
        ask(decision, Mode.OBSERVE);

        decision.completes();

        assertThat(reason(client.turn())).isEqualTo(Reason.PIPELINE_STAGE_FAILED);
    }

    @Test
    void a_denial_is_not_revised_by_a_second_decision() {
        ask(decision, Mode.ENFORCE);

        decision.says(DENIED).says(ALLOWED).completes();

        assertThat(reason(client.turn())).isEqualTo(Reason.AUTHORIZE_DENY_RULE);
    }

    @Test
    void a_decision_on_another_thread_is_judged_on_the_event_loop() throws Exception {
        ask(decision, Mode.ENFORCE);

        Thread.ofVirtual().start(() -> decision.says(ALLOWED).completes()).join();

        assertThat(client.settled()).isEmpty();
        assertThat(client.turn().only()).isInstanceOf(Admission.Permitted.class);
    }

    @Test
    void a_client_that_goes_away_cancels_the_question_and_a_late_decision_does_nothing() {
        var _ = ask(bounded(decision), Mode.ENFORCE);

        client.cancel();
        decision.says(DENIED).completes();
        time.advanceTimeBy(DEADLINE);

        assertThat(client.turn().settled()).isEmpty();
        assertThat(decision.cancelled()).isEqualTo(1);
    }

    private Mono<Decision> bounded(Mono<Decision> decision) {
        return new BoundedCalls("pdp", 1, DEADLINE, time).bound(decision);
    }

    private RequestContext ask(Mono<Decision> decision, Mode mode) {
        var route = Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .settings(StageName.AUTHORIZE, new RouteRules(List.of(), _ -> new Answer.Later<>(decision)))
                .mode(StageName.AUTHORIZE, mode)
                .build();
        var context = FakeRequest.get("/").on(route).onEventLoop(client).context();
        client.await(new Pipeline(List.of(new AuthorizeStage(meters)), (_, _) -> {}), context);
        return context;
    }

    private static Reason reason(Admitted client) {
        return ((Admission.Refused) client.only()).denial().reason();
    }
}
