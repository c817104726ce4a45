// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.ClaimPath;
import io.sallyport.identity.FakeSubject;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RiskScore;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.StageName;
import io.spiffe.spiffeid.SpiffeId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RiskStageTest {
    private static final RiskLadderConfig LADDER =
            new RiskLadderConfig(60, 80, 90, List.of("phr", "phrh"), Duration.ofMinutes(5));

    private final RiskStage stage = new RiskStage();

    static Stream<Arguments> reasons() {
        return Stream.of(
                Arguments.of(Reason.RISK_STEP_UP_REQUIRED, scoring(60), HttpMethod.GET, FakeSubject.alice()),
                Arguments.of(Reason.RISK_READ_ONLY, scoring(80), HttpMethod.POST, steppedUp()),
                Arguments.of(Reason.RISK_DENIED, scoring(90), HttpMethod.GET, steppedUp()),
                Arguments.of(Reason.RISK_UNAVAILABLE, failing(), HttpMethod.GET, steppedUp()));
    }

    @ParameterizedTest
    @MethodSource("reasons")
    void every_reason_is_given_for_what_it_says(
            Reason reason, RiskScoring scoring, HttpMethod method, FakeSubject subject) {
        var context = context(method, scoring, route(LADDER), subject.build());

        var verdict = stage.evaluate(context);

        assertThat(reasonOf(verdict)).isEqualTo(reason);
    }

    @ParameterizedTest
    @CsvSource({
        "59, POST, false, ",
        "60, GET,  false, RISK_STEP_UP_REQUIRED",
        "79, POST, true,  ",
        "80, GET,  false, RISK_STEP_UP_REQUIRED",
        "80, POST, false, RISK_STEP_UP_REQUIRED",
        "80, GET,  true,  ",
        "80, HEAD, true,  ",
        "80, OPTIONS, true, ",
        "80, POST, true,  RISK_READ_ONLY",
        "80, PUT,  true,  RISK_READ_ONLY",
        "80, DELETE, true, RISK_READ_ONLY",
        "89, GET,  true,  ",
        "90, GET,  true,  RISK_DENIED",
        "90, GET,  false, RISK_DENIED",
        "100, GET, true,  RISK_DENIED",
    })
    void the_ladder(int score, String method, boolean steppedUp, @Nullable Reason reason) {
        var subject = steppedUp ? steppedUp() : FakeSubject.alice();
        var context = context(HttpMethod.valueOf(method), scoring(score), route(LADDER), subject.build());

        assertThat(reasonOf(stage.evaluate(context))).isEqualTo(reason);
        assertThat(context.riskScore().value()).isEqualTo(score);
    }

    @Test
    void the_challenge_is_that_of_rfc_9470() {
        var verdict = stage.evaluate(context(
                HttpMethod.GET, scoring(60), route(LADDER), FakeSubject.alice().build()));

        var denial = (Denial.Unauthenticated) ((Verdict.Deny) verdict).denial();
        assertThat(denial.challenges())
                .singleElement()
                .extracting(Object::toString)
                .asString()
                .matches("Bearer error=\"insufficient_user_authentication\", ?"
                        + "error_description=\"A different authentication level is required\", ?"
                        + "acr_values=\"phr phrh\", ?max_age=\"300\"");
    }

    @Test
    void without_acr_values_the_challenge_asks_for_freshness_alone() {
        var ladder = new RiskLadderConfig(60, null, null, List.of(), Duration.ofMinutes(1));
        var verdict = stage.evaluate(context(
                HttpMethod.GET, scoring(60), route(ladder), FakeSubject.alice().build()));

        var denial = (Denial.Unauthenticated) ((Verdict.Deny) verdict).denial();
        assertThat(denial.challenges().getFirst().headerValue())
                .doesNotContain("acr_values")
                .endsWith("max_age=\"60\"");
    }

    static Stream<Arguments> authentications() {
        var fresh = FakeRequest.NOW.minusSeconds(300);
        return Stream.of(
                Arguments.of(true, FakeSubject.alice().acr("phr").authenticatedAt(fresh)),
                Arguments.of(true, FakeSubject.alice().acr("phrh").authenticatedAt(fresh)),
                Arguments.of(false, FakeSubject.alice().acr("phr").authenticatedAt(fresh.minusSeconds(1))),
                Arguments.of(false, FakeSubject.alice().acr("phr")),
                Arguments.of(false, FakeSubject.alice().acr("pwd").authenticatedAt(fresh)),
                Arguments.of(false, FakeSubject.alice().acr("phr phrh").authenticatedAt(fresh)),
                Arguments.of(false, FakeSubject.alice().authenticatedAt(fresh)));
    }

    @ParameterizedTest
    @MethodSource("authentications")
    void stepping_up_takes_a_named_acr_and_a_fresh_auth_time(boolean satisfies, FakeSubject subject) {
        var context = context(HttpMethod.GET, scoring(60), route(LADDER), subject.build());

        assertThat(stage.evaluate(context) == Verdict.Pass.PASS).isEqualTo(satisfies);
    }

    @Test
    void step_up_from_zero_is_demanded_of_every_request() {
        var ladder = route(new RiskLadderConfig(0, null, null, List.of("phr"), Duration.ofMinutes(5)));

        assertThat(reasonOf(stage.evaluate(context(
                        HttpMethod.GET, scoring(0), ladder, FakeSubject.alice().build()))))
                .isEqualTo(Reason.RISK_STEP_UP_REQUIRED);
        assertThat(stage.evaluate(
                        context(HttpMethod.GET, scoring(0), ladder, steppedUp().build())))
                .isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void who_cannot_authenticate_again_does_not_pass_the_step() {
        var workload = new Principal.Workload(SpiffeId.parse("spiffe://example.org/a"), FakeRequest.NOW);

        assertThat(reasonOf(stage.evaluate(context(HttpMethod.GET, scoring(60), route(LADDER), workload))))
                .isEqualTo(Reason.RISK_STEP_UP_REQUIRED);
        assertThat(reasonOf(stage.evaluate(
                        context(HttpMethod.GET, scoring(60), route(LADDER), Principal.Anonymous.ANONYMOUS))))
                .isEqualTo(Reason.RISK_STEP_UP_REQUIRED);
    }

    @Test
    void a_route_without_a_ladder_passes_with_its_score() {
        var context = context(
                HttpMethod.POST,
                scoring(100),
                FakeRequest.ROUTE,
                FakeSubject.alice().build());

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.riskScore()).isEqualTo(new RiskScore(100, List.of("fixed")));
    }

    @Test
    void no_signal_no_score() {
        var context = context(
                HttpMethod.POST,
                RiskScoring.of(List.of()),
                route(LADDER),
                FakeSubject.alice().build());

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.riskScore()).isSameAs(RiskScore.NONE);
    }

    @Test
    void weights_add_up_to_a_hundred_at_most_and_name_what_contributed() {
        var scoring = RiskScoring.of(List.of(
                weighted("one", 1, 70), weighted("none", 0, 50), weighted("half", 0.5, 40), weighted("last", 1, 60)));
        var context = context(
                HttpMethod.GET, scoring, FakeRequest.ROUTE, FakeSubject.alice().build());
        stage.evaluate(context);

        assertThat(context.riskScore()).isEqualTo(new RiskScore(100, List.of("one", "half", "last")));
    }

    @Test
    void part_of_a_weight_is_rounded_to_the_nearest() {
        var scoring = RiskScoring.of(List.of(weighted("third", 1.0 / 3, 50)));
        var context = context(
                HttpMethod.GET, scoring, FakeRequest.ROUTE, FakeSubject.alice().build());
        stage.evaluate(context);

        assertThat(context.riskScore().value()).isEqualTo(17);
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1.1, Double.NaN})
    void a_signal_that_answers_nonsense_leaves_the_request_undecided(double degree) {
        var scoring = RiskScoring.of(List.of(weighted("broken", degree, 50)));

        assertThat(stage.evaluate(context(
                        HttpMethod.GET,
                        scoring,
                        FakeRequest.ROUTE,
                        FakeSubject.alice().build())))
                .isInstanceOf(Verdict.Undecided.class);
    }

    static Stream<Arguments> signals() {
        var signals = new SignalsConfig(
                new SignalsConfig.AuthFailures(40, 10),
                new SignalsConfig.TokenAge(20, Duration.ofMinutes(30)),
                new SignalsConfig.UaScanner(30, List.of("sqlmap")),
                new SignalsConfig.DeviceNoncompliant(25, ClaimPath.parse("device_posture"), List.of("compliant")));
        var compliant = FakeSubject.alice().claim("device_posture", "compliant").build();
        var old = FakeSubject.alice()
                .claim("device_posture", "compliant")
                .issuedAt(FakeRequest.NOW.minusSeconds(1800))
                .build();
        var almostOld = FakeSubject.alice()
                .claim("device_posture", "compliant")
                .issuedAt(FakeRequest.NOW.minusSeconds(1799))
                .build();
        var workload = new Principal.Workload(SpiffeId.parse("spiffe://example.org/a"), FakeRequest.NOW);
        return Stream.of(
                Arguments.of(signals, 0, "curl/8", compliant, 0, List.of()),
                Arguments.of(signals, 1, "curl/8", compliant, 4, List.of("auth_failures")),
                Arguments.of(signals, 10, "curl/8", compliant, 40, List.of("auth_failures")),
                Arguments.of(signals, 500, "curl/8", compliant, 40, List.of("auth_failures")),
                Arguments.of(signals, 0, "curl/8", old, 20, List.of("token_age")),
                Arguments.of(signals, 0, "curl/8", almostOld, 0, List.of()),
                Arguments.of(signals, 0, "SQLmap/1.8", compliant, 30, List.of("ua_scanner")),
                Arguments.of(signals, 0, null, compliant, 0, List.of()),
                Arguments.of(signals, 0, "curl/8", FakeSubject.alice().build(), 25, List.of("device_noncompliant")),
                Arguments.of(
                        signals,
                        0,
                        "curl/8",
                        FakeSubject.alice()
                                .claim("device_posture", "jailbroken")
                                .build(),
                        25,
                        List.of("device_noncompliant")),
                Arguments.of(
                        signals,
                        0,
                        "curl/8",
                        FakeSubject.alice()
                                .claim("device_posture", List.of("compliant"))
                                .build(),
                        25,
                        List.of("device_noncompliant")),
                Arguments.of(signals, 0, "curl/8", workload, 0, List.of()),
                Arguments.of(signals, 0, "curl/8", Principal.Anonymous.ANONYMOUS, 0, List.of()),
                Arguments.of(
                        signals,
                        10,
                        "sqlmap",
                        FakeSubject.alice()
                                .issuedAt(FakeRequest.NOW.minusSeconds(7200))
                                .build(),
                        100,
                        List.of("auth_failures", "token_age", "ua_scanner", "device_noncompliant")),
                Arguments.of(
                        new SignalsConfig(null, null, null, null),
                        10,
                        "sqlmap",
                        FakeSubject.alice().build(),
                        0,
                        List.of()));
    }

    @ParameterizedTest
    @MethodSource
    void signals(
            SignalsConfig signals,
            int failures,
            @Nullable String userAgent,
            Principal principal,
            int score,
            List<String> reasons) {
        var scoring = RiskModule.inMemory(_ -> failures).compile(new RiskConfig(null, null, signals));
        var request = FakeRequest.get("/")
                .by(principal)
                .snapshot(new Snapshot("test", List.of(), Map.of(StageName.RISK, scoring)));
        var context = (userAgent == null ? request : request.header("User-Agent", userAgent)).context();

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.riskScore()).isEqualTo(new RiskScore(score, reasons));
    }

    private static FakeSubject steppedUp() {
        return FakeSubject.alice().acr("phr").authenticatedAt(FakeRequest.NOW.minusSeconds(10));
    }

    private static RiskScoring scoring(int score) {
        return RiskScoring.of(List.of(weighted("fixed", 1, score)));
    }

    private static RiskScoring failing() {
        return RiskScoring.of(List.of(new RiskScoring.Weighted(
                new RiskSignal() {
                    @Override
                    public String code() {
                        return "failing";
                    }

                    @Override
                    public double degree(RequestContext context) {
                        throw new IllegalStateException("the index is gone");
                    }
                },
                50)));
    }

    private static RiskScoring.Weighted weighted(String code, double degree, int weight) {
        return new RiskScoring.Weighted(
                new RiskSignal() {
                    @Override
                    public String code() {
                        return code;
                    }

                    @Override
                    public double degree(RequestContext context) {
                        return degree;
                    }
                },
                weight);
    }

    private static Route route(RiskLadderConfig ladder) {
        var compiled = RiskLadder.compile(ladder, false, new Findings().at("risk"));
        return Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .settings(StageName.RISK, Objects.requireNonNull(compiled))
                .build();
    }

    private static RequestContext context(HttpMethod method, RiskScoring scoring, Route route, Principal principal) {
        return FakeRequest.of(method, "/orders")
                .snapshot(new Snapshot("test", List.of(), Map.of(StageName.RISK, scoring)))
                .on(route)
                .by(principal)
                .context();
    }

    private static @Nullable Reason reasonOf(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Deny(Denial denial) -> denial.reason();
            case Verdict.Undecided undecided -> undecided.ifDenied().reason();
            case Verdict.Pass _, Verdict.Pending<?> _ -> null;
        };
    }
}
