// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.config.Findings;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.PolicyName;
import io.sallyport.decision.Reason;
import io.sallyport.identity.FakeSubject;
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
import io.sallyport.ratelimit.store.Charge;
import io.sallyport.ratelimit.store.LimitKey;
import io.sallyport.ratelimit.store.MemoryLimits;
import io.sallyport.ratelimit.store.PartitionKey;
import io.sallyport.ratelimit.store.PartitionLabels;
import io.sallyport.ratelimit.store.RatePolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.scheduler.VirtualTimeScheduler;

/**
 * Several limits in a store that another process is: charged in order, all or none, whatever the store and the client do meanwhile. Limits
 * {@code first} and {@code third} answer at once, {@code second} and {@code fourth} wait.
 */
class WaitingLimitsTest {
    private static final Duration BUDGET = Duration.ofMillis(30);

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final BoundedCalls calls = new BoundedCalls("redis", 8, BUDGET, time);
    private final MemoryLimits limits = new MemoryLimits(100, new FakeTime(), PartitionLabels.random());
    private final Map<String, UnrulyAnswer<Charge>> waiting = new HashMap<>();
    private final List<String> asked = new ArrayList<>();
    private final Admitted client = new Admitted();
    private UnaryOperator<Mono<Charge>> adapter = UnaryOperator.identity();
    private boolean closed;

    @AfterEach
    void stop() {
        time.dispose();
    }

    @Test
    void a_limit_is_charged_when_those_before_it_have_been() {
        send();
        assertThat(asked).containsExactly("first", "second");

        grant("second");
        client.turn();

        assertThat(asked).containsExactly("first", "second", "third", "fourth");
        assertThat(client.settled()).isEmpty();
        grant("fourth");
        assertThat(client.turn().only()).isInstanceOf(Admission.Permitted.class);
        assertThat(left()).isEqualTo("first=9 second=9 third=9 fourth=9");
    }

    @Test
    void the_fields_are_those_of_limits_that_do_not_wait() {
        var context = send();
        grant("second");
        client.turn();
        grant("fourth");
        client.turn();

        assertThat(Objects.requireNonNull(context.rateLimitState()).stateField())
                .matches("\"first\";r=9;t=60;pk=:.{16}:, \"second\";r=9;.*, \"third\";r=9;.*, \"fourth\";r=9;.*");
    }

    @Test
    void a_refusal_after_a_wait_gives_every_other_charge_back() {
        exhaust("fourth");
        send();
        grant("second");
        client.turn();
        grant("fourth");

        var denial = ((Admission.Refused) client.turn().only()).denial();

        assertThat(denial)
                .isEqualTo(new Denial.Throttled(
                                Reason.RATELIMIT_EXCEEDED, Duration.ofMinutes(1), List.of(new PolicyName("fourth")))
                        .with(Evidence.Key.RULE_NAME, "fourth"));
        assertThat(left()).isEqualTo("first=10 second=10 third=10 fourth=0");
    }

    @Test
    void a_refusal_before_a_wait_is_charged_to_nobody_either_and_names_all_that_were_exceeded() {
        exhaust("first");
        exhaust("fourth");
        send();
        grant("second");
        client.turn();
        grant("fourth");

        var denial = (Denial.Throttled) ((Admission.Refused) client.turn().only()).denial();

        assertThat(denial.policies()).containsExactly(new PolicyName("first"), new PolicyName("fourth"));
        assertThat(left()).isEqualTo("first=0 second=10 third=10 fourth=0");
    }

    @Test
    void a_client_that_goes_away_while_a_later_charge_waits_gets_the_earlier_ones_back() {
        send();
        grant("second");
        client.turn();
        client.cancel();

        assertThat(waiting("fourth").cancelled()).isEqualTo(1);
        assertThat(left()).isEqualTo("first=10 second=10 third=10 fourth=10");
    }

    @Test
    void a_charge_that_is_granted_after_the_client_has_gone_is_given_back() {
        send();
        client.cancel();
        grant("second");
        assertThat(left()).contains("second=9");
        client.turn();

        assertThat(left()).isEqualTo("first=10 second=10 third=10 fourth=10");
        assertThat(asked).doesNotContain("third");
        assertThat(client.settled()).isEmpty();
    }

    @Test
    void a_charge_that_is_refused_after_the_client_has_gone_is_not_given_back() {
        exhaust("second");
        send();
        client.cancel();
        grant("second");
        client.turn();

        assertThat(left()).isEqualTo("first=10 second=0 third=10 fourth=10");
    }

    @Test
    void a_charge_that_was_granted_but_not_yet_judged_is_given_back_when_the_client_goes() {
        send();
        grant("second");
        client.cancel();
        client.turn();

        assertThat(left()).isEqualTo("first=10 second=10 third=10 fourth=10");
    }

    @Test
    void a_store_that_fails_in_the_middle_leaves_the_request_undecided_and_charged_to_nobody() {
        send();
        grant("second");
        client.turn();
        waiting("fourth").fails(new IOException("connection reset"));

        assertThat(reason()).isEqualTo(Reason.RATELIMIT_UNAVAILABLE);
        assertThat(left()).isEqualTo("first=10 second=10 third=10 fourth=10");
    }

