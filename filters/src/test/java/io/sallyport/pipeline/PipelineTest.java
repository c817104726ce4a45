// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.Principal;
import io.spiffe.spiffeid.SpiffeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** The semantics of the pipeline: modes, fault policies, pending verdicts, permits and outcomes. */
class PipelineTest {
    private static final Denial DENIED = new Denial.Forbidden(Reason.RISK_DENIED);
    private static final Denial.Unavailable UNAVAILABLE =
            new Denial.Unavailable(Reason.RISK_UNAVAILABLE, Duration.ofSeconds(5));
    private static final Verdict DENY = new Verdict.Deny(DENIED);

    private final List<Outcome> outcomes = new ArrayList<>();

    @Test
    void a_request_that_every_stage_passes_gets_a_permit_for_what_was_authorized() {
        var context = FakeRequest.get("/orders/7").context();

        var permit = permitOf(pipeline(passing(StageName.AUTHENTICATE)).admit(context));

        assertThat(permit.path()).isEqualTo(new CanonicalPath("/orders/7"));
        assertThat(permit.route()).isSameAs(FakeRequest.ROUTE);
        assertThat(permit.requestId()).isEqualTo(context.requestId());
    }

    @Test
    void a_permit_is_redeemed_once() {
        var permit = permitOf(pipeline().admit(FakeRequest.get("/").context()));
        permit.redeem();

        assertThat(org.junit.jupiter.api.Assertions.assertThrows(IllegalStateException.class, permit::redeem))
                .hasMessageContaining("redeemed before");
    }

    @Test
    void an_enforced_denial_stops_and_no_later_stage_sees_the_request() {
        var reached = new AtomicBoolean();
        var pipeline = pipeline(denying(StageName.RISK), stage(StageName.AUTHORIZE, _ -> {
            reached.set(true);
            return Verdict.Pass.PASS;
        }));

        assertThat(pipeline.admit(FakeRequest.get("/").context())).isEqualTo(new Admission.Refused(DENIED));
        assertThat(reached).isFalse();
    }

    @Test
    void an_observed_denial_is_noted_and_the_request_goes_on() {
        var context =
                FakeRequest.get("/").on(routeWith(StageName.RISK, Mode.OBSERVE)).context();

        var admission = pipeline(denying(StageName.RISK)).admit(context);

        assertThat(admission).isInstanceOf(Admission.Permitted.class);
        assertThat(context.wouldDeny())
                .containsExactly(new WouldDeny(StageName.RISK, DENIED, WouldDeny.Cause.OBSERVED));
    }

    @ParameterizedTest
    @EnumSource(names = {"AUTHENTICATE", "AUTHORIZE"})
    void an_observed_denial_of_identity_or_authorization_leaves_an_anonymous_caller(StageName observed) {
        var caller =
                new Principal.Workload(SpiffeId.parse("spiffe://example.org/caller"), FakeRequest.NOW.plusSeconds(60));
        var context = FakeRequest.get("/")
                .on(routeWith(observed, Mode.OBSERVE))
                .by(caller)
                .context();

        var permit = permitOf(pipeline(denying(observed)).admit(context));

        assertThat(permit.principal()).isEqualTo(Principal.Anonymous.ANONYMOUS);
    }

