// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** A flood becomes few records, and no refusal goes uncounted. */
class FloodCollapseTest {
    private static final Outcome FORBIDDEN = refused(Reason.AUTHORIZE_NO_RULE_ALLOWED);

    private final Collection<DecisionRecord> written = new ConcurrentLinkedQueue<>();
    private final FloodCollapse floods = new FloodCollapse(10, "/repeats");

    @Test
    void the_first_equal_refusals_of_a_minute_are_written_and_the_rest_is_one_exact_count() {
        for (int i = 0; i < 25; i++) {
            add(refusal("192.0.2.7").at(FakeRequest.NOW.plusMillis(i)).build(FORBIDDEN));
        }
        floods.closeAll(written::add);

        assertThat(written).hasSize(11);
        var collapsed = List.copyOf(written).getLast();
        assertThat(collapsed.repeats())
                .isEqualTo(new DecisionRecord.Repeats(15, FakeRequest.NOW.plusMillis(24), "/repeats"));
        assertThat(total()).isEqualTo(25);
    }

    @Test
    void refusals_of_another_caller_reason_or_route_are_not_equal() {
        for (int i = 0; i < 10; i++) {
            add(refusal("192.0.2.7").build(FORBIDDEN));
            add(refusal("192.0.2.8").build(FORBIDDEN));
            add(refusal("192.0.2.7").build(refused(Reason.AUTHORIZE_DENY_RULE)));
            add(new Refusal(FakeRequest.get("/").from("192.0.2.7").on(null)).build(FORBIDDEN));
            add(new Refusal(FakeRequest.get("/").from("192.0.2.7").by(subject("alice"))).build(FORBIDDEN));
            add(new Refusal(FakeRequest.get("/").from("192.0.2.7").by(subject("bob"))).build(FORBIDDEN));
        }
        floods.closeAll(written::add);

        assertThat(written).hasSize(60).allMatch(record -> record.repeats() == null);
    }

    @Test
    void one_caller_is_one_caller_from_whatever_address() {
        for (int i = 0; i < 20; i++) {
            add(new Refusal(FakeRequest.get("/").from("192.0.2." + i).by(subject("alice"))).build(FORBIDDEN));
        }
        floods.closeAll(written::add);

        assertThat(written).hasSize(11);
        assertThat(total()).isEqualTo(20);
    }

    @Test
    void the_next_minute_begins_anew() {
        addFifteen();
        floods.closeOver(FakeRequest.NOW.plus(Duration.ofSeconds(59)), written::add);
        assertThat(written).hasSize(10);

        floods.closeOver(FakeRequest.NOW.plus(Duration.ofSeconds(60)), written::add);
        assertThat(written).hasSize(11);
        assertThat(total()).isEqualTo(15);

        addFifteen();
        assertThat(written).hasSize(21);
    }

    @Test
    void a_count_that_is_counted_again_keeps_its_number_its_times_and_an_id_of_its_own() {
        for (int i = 0; i < 25; i++) {
            floods.admits(refusal("192.0.2.7").at(FakeRequest.NOW.plusMillis(i)).build(FORBIDDEN));
        }
        var overflow = new FloodCollapse(0, "/overflow");
        floods.closeAll(count -> assertThat(overflow.admits(count)).isFalse());
        overflow.admits(refusal("192.0.2.7").at(FakeRequest.NOW.plusMillis(20)).build(FORBIDDEN));
        overflow.closeAll(written::add);

        assertThat(written)
                .singleElement()
                .extracting(DecisionRecord::repeats)
                .isEqualTo(new DecisionRecord.Repeats(16, FakeRequest.NOW.plusMillis(24), "/repeats/overflow"));
    }

    @Test
    void a_flood_from_more_callers_than_can_be_told_apart_is_told_apart_by_reason() {
        var bounded = new FloodCollapse(10, "/repeats", 100);
        for (int i = 0; i < 5_000; i++) {
            add(bounded, refusal("2001:db8::%x".formatted(i)).build(FORBIDDEN));
        }
        bounded.closeAll(written::add);

        assertThat(written).hasSize(100 + 10 + 1);
        assertThat(total()).isEqualTo(5_000);
    }

    @Test
    void no_refusal_is_lost_or_counted_twice_while_windows_are_closed_under_the_adding_threads() throws Exception {
        int threads = 4;
        int each = 25_000;
        var adding = new AtomicBoolean(true);
        // The writer never waits for a minute here: each round closes every window that there is.
        // Two of them, as with two sinks.
        Runnable close = () -> {
            while (adding.get()) {
                floods.closeAll(written::add);
            }
        };
        var closing =
                List.of(Thread.ofPlatform().start(close), Thread.ofPlatform().start(close));
        var adders = new ArrayList<Thread>();
        for (int t = 0; t < threads; t++) {
            var record = refusal("192.0.2.7").build(FORBIDDEN);
            adders.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < each; i++) {
                    add(record);
                }
            }));
        }
        for (var adder : adders) {
            adder.join();
        }
        adding.set(false);
        for (var closer : closing) {
            closer.join();
        }
        floods.closeAll(written::add);

        assertThat(total()).isEqualTo((long) threads * each);
    }

    private void add(DecisionRecord record) {
        add(floods, record);
    }

    private void add(FloodCollapse to, DecisionRecord record) {
        if (to.admits(record)) {
            written.add(record);
        }
    }

    private void addFifteen() {
        for (int i = 0; i < 15; i++) {
            add(refusal("192.0.2.7").build(FORBIDDEN));
        }
    }

    private long total() {
        return written.stream().mapToLong(DecisionRecord::weight).sum();
    }

    private static Outcome refused(Reason reason) {
        return new Outcome.Refused(new Denial.Forbidden(reason));
    }

    private static Refusal refusal(String address) {
        return new Refusal(FakeRequest.get("/").from(address));
    }

    private static Principal subject(String name) {
        return new Principal.Subject(
                "corp",
                "https://idp.example.org",
                name,
                null,
                null,
                null,
                FakeRequest.NOW,
                FakeRequest.NOW.plusSeconds(60),
                Set.of(),
                null,
                List.of(),
                null,
                Map.of());
    }

    private record Refusal(FakeRequest request) {
        Refusal at(Instant instant) {
            return new Refusal(request.at(instant));
        }

        DecisionRecord build(Outcome outcome) {
            return DecisionRecord.ofOutcome(request.context(), outcome, 1);
        }
    }
}
