// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.RecordBinder;
import io.sallyport.decision.Mode;
import io.sallyport.identity.ClaimPath;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RiskConfigTest {
    private static final Duration MAX_AGE = Duration.ofMinutes(5);

    @ParameterizedTest
    @CsvSource({
        " ,   ,   , ': (no rung) (expected: at least one of step-up, read-only and deny)'",
        "-1,  ,   , step-up: -1 (expected: 0 to 100)",
        "101, ,   , step-up: 101 (expected: 0 to 100)",
        " ,  0,   , read-only: 0 (expected: 1 to 100)",
        " ,   ,  0, deny: 0 (expected: 1 to 100)",
        "60, 60,  , 'read-only: 60 (expected: more than step-up, which is 60)'",
        "60,  , 50, 'deny: 50 (expected: more than step-up, which is 60)'",
        "60, 80, 70, 'deny: 70 (expected: more than read-only, which is 80)'",
    })
    void rungs_are_scores_in_ascending_order(
            @Nullable Integer stepUp, @Nullable Integer readOnly, @Nullable Integer deny, String message) {
        assertThatThrownBy(() -> new RiskLadderConfig(stepUp, readOnly, deny, List.of(), MAX_AGE))
                .isInstanceOf(InvalidSetting.class)
                .hasMessageContaining(message);
    }

    static Stream<Arguments> wrongValues() {
        return Stream.of(
                wrong("acr-values", () -> new RiskLadderConfig(60, null, null, List.of("a b"), MAX_AGE)),
                wrong("acr-values", () -> new RiskLadderConfig(60, null, null, List.of("a\""), MAX_AGE)),
                wrong("acr-values", () -> new RiskLadderConfig(60, null, null, List.of(""), MAX_AGE)),
                wrong("max-age", () -> new RiskLadderConfig(60, null, null, List.of(), Duration.ZERO)),
                wrong("max-age", () -> new RiskLadderConfig(60, null, null, List.of(), Duration.ofMillis(1500))),
                wrong("max-age", () -> new RiskLadderConfig(60, null, null, List.of(), Duration.ofHours(25))),
                wrong("weight", () -> new SignalsConfig.AuthFailures(101, 10)),
                wrong("weight", () -> new SignalsConfig.TokenAge(-1, MAX_AGE)),
                wrong("failures", () -> new SignalsConfig.AuthFailures(10, 0)),
                wrong("older-than", () -> new SignalsConfig.TokenAge(10, Duration.ZERO)),
                wrong("names", () -> new SignalsConfig.UaScanner(10, List.of())),
                wrong("names", () -> new SignalsConfig.UaScanner(10, List.of("ab"))),
                wrong("names", () -> new SignalsConfig.UaScanner(10, List.of("scännër"))),
                wrong("names", () -> new SignalsConfig.UaScanner(10, Collections.nCopies(257, "sqlmap"))),
                wrong(
                        "compliant",
                        () -> new SignalsConfig.DeviceNoncompliant(10, ClaimPath.parse("posture"), List.of())));
    }

    private static Arguments wrong(String key, ThrowingCallable constructor) {
        return Arguments.of(key, constructor);
    }

    @ParameterizedTest
    @MethodSource("wrongValues")
    void a_section_holds_no_wrong_value(String key, ThrowingCallable constructor) {
        assertThatThrownBy(constructor).isInstanceOf(InvalidSetting.class).hasMessageStartingWith(key + ": ");
    }

    @Test
    void a_public_route_has_no_step_up() {
        var findings = new Findings();

        var ladder = RiskLadder.compile(
                new RiskLadderConfig(60, 80, null, List.of(), MAX_AGE), true, findings.at("routes.docs.risk"));

        assertThat(ladder).isNull();
        assertThat(findings.all())
                .singleElement()
                .extracting(Finding::toString)
                .asString()
                .contains("routes.docs.risk.step-up", "60", "a public route reads no token that could satisfy it");
    }

    @Test
    void a_public_route_may_have_the_other_rungs() {
        assertThat(RiskLadder.compile(
                        new RiskLadderConfig(null, 80, 90, List.of(), MAX_AGE), true, new Findings().at("risk")))
                .isNotNull();
    }

    @Test
    void the_sections_of_the_file_are_bound_with_their_defaults() {
        var findings = new Findings();
        var yaml = """
                on-undecided: pass
                signals:
                  auth-failures: { weight: 40 }
                  token-age: { weight: 20, older-than: 30m }
                  ua-scanner: { weight: 30 }
                  device-noncompliant: { weight: 25, claim: device.posture, compliant: [compliant] }
                """;

        var risk = Objects.requireNonNull(RecordBinder.bind(yaml, RiskConfig.class, findings));
        var ladder = RecordBinder.bind("{ step-up: 60, read-only: 80, deny: 90 }", RiskLadderConfig.class, findings);
        var without = RecordBinder.bind("{ mode: off }", RiskConfig.class, findings);

        assertThat(findings.all()).isEmpty();
        assertThat(risk.signals().authFailures()).isEqualTo(new SignalsConfig.AuthFailures(40, 10));
        assertThat(Objects.requireNonNull(risk.signals().uaScanner()).names()).contains("sqlmap", "nikto");
        assertThat(risk.signals().deviceNoncompliant())
                .isEqualTo(new SignalsConfig.DeviceNoncompliant(
                        25, ClaimPath.parse("device.posture"), List.of("compliant")));
        assertThat(ladder).isEqualTo(new RiskLadderConfig(60, 80, 90, List.of(), MAX_AGE));
        assertThat(without).isEqualTo(new RiskConfig(Mode.OFF, null, new SignalsConfig(null, null, null, null)));
    }
}
