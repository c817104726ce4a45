// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.netty.channel.DefaultEventLoop;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;

/** What the pipeline makes of answers that come late, twice, elsewhere, after a cancel, or not at all. */
class AwaitedAdmissionTest {
    private static final Denial DENIED = new Denial.Forbidden(Reason.AUTHORIZE_DENY_RULE);

    private final Admitted client = new Admitted();
    private final RequestContext context =
            FakeRequest.get("/").onEventLoop(client).context();
    private final UnrulyAnswer<String> answer = new UnrulyAnswer<>();
    private final Waiting stage = new Waiting();
    private final List<StageName> asked = new ArrayList<>();
    private final Pipeline pipeline = pipeline(stage(StageName.RATELIMIT, _ -> stage.waitFor(answer)));

    @Test
    void an_answer_decides_as_if_it_had_been_there_at_once() {
        client.await(pipeline, context);
        answer.says("no").completes();

        assertThat(client.turn().only()).isEqualTo(new Admission.Refused(DENIED));
        assertThat(asked).doesNotContain(StageName.AUTHORIZE);
    }

    @Test
    void nothing_is_asked_before_the_admission_is_awaited() {
        var admission = pipeline.admit(context);

        assertThat(admission).isInstanceOf(Admission.Awaited.class);
        assertThat(answer.isAsked()).isFalse();
    }

