// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Evidence is a value of one denial. */
class EvidenceTest {
    private static final Evidence ONE = Evidence.NONE.with(Evidence.Key.DETAIL, "per-user");

    @Test
    void a_piece_more_makes_a_copy_and_leaves_the_first_as_it_was() {
        var two = ONE.with(Evidence.Key.RULE_NAME, "readers");

        assertThat(ONE.values()).containsOnlyKeys(Evidence.Key.DETAIL);
        assertThat(two.get(Evidence.Key.DETAIL)).isEqualTo("per-user");
        assertThat(two.get(Evidence.Key.RULE_NAME)).isEqualTo("readers");
        assertThat(Evidence.NONE.values()).isEmpty();
    }

    @Test
    void pieces_come_in_the_order_of_their_keys_however_they_were_added() {
        var evidence = Evidence.NONE;
        for (var key : List.of(Evidence.Key.CAUSE, Evidence.Key.RULE_NAME, Evidence.Key.DETAIL)) {
            evidence = evidence.with(key, key.field());
        }

        assertThat(evidence.values().keySet())
                .containsExactly(Evidence.Key.RULE_NAME, Evidence.Key.DETAIL, Evidence.Key.CAUSE);
    }

    @Test
    void nobody_can_change_it() {
        for (var evidence : List.of(ONE, ONE.with(Evidence.Key.CAUSE, "gone"))) {
            assertThatExceptionOfType(UnsupportedOperationException.class)
                    .isThrownBy(() -> evidence.values().put(Evidence.Key.DETAIL, "other"));
        }
    }

    @Test
    void a_line_that_logs_it_by_accident_shows_no_value() {
        assertThat(ONE.toString()).isEqualTo("Evidence[DETAIL]");
    }

    @ParameterizedTest
    @MethodSource("denials")
    void a_denial_of_each_shape_answers_the_same_with_evidence(Denial denial) {
        var evident = denial.with(Evidence.Key.DETAIL, "per-user");

        assertThat(evident.evidence()).isEqualTo(ONE);
        assertThat(evident).isNotEqualTo(denial).hasSameClassAs(denial);
        assertThat(evident.with(Evidence.NONE)).isEqualTo(denial);
        assertThat(denial.evidence()).isSameAs(Evidence.NONE);
    }

    static List<Denial> denials() {
        var challenge = Challenge.clientCertificate("orders");
        return List.of(
                new Denial.Rejected(Reason.EDGE_PATH_AMBIGUOUS, challenge),
                new Denial.MethodNotAllowed(Reason.AUTHORIZE_METHOD_NOT_ALLOWED, Set.of()),
                new Denial.UpgradeRequired(Reason.FORWARD_WEBSOCKET_VERSION),
                new Denial.Unauthenticated(Reason.AUTHENTICATE_JWT_MISSING, List.of(challenge)),
                new Denial.Forbidden(Reason.RISK_DENIED, challenge),
                new Denial.Throttled(
                        Reason.RATELIMIT_EXCEEDED, Duration.ofSeconds(7), List.of(new PolicyName("per-user"))),
                new Denial.Unavailable(Reason.RISK_UNAVAILABLE, Duration.ofSeconds(7)),
                new Denial.UpstreamFailed(Reason.FORWARD_FAILED));
    }
}
