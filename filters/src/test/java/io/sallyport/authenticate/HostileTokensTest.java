// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.Route;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every hostile token, against the stage as the pipeline runs it: a stage that throws would be {@code pipeline.stage_failed}. */
class HostileTokensTest {
    /** T9: all that a client is ever told about its token. */
    private static final List<String> TEXTS = List.of(
            "Bearer realm=\"api.example.org\",resource_metadata=\"" + TestIssuer.METADATA + "\"",
            challenge("invalid_token", "The access token is malformed"),
            challenge("invalid_token", "The access token is too long"),
            challenge("invalid_request", "There is more than one credential"),
            challenge("invalid_token", "The access token expired"),
            challenge("invalid_token", "The access token is not valid here"));

    private static final FakeJwkSetSource KEYS = FakeJwkSetSource.of(HostileTokens.KEYS.toArray(TestTokens[]::new));
    private static final Route ROUTE = TestIssuer.with(KEYS).route();

    // One for all rows: what one of them leaves in its memory must not help another.
    private static final Pipeline PIPELINE = new Pipeline(
            List.of(new AuthenticateStage(TestIssuer.STAGE, () -> null, new SimpleMeterRegistry())), (_, _) -> {});

    private static String challenge(String error, String description) {
        return "Bearer realm=\"api.example.org\",error=\"%s\",error_description=\"%s\",resource_metadata=\"%s\""
                .formatted(error, description, TestIssuer.METADATA);
    }

    static Stream<HostileTokens.Row> rows() {
        return HostileTokens.all();
    }

    static Stream<TestTokens> keys() {
        return HostileTokens.KEYS.stream();
    }

    @ParameterizedTest
    @MethodSource("rows")
    void is_refused(HostileTokens.Row row) {
        var request = TestIssuer.get(ROUTE);
        row.authorization().forEach(request::authorization);
        var context = request.context();

        for (int time = 1; time <= 2; time++) {
            var denial = denialOf(PIPELINE.admit(context));

            assertThat(denial.reason()).as("time %d", time).isEqualTo(row.reason());
            assertThat(context.principal()).isEqualTo(Principal.Anonymous.ANONYMOUS);
            assertThat(TEXTS).contains(challengeOf(denial));
        }
    }

    /** Else every row above would be refused for being late, or of somebody else. */
    @ParameterizedTest
    @MethodSource("keys")
    void beside_them_a_good_token_of_each_algorithm_is_accepted(TestTokens key) {
        var context =
                TestIssuer.get(ROUTE).authorization("Bearer " + key.issue()).context();

        assertThat(PIPELINE.admit(context)).isInstanceOf(Admission.Permitted.class);
    }

    @Test
    void the_longest_token_that_is_read_is_accepted() {
        var token = HostileTokens.sized(HostileTokens.LONGEST - 3);
        assertThat(token.length()).isBetween(HostileTokens.LONGEST - 3, HostileTokens.LONGEST);

        assertThat(PIPELINE.admit(
                        TestIssuer.get(ROUTE).authorization("Bearer " + token).context()))
                .isInstanceOf(Admission.Permitted.class);
    }

    @Test
    void no_row_is_there_twice() {
        var seen = new HashSet<String>();

        assertThat(HostileTokens.all().map(HostileTokens.Row::what).filter(what -> !seen.add(what)))
                .isEmpty();
        assertThat(seen).hasSizeGreaterThan(1000);
    }

    private static Denial denialOf(Admission admission) {
        assertThat(admission).isInstanceOf(Admission.Refused.class);
        return ((Admission.Refused) admission).denial();
    }

    private static String challengeOf(Denial denial) {
        @Nullable
        Challenge challenge = switch (denial) {
            case Denial.Unauthenticated unauthenticated ->
                unauthenticated.challenges().getFirst();
            case Denial.Rejected rejected -> rejected.challenge();
            case Denial other -> throw new AssertionError("no challenge: " + other);
        };
        return String.valueOf(challenge);
    }
}