    @Test
    void an_answer_resumes_on_the_event_loop_of_its_request_and_on_no_other_thread() throws Exception {
        var eventLoop = new DefaultEventLoop();
        try {
            var thread = new CompletableFuture<Thread>();
            var pipeline =
                    pipeline(stage(StageName.RATELIMIT, _ -> stage.waitFor(answer)), stage(StageName.AUTHORIZE, _ -> {
                        thread.complete(Thread.currentThread());
                        return Verdict.Pass.PASS;
                    }));
            var admitted = ((Admission.Awaited) pipeline.admit(
                            FakeRequest.get("/").onEventLoop(eventLoop).context()))
                    .admission()
                    .toFuture();

            Thread.ofVirtual().start(() -> answer.says("yes")).join();

            assertThat(eventLoop.inEventLoop(thread.get(10, TimeUnit.SECONDS))).isTrue();
            assertThat(eventLoop.inEventLoop(stage.resumedOn.get(10, TimeUnit.SECONDS)))
                    .isTrue();
            assertThat(admitted.get(10, TimeUnit.SECONDS)).isInstanceOf(Admission.Permitted.class);
        } finally {
            var _ = eventLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }

    @Test
    void of_two_answers_the_first_counts() {
        client.await(pipeline, context);
        answer.says("yes").says("no").completes();

        assertThat(client.turn().only()).isInstanceOf(Admission.Permitted.class);
        answer.says("no").fails(new IllegalStateException("late")).completes();
        client.turn();
        assertThat(client.settled()).hasSize(1);
        assertThat(stage.answers).containsExactly("yes");
    }

    @Test
    void an_answer_after_a_failure_permits_nothing() {
        client.await(pipeline, context);
        answer.fails(new IllegalStateException("gone")).says("yes").completes();

        var refused = client.turn().only();
        assertThat(reasonOf(refused)).isEqualTo(Reason.PIPELINE_STAGE_FAILED);
        assertThat(stage.answers).isEmpty();
        assertThat(((Admission.Refused) refused).denial().evidence().values())
                .containsEntry(Evidence.Key.CAUSE, "java.lang.IllegalStateException");
    }

    @Test
    void an_answer_that_completes_empty_denies() {
        client.await(pipeline, context);
        answer.completes().says("yes");

        assertThat(reasonOf(client.turn().only())).isEqualTo(Reason.PIPELINE_STAGE_FAILED);
    }

    @Test
    void a_stage_may_judge_that_no_answer_comes() {
        stage.ifUnanswered = new Verdict.Deny(DENIED);

        client.await(pipeline, context);
        answer.fails(new IllegalStateException("gone"));

        assertThat(client.turn().only()).isEqualTo(new Admission.Refused(DENIED));
    }

    @Test
    void a_call_that_throws_denies() {
        Mono<String> broken = new Mono<>() {
            @Override
            public void subscribe(CoreSubscriber<? super String> asker) {
                throw new IllegalStateException("bug");
            }
        };

        client.await(pipeline(stage(StageName.RATELIMIT, _ -> stage.waitFor(broken))), context);

        assertThat(reasonOf(client.turn().only())).isEqualTo(Reason.PIPELINE_STAGE_FAILED);
    }

    @Test
    void a_stage_that_throws_on_the_answer_denies() {
        client.await(pipeline, context);
        answer.says("throw");

        assertThat(reasonOf(client.turn().only())).isEqualTo(Reason.PIPELINE_STAGE_FAILED);
    }

    @Test
    void a_stage_may_wait_again() {
        var second = new UnrulyAnswer<String>();
        stage.second = second;

        client.await(pipeline, context);
        answer.says("again");
        client.turn();
        assertThat(client.settled()).isEmpty();
        second.says("no");

        assertThat(client.turn().only()).isEqualTo(new Admission.Refused(DENIED));
    }

    @Test
    void a_cancel_cancels_the_call_and_tells_the_stage_once() {
        client.await(pipeline, context);
        client.cancel();
        client.cancel();

        assertThat(answer.cancelled()).isEqualTo(1);
        assertThat(stage.abandoned).isEqualTo(1);
    }

    @Test
    void an_answer_after_the_cancel_is_handed_back_and_nothing_else_happens() {
        client.await(pipeline, context);
        client.cancel();
        answer.says("yes").says("yes").completes();
        client.turn();

        assertThat(stage.late).containsExactly("yes");
        assertThat(stage.answers).isEmpty();
        assertThat(client.settled()).isEmpty();
        assertThat(asked).doesNotContain(StageName.AUTHORIZE);
    }

    @Test
    void a_failure_after_the_cancel_is_nobodys() {
        client.await(pipeline, context);
        client.cancel();
        answer.fails(new IllegalStateException("late"));
        client.turn();

        assertThat(client.settled()).isEmpty();
    }

    @Test
    void an_answer_that_has_come_but_not_to_the_event_loop_is_handed_back_by_a_cancel() {
        client.await(pipeline, context);
        answer.says("yes").completes();
        client.cancel();
        client.turn();

        assertThat(stage.abandoned).isEqualTo(1);
        assertThat(stage.late).containsExactly("yes");
        assertThat(client.settled()).isEmpty();
    }

    @Test
    void a_cancel_reaches_the_answer_of_a_later_stage_and_no_earlier_one() {
        var later = new UnrulyAnswer<String>();
        var laterStage = new Waiting();
        client.await(
                pipeline(
                        stage(StageName.RATELIMIT, _ -> stage.waitFor(answer)),
                        stage(StageName.RISK, _ -> laterStage.waitFor(later))),
                context);
        answer.says("yes");
        client.turn();
        client.cancel();

        assertThat(answer.cancelled()).isZero();
        assertThat(stage.abandoned).isZero();
        assertThat(later.cancelled()).isEqualTo(1);
        assertThat(laterStage.abandoned).isEqualTo(1);
    }

    @Test
    void a_cancel_before_the_call_lets_nobody_be_asked() {
        var admission = (Admission.Awaited) pipeline.admit(context);

        admission.admission().subscribe(new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                subscription.cancel();
                subscription.request(1);
            }
        });

