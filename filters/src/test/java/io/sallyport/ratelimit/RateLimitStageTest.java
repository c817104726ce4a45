// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.config.Findings;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.PolicyName;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.FakeSubject;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Answer;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RateLimitState;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.ratelimit.store.Charge;
import io.sallyport.ratelimit.store.IfAbsent;
import io.sallyport.ratelimit.store.LimitKey;
import io.sallyport.ratelimit.store.MemoryLimits;
import io.sallyport.ratelimit.store.PartitionKey;
import io.sallyport.ratelimit.store.PartitionLabels;
import io.sallyport.ratelimit.store.RatePolicy;
import io.spiffe.spiffeid.SpiffeId;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class RateLimitStageTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final byte[] SECRET = new byte[32];
    /** HMAC-SHA256 under {@link #SECRET}, first 12 bytes, of alice's key under policy "user" of route "orders". */
    private static final String ALICE = "MKbe/+HhECIBlKK0";

    private final FakeTime time = new FakeTime();
    private final MemoryLimits store = new MemoryLimits(1000, time, new PartitionLabels(SECRET));
    private final RateLimitStage stage = new RateLimitStage(store);

    @ParameterizedTest
    @EnumSource(names = {"RATELIMIT_EXCEEDED", "RATELIMIT_UNAVAILABLE"})
    void every_reason_is_given_for_what_it_says(Reason reason) {
        var route = route(Map.of("user", limit("subject", 1)));
        var judged = reason == Reason.RATELIMIT_EXCEEDED ? stage : new RateLimitStage(RateLimitStageTest::unavailable);
        judged.evaluate(byAlice(route));

        var reasonGiven = switch (judged.evaluate(byAlice(route))) {
            case Verdict.Deny(Denial denial) -> denial.reason();
            case Verdict.Undecided undecided -> undecided.ifDenied().reason();
            default -> null;
        };

        assertThat(reasonGiven).isEqualTo(reason);
    }

    @Test
    void a_route_without_limits_passes_and_says_nothing() {
        var context = byAlice(FakeRequest.ROUTE);

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.rateLimitState()).isNull();
    }

    @Test
    void exactly_the_limit_passes_within_the_window_and_again_in_the_next() {
        var route = route(Map.of("user", limit("subject", 3)));

        assertThat(passes(route, 10)).isEqualTo(3);
        time.pass(MINUTE.minusNanos(1));
        assertThat(passes(route, 10)).isZero();
        time.pass(Duration.ofNanos(1));
        assertThat(passes(route, 10)).isEqualTo(3);
    }

    @Test
    void the_fields_say_quota_window_remainder_and_reset() {
        var route = route(Map.of("user", limit("subject", 100)));
        for (int i = 0; i < 87; i++) {
            stage.evaluate(byAlice(route));
        }
        time.pass(Duration.ofSeconds(30));
        var context = byAlice(route);
        stage.evaluate(context);

        assertThat(context.rateLimitState())
                .isEqualTo(new RateLimitState(
                        "\"user\";q=100;w=60;pk=:" + ALICE + ":", "\"user\";r=12;t=30;pk=:" + ALICE + ":"));
    }

    @Test
    void the_fields_of_several_policies_are_one_list() {
        var limits = new LinkedHashMap<String, LimitConfig>();
        limits.put("user", limit("subject", 10));
        limits.put("all", new LimitConfig(LimitKey.Word.ROUTE, 5, Duration.ofSeconds(1), 2));
        var context = byAlice(route(limits));
        stage.evaluate(context);

        var state = Objects.requireNonNull(context.rateLimitState());
        assertThat(state.policyField())
                .matches(
                        "\"user\";q=10;w=60;pk=:" + Pattern.quote(ALICE) + ":, \"all\";q=5;w=1;pk=:[A-Za-z0-9+/]{16}:");
        assertThat(state.stateField())
                .matches("\"user\";r=9;t=60;pk=:" + Pattern.quote(ALICE) + ":, \"all\";r=3;t=1;pk=:[A-Za-z0-9+/]{16}:");
    }

    @Test
    void a_part_of_a_second_is_a_second_to_wait() {
        var route = route(Map.of("user", limit("subject", 1)));
        stage.evaluate(byAlice(route));
        time.pass(Duration.ofMillis(59_001));
        var context = byAlice(route);

        assertThat(denialOf(stage.evaluate(context)))
                .isEqualTo(new Denial.Throttled(
                                Reason.RATELIMIT_EXCEEDED, Duration.ofSeconds(1), List.of(new PolicyName("user")))
                        .with(Evidence.Key.RULE_NAME, "user"));
        assertThat(Objects.requireNonNull(context.rateLimitState()).stateField())
                .isEqualTo("\"user\";r=0;t=1;pk=:" + ALICE + ":");
    }

    @Test
    void a_refusal_names_the_exceeded_policies_and_waits_for_the_last_of_them() {
        var limits = new LinkedHashMap<String, LimitConfig>();
        limits.put("second", new LimitConfig(LimitKey.Word.SUBJECT, 1, Duration.ofSeconds(1), 1));
        limits.put("minute", limit("subject", 1));
        limits.put("hour", new LimitConfig(LimitKey.Word.SUBJECT, 100, Duration.ofHours(1), 1));
        var route = route(limits);
        stage.evaluate(byAlice(route));
        var context = byAlice(route);

        var denial = (Denial.Throttled) denialOf(stage.evaluate(context));

        assertThat(denial.policies()).containsExactly(new PolicyName("second"), new PolicyName("minute"));
        assertThat(denial.retryAfter()).isEqualTo(MINUTE);
        assertThat(denial.evidence()).isEqualTo(Evidence.NONE.with(Evidence.Key.RULE_NAME, "second,minute"));
    }

    @Test
    void a_request_that_one_policy_refuses_is_charged_to_none() {
        var limits = new LinkedHashMap<String, LimitConfig>();
        limits.put("wide", limit("subject", 10));
        limits.put("narrow", limit("subject", 2));
        var route = route(limits);

        assertThat(passes(route, 50)).isEqualTo(2);

        var context = byAlice(route);
        stage.evaluate(context);
        assertThat(Objects.requireNonNull(context.rateLimitState()).stateField())
                .contains("\"wide\";r=8;")
                .contains("\"narrow\";r=0;");
    }

    @Test
    void a_request_that_could_not_be_decided_is_charged_to_none() {
        var limits = new LinkedHashMap<String, LimitConfig>();
        limits.put("first", limit("subject", 10));
        limits.put("second", limit("route", 10));
        var route = route(limits);
        var failing = new RateLimitStage((policy, key) ->
                policy.name().value().equals("second") ? unavailable(policy, key) : store.charge(policy, key));

        assertThat(failing.evaluate(byAlice(route))).isInstanceOf(Verdict.Undecided.class);

        var context = byAlice(route);
        stage.evaluate(context);
        assertThat(Objects.requireNonNull(context.rateLimitState()).stateField())
                .contains("\"first\";r=9;");
    }

    @Test
    void a_cost_takes_as_many_units_at_once_or_none() {
        var route = route(Map.of("user", new LimitConfig(LimitKey.Word.SUBJECT, 10, MINUTE, 4)));

        assertThat(passes(route, 5)).isEqualTo(2);

        var context = byAlice(route);
        stage.evaluate(context);
        assertThat(Objects.requireNonNull(context.rateLimitState()).stateField())
                .startsWith("\"user\";r=2;t=60");
    }

    static Stream<Arguments> sharing() {
        var alice = FakeSubject.alice();
        Supplier<FakeSubject> other = () -> FakeSubject.alice().named("bob").client("app");
        var svid = new Principal.Workload(SpiffeId.parse("spiffe://example.org/a"), FakeRequest.NOW);
        var otherSvid = new Principal.Workload(SpiffeId.parse("spiffe://example.org/b"), FakeRequest.NOW);
        var nobody = Principal.Anonymous.ANONYMOUS;
        return Stream.of(
                sharing(
                        "one subject, two addresses",
                        true,
                        "subject",
                        alice.build(),
                        "192.0.2.1",
                        alice.build(),
                        "192.0.2.2"),
                sharing(
                        "two subjects",
                        false,
                        "subject",
                        alice.build(),
                        "192.0.2.1",
                        other.get().build(),
                        "192.0.2.1"),
                sharing(
                        "one sub of two issuers",
                        false,
                        "subject",
                        alice.build(),
                        "192.0.2.1",
                        FakeSubject.alice().of("https://other.example.org").build(),
                        "192.0.2.1"),
                sharing("one workload", true, "subject", svid, "192.0.2.1", svid, "192.0.2.2"),
                sharing("two workloads", false, "subject", svid, "192.0.2.1", otherSvid, "192.0.2.1"),
                sharing("strangers at one address", true, "subject", nobody, "192.0.2.1", nobody, "192.0.2.1"),
                sharing("strangers at two addresses", false, "subject", nobody, "192.0.2.1", nobody, "192.0.2.2"),
                sharing("a subject and a stranger", false, "subject", alice.build(), "192.0.2.1", nobody, "192.0.2.1"),
                sharing(
                        "two subjects of one client",
                        true,
                        "client",
                        alice.build(),
                        "192.0.2.1",
                        FakeSubject.alice().named("bob").build(),
                        "192.0.2.2"),
                sharing(
                        "two clients",
                        false,
                        "client",
                        alice.build(),
                        "192.0.2.1",
                        other.get().build(),
                        "192.0.2.1"),
                sharing(
                        "two subjects without a client",
                        false,
                        "client",
                        FakeSubject.alice().client(null).build(),
                        "192.0.2.1",
                        FakeSubject.alice().named("bob").client(null).build(),
                        "192.0.2.1"),
                sharing(
                        "a client named like a subject without one",
                        false,
                        "client",
                        FakeSubject.alice().client("alice").named("x").build(),
                        "192.0.2.1",
                        FakeSubject.alice().client(null).build(),
                        "192.0.2.1"),
                sharing(
                        "one address",
                        true,
                        "address",
                        alice.build(),
                        "192.0.2.1",
                        other.get().build(),
                        "192.0.2.1"),
                sharing("one IPv6 /64", true, "address", alice.build(), "2001:db8::1", alice.build(), "2001:db8::2"),
                sharing("two addresses", false, "address", alice.build(), "192.0.2.1", alice.build(), "192.0.2.2"),
                sharing("one route", true, "route", alice.build(), "192.0.2.1", nobody, "192.0.2.2"),
                sharing(
                        "one tenant",
                        true,
                        "claim:org.tenant",
                        alice.claim("org", Map.of("tenant", "t1")).build(),
                        "192.0.2.1",
                        FakeSubject.alice()
                                .named("bob")
                                .claim("org", Map.of("tenant", "t1"))
                                .build(),
                        "192.0.2.2"),
                sharing(
                        "two tenants",
                        false,
                        "claim:tenant",
                        FakeSubject.alice().claim("tenant", "t1").build(),
                        "192.0.2.1",
                        FakeSubject.alice().claim("tenant", "t2").build(),
                        "192.0.2.1"),
                sharing(
                        "two lists with a value in common",
                        false,
                        "claim:groups",
                        alice.claim("groups", List.of("a", "b")).build(),
                        "192.0.2.1",
                        FakeSubject.alice()
                                .named("bob")
                                .claim("groups", List.of("a", "c"))
                                .build(),
                        "192.0.2.1"),
                sharing(
                        "one list in two orders",
                        true,
                        "claim:groups",
                        FakeSubject.alice().claim("groups", List.of("a", "b")).build(),
                        "192.0.2.1",
                        FakeSubject.alice()
                                .named("bob")
                                .claim("groups", List.of("b", "a", "b"))
                                .build(),
                        "192.0.2.1"),
                sharing(
                        "a list of one value that reads like two",
                        false,
                        "claim:groups",
                        FakeSubject.alice().claim("groups", List.of("a,b")).build(),
                        "192.0.2.1",
                        FakeSubject.alice().claim("groups", List.of("a", "b")).build(),
                        "192.0.2.1"));
    }

    static Stream<Principal> withoutTheClaim() {
        return Stream.of(
                FakeSubject.alice().build(),
                FakeSubject.alice().claim("groups", List.of()).build(),
                FakeSubject.alice().claim("groups", "").build(),
                FakeSubject.alice().claim("groups", Map.of("a", "b")).build(),
                FakeSubject.alice().claim("groups", List.of(Map.of("a", "b"))).build());
    }

    @ParameterizedTest
    @MethodSource("withoutTheClaim")
    void a_caller_without_the_claim_that_a_limit_counts_by_is_refused_and_charged_nothing(Principal caller) {
        var limits = new LinkedHashMap<String, LimitConfig>();
        limits.put("all", limit("route", 1));
        limits.put("group", limit("claim:groups", 1));
        var route = route(limits);

        for (int i = 0; i < 2; i++) {
            var denial = denialOf(
                    stage.evaluate(FakeRequest.get("/").on(route).by(caller).context()));
            assertThat(denial.reason()).isEqualTo(Reason.RATELIMIT_KEY_MISSING);
            assertThat(denial.evidence().values())
                    .containsEntry(Evidence.Key.RULE_NAME, "group")
                    .containsEntry(Evidence.Key.DETAIL, "no claim:groups");
        }
    }

    @Test
    void a_caller_without_the_claim_is_counted_by_its_address_where_the_limit_says_so() {
        var byAddress = new LimitConfig(LimitKey.parse("claim:groups"), 1, MINUTE, 1, IfAbsent.ADDRESS);
        var route = route(Map.of("group", byAddress));
        var bob = FakeSubject.alice().named("bob").build();

        assertThat(stage.evaluate(byAlice(route))).isEqualTo(Verdict.Pass.PASS);
        assertThat(denialOf(stage.evaluate(
                                FakeRequest.get("/").on(route).by(bob).context()))
                        .reason())
                .isEqualTo(Reason.RATELIMIT_EXCEEDED);
        assertThat(stage.evaluate(FakeRequest.get("/")
                        .on(route)
                        .by(bob)
                        .from("192.0.2.99")
                        .context()))
                .isEqualTo(Verdict.Pass.PASS);
    }

    private static Arguments sharing(
            String name, boolean shared, String key, Principal one, String from, Principal other, String otherFrom) {
        return Arguments.of(Named.of(name, shared), key, one, from, other, otherFrom);
    }

    @ParameterizedTest
    @MethodSource
    void sharing(boolean shared, String key, Principal one, String from, Principal other, String otherFrom) {
        var route = route(Map.of("limit", limit(key, 1)));
        stage.evaluate(FakeRequest.get("/").on(route).by(one).from(from).context());

        var verdict = stage.evaluate(
                FakeRequest.get("/").on(route).by(other).from(otherFrom).context());

        assertThat(verdict != Verdict.Pass.PASS).isEqualTo(shared);
    }

    @Test
    void what_was_spent_survives_a_reload_that_does_not_change_the_limit() {
        passes(route(Map.of("user", limit("subject", 10))), 7);
        var reloaded = route(Map.of("user", limit("subject", 10)));

        assertThat(passes(reloaded, 10)).isEqualTo(3);
    }

    @Test
    void a_changed_limit_keeps_what_is_left_in_proportion() {
        passes(route(Map.of("user", limit("subject", 10))), 5);
        var raised = route(Map.of("user", limit("subject", 100)));

        assertThat(passes(raised, 200)).isEqualTo(50);
        time.pass(MINUTE);
        assertThat(passes(raised, 200)).isEqualTo(100);
    }

    @Test
    void a_limit_that_was_used_up_is_used_up_after_it_was_changed() {
        passes(route(Map.of("user", limit("subject", 10))), 10);

        assertThat(passes(route(Map.of("user", limit("subject", 20))), 20)).isZero();
    }

    @Test
    void routes_and_policies_of_other_names_have_buckets_of_their_own() {
        passes(route(Map.of("user", limit("subject", 1))), 1);

        assertThat(passes(route(Map.of("person", limit("subject", 1))), 1)).isEqualTo(1);
        assertThat(passes(route("other", Map.of("user", limit("subject", 1))), 1))
                .isEqualTo(1);
    }

    @Test
    void more_callers_than_there_is_room_for_take_no_more_memory() {
        var route = route(Map.of("user", limit("subject", 1)));
        for (int i = 0; i < 20_000; i++) {
            stage.evaluate(FakeRequest.get("/")
                    .on(route)
                    .by(FakeSubject.alice().named("user" + i).build())
                    .context());
        }

        assertThat(store.size()).isLessThanOrEqualTo(1000);
    }

    @Test
    void a_bucket_that_was_left_alone_for_its_window_is_forgotten() {
        stage.evaluate(byAlice(route(Map.of("user", limit("subject", 1)))));
        assertThat(store.size()).isEqualTo(1);

        time.pass(MINUTE.plusSeconds(2));

        assertThat(store.size()).isZero();
    }

    @Test
    void many_threads_pass_exactly_the_limit() throws Exception {
        var route = route(Map.of("user", limit("subject", 1000)));
        var passed = new AtomicInteger();
        Callable<Boolean> hammer = () -> {
            passed.addAndGet(passes(route, 500));
            return true;
        };
        try (var threads = Executors.newFixedThreadPool(4)) {
            for (var done : threads.invokeAll(Collections.nCopies(4, hammer))) {
                assertThat(done.get()).isTrue();
            }
        }

        assertThat(passed).hasValue(1000);
    }

    @Test
    void a_label_tells_nothing_without_the_secret() {
        var key = Objects.requireNonNull(
                PartitionKey.of(policy("orders", "user", limit("subject", 1)), byAlice(FakeRequest.ROUTE)));

        assertThat(PartitionLabels.random().labelOf(key))
                .hasSize(16)
                .isNotEqualTo(PartitionLabels.random().labelOf(key));
    }

    private int passes(Route route, int requests) {
        int passed = 0;
        for (int i = 0; i < requests; i++) {
            if (stage.evaluate(byAlice(route)) == Verdict.Pass.PASS) {
                passed++;
            }
        }
        return passed;
    }

    private static RequestContext byAlice(Route route) {
        return FakeRequest.get("/").on(route).by(FakeSubject.alice().build()).context();
    }

    private static LimitConfig limit(String key, long limit) {
        return new LimitConfig(LimitKey.parse(key), limit, MINUTE, 1);
    }

    private static RatePolicy policy(String route, String name, LimitConfig limit) {
        return RouteLimits.ratePolicy(route, new PolicyName(name), limit);
    }

    private static Route route(Map<String, LimitConfig> limits) {
        return route("orders", limits);
    }

    private static Route route(String name, Map<String, LimitConfig> limits) {
        var findings = new Findings();
        var compiled = RouteLimits.compile(limits, name, false, findings.at("rate-limits"));
        return Route.builder(name, "api.example.org", Route.Kind.UPSTREAM)
                .settings(StageName.RATELIMIT, Objects.requireNonNull(compiled))
                .build();
    }

    private static Answer<Charge> unavailable(RatePolicy policy, PartitionKey key) {
        throw new IllegalStateException("the store of %s and %s is gone".formatted(policy.name(), key.kind()));
    }

    private static Denial denialOf(Verdict verdict) {
        return ((Verdict.Deny) verdict).denial();
    }
}
