// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.resilience4j.bulkhead.BulkheadFullException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.scheduler.VirtualTimeScheduler;

class BoundedCallsTest {
    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final BoundedCalls calls = new BoundedCalls("pdp", 2, Duration.ofMillis(250), time);
    private final UnrulyAnswer<String> answer = new UnrulyAnswer<>();
    private final List<String> answers = new ArrayList<>();
    private final List<Throwable> errors = new ArrayList<>();

    @AfterEach
    void stop() {
        time.dispose();
    }

    @Test
    void a_call_that_never_answers_fails_at_its_deadline_and_is_cancelled() {
        ask(answer);

        time.advanceTimeBy(Duration.ofMillis(249));
        assertThat(errors).isEmpty();
        time.advanceTimeBy(Duration.ofMillis(1));

        assertThat(errors)
                .singleElement()
                .isInstanceOf(BoundedCalls.NoAnswer.class)
                .extracting(Throwable::getMessage)
                .isEqualTo("no answer within PT0.25S");
        assertThat(answer.cancelled()).isEqualTo(1);
    }

    @Test
    void an_answer_after_the_deadline_is_ignored() {
        ask(answer);
        time.advanceTimeBy(Duration.ofMillis(250));

        answer.says("late").completes();

        assertThat(answers).isEmpty();
        assertThat(errors).hasSize(1);
    }

    @Test
    void an_answer_in_time_passes() {
        ask(answer);
        answer.says("yes").completes();
        time.advanceTimeBy(Duration.ofSeconds(1));

        assertThat(answers).containsExactly("yes");
        assertThat(errors).isEmpty();
    }

    @Test
    void a_call_that_completes_empty_has_failed() {
        ask(Mono.empty());

        assertThat(errors).singleElement().isInstanceOf(BoundedCalls.NoAnswer.class);
    }

    @Test
    void a_call_beyond_the_bulkhead_fails_at_once_and_is_not_made() {
        ask(new UnrulyAnswer<>());
        ask(new UnrulyAnswer<>());

        ask(answer);

        assertThat(errors).singleElement().isInstanceOf(BulkheadFullException.class);
        assertThat(answer.isAsked()).isFalse();
    }

    @Test
    void calls_that_end_in_any_way_leave_their_places() {
        var answered = new UnrulyAnswer<String>();
        ask(answered);
        answered.says("yes").completes();
        var failed = new UnrulyAnswer<String>();
        ask(failed);
        failed.fails(new IllegalStateException("gone"));
        ask(new UnrulyAnswer<>());
        time.advanceTimeBy(Duration.ofMillis(250));
        calls.bound(new UnrulyAnswer<String>()).subscribe().dispose();

        ask(new UnrulyAnswer<>());
        ask(answer);

        assertThat(answer.isAsked()).isTrue();
    }

    @Test
    void each_subscription_has_a_deadline_of_its_own() {
        var bound = calls.bound(Mono.<String>never());

        assertThatThrownBy(() -> {
                    var first = bound.toFuture();
                    time.advanceTimeBy(Duration.ofMillis(250));
                    first.join();
                })
                .hasCauseInstanceOf(BoundedCalls.NoAnswer.class);
        // The same call again has its own.
        var second = bound.toFuture();
        time.advanceTimeBy(Duration.ofMillis(249));
        assertThat(second).isNotDone();
    }

    private void ask(Mono<String> call) {
        calls.bound(call).subscribe(answers::add, errors::add);
    }
}