        assertThat(answer.isAsked()).isFalse();
        assertThat(stage.abandoned).isEqualTo(1);
    }

    @Test
    void a_stage_that_throws_when_it_is_abandoned_does_not_cost_the_outcome() {
        stage.throwsWhenAbandoned = true;
        client.await(pipeline, context);

        assertThatCode(client::cancel).doesNotThrowAnyException();
        assertThat(answer.cancelled()).isEqualTo(1);
    }

    @Test
    void an_adapter_that_throws_when_it_is_cancelled_does_not_cost_the_outcome_either() {
        answer.throwWhenCancelled();
        client.await(pipeline, context);

        assertThatCode(client::cancel).doesNotThrowAnyException();
        assertThat(stage.abandoned).isEqualTo(1);
    }

    @Test
    void a_second_subscription_of_the_adapter_is_cancelled() {
        var second = new UnrulyAnswer<String>();
        client.await(pipeline, context);

        answer.subscribesAgain(second).says("no");

        assertThat(second.cancelled()).isEqualTo(1);
        assertThat(answer.cancelled()).isZero();
        assertThat(client.turn().only()).isEqualTo(new Admission.Refused(DENIED));
    }

    @Test
    void an_answer_after_the_event_loop_has_ended_does_not_hurt_the_adapter() {
        var context = FakeRequest.get("/")
                .onEventLoop(_ -> {
                    throw new RejectedExecutionException("terminated");
                })
                .context();
        client.await(pipeline, context);

        assertThatCode(() -> answer.says("yes").completes()).doesNotThrowAnyException();
        assertThat(client.settled()).isEmpty();
    }

    @Test
    void an_admission_is_awaited_once() {
        var admission = ((Admission.Awaited) pipeline.admit(context)).admission();
        admission.subscribe();
        var error = new ArrayList<Throwable>();

        admission.subscribe(_ -> {}, error::add);

        assertThat(error).hasSize(1);
        answer.says("yes");
        client.turn();
        assertThat(stage.answers).containsExactly("yes");
    }

    @Test
    void what_the_client_hands_on_reaches_the_adapter() {
        var admission = ((Admission.Awaited) pipeline.admit(context)).admission();

        admission.contextWrite(known -> known.put("trace", "abc")).subscribe();

        assertThat(answer.asker().currentContext().<String>get("trace")).isEqualTo("abc");
    }

    @Test
    void waiting_makes_no_operator() {
        var operators = new AtomicInteger();
        Hooks.onEachOperator("count", operator -> {
            operators.incrementAndGet();
            return operator;
        });
        try {
            client.await(pipeline, context);
            answer.says("yes");
            client.turn();
        } finally {
            Hooks.resetOnEachOperator("count");
        }

        assertThat(operators).hasValue(0);
        assertThat(client.only()).isInstanceOf(Admission.Permitted.class);
    }

    private Pipeline pipeline(Stage waiting) {
        return pipeline(waiting, stage(StageName.AUTHORIZE, _ -> Verdict.Pass.PASS));
    }

    private Pipeline pipeline(Stage... stages) {
        return new Pipeline(List.of(stages), (_, _) -> {});
    }

    private Stage stage(StageName name, Function<RequestContext, Verdict> judge) {
        return new Stage() {
            @Override
            public StageName name() {
                return name;
            }

            @Override
            public Verdict evaluate(RequestContext context) {
                asked.add(name);
                return judge.apply(context);
            }
        };
    }

    private static Reason reasonOf(Admission admission) {
        return ((Admission.Refused) admission).denial().reason();
    }

    /** Waits for a word, and remembers what it was told. */
    private static final class Waiting implements Verdict.Resumption<String> {
        private final List<String> answers = new ArrayList<>();
        private final List<String> late = new ArrayList<>();
        private final CompletableFuture<Thread> resumedOn = new CompletableFuture<>();
        private @Nullable Mono<String> second;
        private @Nullable Verdict ifUnanswered;
        private boolean throwsWhenAbandoned;
        private int abandoned;

        private Verdict waitFor(Mono<String> answer) {
            return new Verdict.Pending<>(answer, this);
        }

        @Override
        public Verdict answered(String answer) {
            resumedOn.complete(Thread.currentThread());
            answers.add(answer);
            return switch (answer) {
                case "yes" -> Verdict.Pass.PASS;
                case "no" -> new Verdict.Deny(DENIED);
                case "again" -> waitFor(Objects.requireNonNull(second));
                default -> throw new IllegalStateException("bug");
            };
        }

        @Override
        public @Nullable Verdict unanswered(@Nullable Throwable cause) {
            return ifUnanswered;
        }

        @Override
        public void abandoned() {
            abandoned++;
            if (throwsWhenAbandoned) {
                throw new IllegalStateException("bug");
            }
        }

        @Override
        public void answeredLate(String answer) {
            late.add(answer);
        }
    }
}