    @Test
    void a_store_that_fails_lets_pass_where_the_operator_wrote_so() {
        send(route(FaultPolicy.PASS));
        waiting("second").fails(new IOException("connection reset"));

        assertThat(client.turn().only()).isInstanceOf(Admission.Permitted.class);
        assertThat(left()).contains("first=10");
    }

    @Test
    void a_store_that_throws_after_a_wait_leaves_the_request_undecided_and_charged_to_nobody() {
        send();
        closed = true;
        grant("second");

        assertThat(reason()).isEqualTo(Reason.RATELIMIT_UNAVAILABLE);
        assertThat(left()).isEqualTo("first=10 second=10 third=10 fourth=10");
    }

    /** The store may have charged it: what nobody knows is not given back, so that it never counts too little. */
    @Test
    void a_store_that_is_late_leaves_the_request_undecided_and_its_late_charge_taken() {
        adapter = calls::bound;
        send();
        time.advanceTimeBy(BUDGET);
        grant("second");

        assertThat(reason()).isEqualTo(Reason.RATELIMIT_UNAVAILABLE);
        assertThat(left()).isEqualTo("first=10 second=9 third=10 fourth=10");
    }

    @Test
    void a_store_that_never_answers_is_cancelled_by_the_adapters_deadline() {
        adapter = calls::bound;
        send();
        time.advanceTimeBy(BUDGET.minusMillis(1));
        assertThat(client.turn().settled()).isEmpty();
        time.advanceTimeBy(Duration.ofMillis(1));

        assertThat(reason()).isEqualTo(Reason.RATELIMIT_UNAVAILABLE);
        assertThat(waiting("second").cancelled()).isEqualTo(1);
    }

    @Test
    void a_charge_that_completes_empty_denies_even_where_undecided_passes() {
        send(route(FaultPolicy.PASS));
        waiting("second").completes();

        assertThat(reason()).isEqualTo(Reason.PIPELINE_STAGE_FAILED);
        assertThat(left()).contains("first=10");
    }

    @Test
    void a_charge_that_is_answered_twice_counts_once() {
        send();
        var charge = charge("second");
        waiting("second").says(charge).says(charge).completes();
        client.turn();
        grant("fourth");
        assertThat(client.turn().only()).isInstanceOf(Admission.Permitted.class);

        assertThat(asked).containsExactly("first", "second", "third", "fourth");
        assertThat(left()).isEqualTo("first=9 second=9 third=9 fourth=9");
    }

    @Test
    void a_charge_on_another_thread_is_judged_on_the_event_loop() throws Exception {
        send();
        Thread.ofVirtual().start(() -> grant("second")).join();

        assertThat(asked).containsExactly("first", "second");
        client.turn();
        assertThat(asked).contains("fourth");
    }

    private RequestContext send() {
        return send(route(FaultPolicy.DENY));
    }

    private RequestContext send(Route route) {
        var context = FakeRequest.get("/")
                .on(route)
                .by(FakeSubject.alice().build())
                .onEventLoop(client)
                .context();
        client.await(new Pipeline(List.of(new RateLimitStage(this::store)), (_, _) -> {}), context);
        return context;
    }

    private Answer<Charge> store(RatePolicy policy, PartitionKey key) {
        var name = policy.name().value();
        asked.add(name);
        if (closed) {
            throw new IllegalStateException("closed");
        }
        return name.equals("second") || name.equals("fourth")
                ? new Answer.Later<>(adapter.apply(waiting.computeIfAbsent(name, _ -> new UnrulyAnswer<>())))
                : limits.charge(policy, key);
    }

    /** The store charges the limit, and says so. */
    private void grant(String policy) {
        waiting(policy).says(charge(policy)).completes();
    }

    private Charge charge(String policy) {
        return charge(policy, 1);
    }

    private Charge charge(String name, long cost) {
        var policy = RouteLimits.ratePolicy("orders", new PolicyName(name), limit(cost));
        var key = Objects.requireNonNull(PartitionKey.of(
                policy, FakeRequest.get("/").by(FakeSubject.alice().build()).context()));
        return ((Answer.Now<Charge>) limits.charge(policy, key)).value();
    }

    private void exhaust(String policy) {
        charge(policy, 10);
    }

    private UnrulyAnswer<Charge> waiting(String policy) {
        return Objects.requireNonNull(waiting.get(policy), policy);
    }

    /** What is left of each limit. */
    private String left() {
        var left = new ArrayList<String>();
        for (var policy : List.of("first", "second", "third", "fourth")) {
            var charge = charge(policy);
            left.add(policy + "=" + (charge.granted() ? charge.remaining() + 1 : 0));
            if (charge.granted()) {
                charge.giveBack();
            }
        }
        return String.join(" ", left);
    }

    private Reason reason() {
        return ((Admission.Refused) client.turn().only()).denial().reason();
    }

    private static LimitConfig limit(long cost) {
        return new LimitConfig(LimitKey.Word.SUBJECT, 10, Duration.ofMinutes(1), cost);
    }

    private static Route route(FaultPolicy onUndecided) {
        var policies = new LinkedHashMap<String, LimitConfig>();
        for (var policy : List.of("first", "second", "third", "fourth")) {
            policies.put(policy, limit(1));
        }
        var compiled = RouteLimits.compile(policies, "orders", false, new Findings().at("rate-limits"));
        return Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .settings(StageName.RATELIMIT, Objects.requireNonNull(compiled))
                .onUndecided(StageName.RATELIMIT, onUndecided)
                .build();
    }
}