    @Test
    void a_stage_that_is_off_is_not_asked_and_not_told_the_outcome() {
        var stage = new Remembering(StageName.RISK, DENY);
        var context =
                FakeRequest.get("/").on(routeWith(StageName.RISK, Mode.OFF)).context();
        var pipeline = pipeline(stage);

        assertThat(pipeline.admit(context)).isInstanceOf(Admission.Permitted.class);
        pipeline.conclude(context, new Outcome.Answered(200));
        assertThat(stage.told).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"ENFORCE", "OBSERVE"})
    void a_stage_that_throws_denies_whatever_its_mode(Mode mode) {
        var context = FakeRequest.get("/").on(routeWith(StageName.RISK, mode)).context();
        var pipeline = pipeline(stage(StageName.RISK, _ -> {
            throw new IllegalStateException("bug");
        }));

        assertThat(reasonOf(pipeline.admit(context))).isEqualTo(Reason.PIPELINE_STAGE_FAILED);
    }

    @Test
    void a_stage_that_overflows_the_stack_denies() {
        var pipeline = pipeline(stage(StageName.AUTHORIZE, _ -> {
            throw new StackOverflowError();
        }));

        assertThat(reasonOf(pipeline.admit(FakeRequest.get("/").context()))).isEqualTo(Reason.PIPELINE_STAGE_FAILED);
    }

    @Test
    void undecided_denies_unless_the_operator_wrote_pass() {
        var undecided = stage(StageName.RISK, _ -> new Verdict.Undecided(UNAVAILABLE, null));
        var passing = Route.builder("r", "h", Route.Kind.UPSTREAM)
                .onUndecided(StageName.RISK, FaultPolicy.PASS)
                .build();
        var passed = FakeRequest.get("/").on(passing).context();

        assertThat(pipeline(undecided).admit(FakeRequest.get("/").context()))
                .isEqualTo(new Admission.Refused(UNAVAILABLE));
        assertThat(pipeline(undecided).admit(passed)).isInstanceOf(Admission.Permitted.class);
        assertThat(passed.wouldDeny())
                .containsExactly(new WouldDeny(StageName.RISK, UNAVAILABLE, WouldDeny.Cause.UNDECIDED));
    }

    @Test
    void a_stage_that_must_decide_denies_when_it_cannot() {
        var undecided = stage(StageName.AUTHORIZE, _ -> new Verdict.Undecided(UNAVAILABLE, new RuntimeException("x")));

        assertThat(pipeline(undecided).admit(FakeRequest.get("/").context()))
                .isEqualTo(new Admission.Refused(UNAVAILABLE.with(Evidence.Key.CAUSE, "java.lang.RuntimeException")));
    }

    // Evidence belongs to the denial that produced it.

    @Test
    void denials_of_one_request_keep_their_evidence_apart() {
        var context = FakeRequest.get("/")
                .on(observing(StageName.RATELIMIT, StageName.RISK))
                .context();
        var pipeline = pipeline(
                denying(StageName.RATELIMIT, "limit"),
                denying(StageName.RISK, "score"),
                denying(StageName.AUTHORIZE, "rule"));

        assertThat(pipeline.admit(context)).isEqualTo(new Admission.Refused(saying("rule")));
        assertThat(context.wouldDeny())
                .containsExactly(
                        new WouldDeny(StageName.RATELIMIT, saying("limit"), WouldDeny.Cause.OBSERVED),
                        new WouldDeny(StageName.RISK, saying("score"), WouldDeny.Cause.OBSERVED));
        assertThat(DENIED.evidence()).isSameAs(Evidence.NONE);
    }

    @Test
    void the_cause_of_an_undecided_stage_that_is_let_pass_stays_with_it() {
        var passing = Route.builder("r", "h", Route.Kind.UPSTREAM)
                .onUndecided(StageName.RATELIMIT, FaultPolicy.PASS)
                .build();
        var context = FakeRequest.get("/").on(passing).context();
        var undecided = stage(StageName.RATELIMIT, _ -> new Verdict.Undecided(UNAVAILABLE, new ArithmeticException()));

        assertThat(pipeline(undecided, denying(StageName.AUTHORIZE)).admit(context))
                .isEqualTo(new Admission.Refused(DENIED));
        assertThat(context.wouldDeny())
                .containsExactly(new WouldDeny(
                        StageName.RATELIMIT,
                        UNAVAILABLE.with(Evidence.Key.CAUSE, "java.lang.ArithmeticException"),
                        WouldDeny.Cause.UNDECIDED));
    }

    @Test
    void a_stage_that_throws_leaves_the_evidence_of_an_observed_one_alone() {
        var context = FakeRequest.get("/")
                .on(observing(StageName.RATELIMIT, StageName.RISK))
                .context();
        var pipeline = pipeline(denying(StageName.RATELIMIT, "limit"), stage(StageName.RISK, _ -> {
            throw new ArithmeticException("bug");
        }));

        assertThat(denialOf(pipeline.admit(context)).evidence())
                .isEqualTo(Evidence.NONE
                        .with(Evidence.Key.DETAIL, "risk")
                        .with(Evidence.Key.CAUSE, "java.lang.ArithmeticException"));
        assertThat(context.wouldDeny())
                .containsExactly(new WouldDeny(StageName.RATELIMIT, saying("limit"), WouldDeny.Cause.OBSERVED));
    }

    @Test
    void a_stage_that_waits_keeps_its_evidence_from_the_stages_around_it() {
        var context = FakeRequest.get("/")
                .on(observing(StageName.RATELIMIT, StageName.RISK))
                .context();
        var pipeline = pipeline(
                denying(StageName.RATELIMIT, "limit"),
                pending(StageName.RISK, Mono.just(new Verdict.Deny(saying("score")))),
                denying(StageName.AUTHORIZE, "rule"));

        assertThat(awaited(pipeline.admit(context))).isEqualTo(new Admission.Refused(saying("rule")));
        assertThat(context.wouldDeny())
                .containsExactly(
                        new WouldDeny(StageName.RATELIMIT, saying("limit"), WouldDeny.Cause.OBSERVED),
                        new WouldDeny(StageName.RISK, saying("score"), WouldDeny.Cause.OBSERVED));
    }

    @Test
    void a_waiting_stage_that_fails_says_so_in_its_own_denial() {
        var context = FakeRequest.get("/")
                .on(observing(StageName.RATELIMIT, StageName.RISK))
                .context();
        var pipeline = pipeline(
                denying(StageName.RATELIMIT, "limit"),
                pending(StageName.RISK, Mono.error(new ArithmeticException("gone"))));

        assertThat(denialOf(awaited(pipeline.admit(context))).evidence())
                .isEqualTo(Evidence.NONE
                        .with(Evidence.Key.DETAIL, "risk")
                        .with(Evidence.Key.CAUSE, "java.lang.ArithmeticException"));
        assertThat(context.wouldDeny())
                .containsExactly(new WouldDeny(StageName.RATELIMIT, saying("limit"), WouldDeny.Cause.OBSERVED));
    }

    @Test
    void a_pending_verdict_resumes_with_the_next_stage_on_the_event_loop() {
        var answer = Sinks.<Verdict.Settled>one();
        var ranOnLoop = new ArrayList<String>();
        var pipeline = pipeline(
                stage(StageName.AUTHENTICATE, _ -> new Verdict.Pending<>(answer.asMono(), verdict -> verdict)),
                denying(StageName.RISK));
        var context = FakeRequest.get("/")
                .onEventLoop(task -> {
                    ranOnLoop.add("resumed");
                    task.run();
                })
                .context();
        var admitted = new ArrayList<Admission>();

        ((Admission.Awaited) pipeline.admit(context)).admission().subscribe(admitted::add);
        assertThat(admitted).isEmpty();
        answer.tryEmitValue(Verdict.Pass.PASS);

        assertThat(admitted).containsExactly(new Admission.Refused(DENIED));
        assertThat(ranOnLoop).isNotEmpty();
    }

    @Test
    void a_second_pending_verdict_is_awaited_as_well() {
        var pipeline = pipeline(
                pending(StageName.AUTHENTICATE, Mono.just(Verdict.Pass.PASS)),
                pending(StageName.RISK, Mono.just(new Verdict.Deny(DENIED))));

        assertThat(awaited(pipeline.admit(FakeRequest.get("/").context()))).isEqualTo(new Admission.Refused(DENIED));
    }

    @Test
    void a_pending_verdict_that_completes_empty_denies_even_when_observed() {
        var context =
                FakeRequest.get("/").on(routeWith(StageName.RISK, Mode.OBSERVE)).context();

        var admission = awaited(pipeline(pending(StageName.RISK, Mono.empty())).admit(context));

        assertThat(reasonOf(admission)).isEqualTo(Reason.PIPELINE_STAGE_FAILED);
    }

    @Test
    void a_pending_verdict_that_fails_denies() {
        var admission = awaited(pipeline(pending(StageName.RISK, Mono.error(new RuntimeException("gone"))))
                .admit(FakeRequest.get("/").context()));

        assertThat(reasonOf(admission)).isEqualTo(Reason.PIPELINE_STAGE_FAILED);
    }

    @Test
    void a_client_that_goes_away_cancels_what_a_stage_is_asking() {
        var cancelled = new AtomicBoolean();
        var pipeline =
                pipeline(pending(StageName.RISK, Mono.<Verdict.Settled>never().doOnCancel(() -> cancelled.set(true))));

        ((Admission.Awaited) pipeline.admit(FakeRequest.get("/").context()))
                .admission()
                .subscribe()
                .dispose();

        assertThat(cancelled).isTrue();
    }

    @Test
    void a_request_that_no_stage_has_matched_to_a_route_gets_no_permit() {
        var context = FakeRequest.get("/").on(null).context();

        assertThat(reasonOf(pipeline().admit(context))).isEqualTo(Reason.PIPELINE_STAGE_FAILED);
    }

    @Test
    void the_first_outcome_is_told_once_to_the_stages_that_saw_the_request_and_to_the_listener() {
        var seen = new Remembering(StageName.AUTHENTICATE, DENY);
        var unseen = new Remembering(StageName.RISK, DENY);
        var pipeline = pipeline(seen, unseen);
        var context = FakeRequest.get("/").context();
        pipeline.admit(context);
        var refused = new Outcome.Refused(DENIED);

        pipeline.conclude(context, refused);
        pipeline.conclude(context, new Outcome.Cancelled(0));

        assertThat(seen.told).containsExactly(refused);
        assertThat(unseen.told).isEmpty();
        assertThat(outcomes).containsExactly(refused);
    }

    @Test
    void a_lease_that_nobody_took_is_abandoned_when_the_request_ends() {
        var lease = new CountingLease();
        var context = FakeRequest.get("/").context();
        context.lease(lease);

        pipeline().conclude(context, new Outcome.Cancelled(0));

        assertThat(lease.abandoned).isEqualTo(1);
    }

    @Test
    void a_stage_that_throws_on_an_outcome_does_not_cost_the_record() {
        var pipeline = pipeline(new Stage() {
            @Override
            public StageName name() {
                return StageName.FLOOD;
            }

            @Override
            public Verdict evaluate(RequestContext context) {
                return Verdict.Pass.PASS;
            }

            @Override
            public void onOutcome(RequestContext context, Outcome outcome) {
                throw new IllegalStateException("bug");
            }
        });
        var context = FakeRequest.get("/").context();
        pipeline.admit(context);

        pipeline.conclude(context, new Outcome.Answered(204));

        assertThat(outcomes).containsExactly(new Outcome.Answered(204));
    }

    private Pipeline pipeline(Stage... stages) {
        return new Pipeline(List.of(stages), (_, outcome) -> outcomes.add(outcome));
    }

    private static Stage passing(StageName name) {
        return stage(name, _ -> Verdict.Pass.PASS);
    }

    private static Stage denying(StageName name) {
        return stage(name, _ -> DENY);
    }

    private static Stage pending(StageName name, Mono<Verdict.Settled> verdict) {
        return stage(name, _ -> new Verdict.Pending<>(verdict, settled -> settled));
    }

    private static Stage stage(StageName name, Function<RequestContext, Verdict> judge) {
        return new Stage() {
            @Override
            public StageName name() {
                return name;
            }

            @Override
            public Verdict evaluate(RequestContext context) {
                return judge.apply(context);
            }
        };
    }

    private static Stage denying(StageName name, String detail) {
        return stage(name, _ -> new Verdict.Deny(saying(detail)));
    }

    private static Denial saying(String detail) {
        return DENIED.with(Evidence.Key.DETAIL, detail);
    }

    private static Route observing(StageName... stages) {
        var route = Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM);
        for (var stage : stages) {
            route.mode(stage, Mode.OBSERVE);
        }
        return route.build();
    }

    private static Route routeWith(StageName stage, Mode mode) {
        return Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .mode(stage, mode)
                .build();
    }

    private static Permit permitOf(Admission admission) {
        return ((Admission.Permitted) admission).permit();
    }

    private static Denial denialOf(Admission admission) {
        return ((Admission.Refused) admission).denial();
    }

    private static Reason reasonOf(Admission admission) {
        return denialOf(admission).reason();
    }

    private static Admission awaited(Admission admission) {
        var settled = ((Admission.Awaited) admission).admission().block(Duration.ofSeconds(5));
        return java.util.Objects.requireNonNull(settled);
    }

    private static final class Remembering implements Stage {
        private final StageName name;
        private final Verdict verdict;
        private final List<Outcome> told = new ArrayList<>();

        private Remembering(StageName name, Verdict verdict) {
            this.name = name;
            this.verdict = verdict;
        }

        @Override
        public StageName name() {
            return name;
        }

        @Override
        public Verdict evaluate(RequestContext context) {
            return verdict;
        }

        @Override
        public void onOutcome(RequestContext context, Outcome outcome) {
            told.add(outcome);
        }
    }

    private static final class CountingLease implements UpstreamLease {
        private int abandoned;

        @Override
        public void answered(int status) {}

        @Override
        public void lasting() {}

        @Override
        public void failed(Throwable cause) {}

        @Override
        public void abandoned() {
            abandoned++;
        }
    }
}
