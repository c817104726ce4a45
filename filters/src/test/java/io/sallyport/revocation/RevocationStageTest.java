// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.FakeSubject;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.revocation.denylist.DenyListEntry;
import io.sallyport.revocation.denylist.DenyListIndex;
import io.sallyport.revocation.denylist.DenyListKey;
import io.spiffe.spiffeid.SpiffeId;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RevocationStageTest {
    private static final Instant NOW = FakeRequest.NOW;
    private static final Instant LATER = NOW.plus(Duration.ofHours(1));

    private final DenyListIndex index = new DenyListIndex(new SimpleMeterRegistry());
    private final RevocationStage stage = new RevocationStage(index);

    static Stream<Arguments> reasons() {
        return Stream.of(
                Arguments.of(Reason.REVOCATION_TOKEN_REVOKED, entry(DenyListKey.Kind.JTI, "token-1")),
                Arguments.of(Reason.REVOCATION_SESSION_REVOKED, entry(DenyListKey.Kind.SID, "session-1")),
                Arguments.of(Reason.REVOCATION_SUBJECT_REVOKED, entry(DenyListKey.Kind.SUB, "alice")),
                Arguments.of(Reason.REVOCATION_CLIENT_REVOKED, entry(DenyListKey.Kind.CLIENT_ID, "shop")),
                Arguments.of(Reason.REVOCATION_UNAVAILABLE, null));
    }

    @ParameterizedTest
    @MethodSource("reasons")
    void every_reason_is_given_for_what_it_says(Reason reason, @Nullable DenyListEntry entry) {
        if (entry != null) {
            index.complete();
            index.put(entry);
        }

        assertThat(reasonOf(stage.evaluate(by(FakeSubject.alice().build())))).isEqualTo(reason);
    }

    @Test
    void a_token_that_nothing_names_passes() {
        index.complete();
        index.put(entry(DenyListKey.Kind.JTI, "token-2"));
        index.put(entry(DenyListKey.Kind.SUB, "bob"));

        assertThat(stage.evaluate(by(FakeSubject.alice().build()))).isEqualTo(Verdict.Pass.PASS);
    }

    @ParameterizedTest
    @CsvSource({
        "JTI, alice",
        "JTI, session-1",
        "SID, token-1",
        "SUB, shop",
        "CLIENT_ID, alice",
    })
    void an_entry_denies_the_claim_that_it_names_and_no_other_of_the_same_value(DenyListKey.Kind kind, String value) {
        index.complete();
        index.put(entry(kind, value));

        assertThat(stage.evaluate(by(FakeSubject.alice().build()))).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void an_entry_of_one_issuer_says_nothing_of_another() {
        index.complete();
        index.put(entry(DenyListKey.Kind.SUB, "alice"));

        var other = FakeSubject.alice().of("https://other.example.org").build();
        assertThat(stage.evaluate(by(other))).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void a_token_without_the_claim_passes() {
        index.complete();
        index.put(entry(DenyListKey.Kind.JTI, "token-1"));
        index.put(entry(DenyListKey.Kind.SID, "session-1"));
        index.put(entry(DenyListKey.Kind.CLIENT_ID, "shop"));

        var bare = FakeSubject.alice().token(null).session(null).client(null).build();
        assertThat(stage.evaluate(by(bare))).isEqualTo(Verdict.Pass.PASS);
    }

    @ParameterizedTest
    @CsvSource({"-1, true", "0, true", "1, false"})
    void a_subjects_tokens_are_denied_up_to_and_including_the_moment(int secondsAfter, boolean denied) {
        index.complete();
        var moment = NOW.minusSeconds(60);
        index.put(new DenyListEntry(key(DenyListKey.Kind.SUB, "alice"), moment, LATER, "test", NOW));

        var token =
                FakeSubject.alice().issuedAt(moment.plusSeconds(secondsAfter)).build();
        assertThat(stage.evaluate(by(token)) != Verdict.Pass.PASS).isEqualTo(denied);
    }

    @ParameterizedTest
    @CsvSource({"-1, true", "0, false"})
    void an_entry_counts_for_nothing_from_its_expiry_on(int secondsAfter, boolean denied) {
        index.complete();
        index.put(entry(DenyListKey.Kind.JTI, "token-1"));

        var context = FakeRequest.get("/")
                .at(LATER.plusSeconds(secondsAfter))
                .by(FakeSubject.alice().build())
                .context();
        assertThat(stage.evaluate(context) != Verdict.Pass.PASS).isEqualTo(denied);
    }

    @Test
    void while_the_list_is_incomplete_what_it_names_is_refused_and_the_rest_undecided() {
        index.put(entry(DenyListKey.Kind.SID, "session-1"));

        assertThat(reasonOf(stage.evaluate(by(FakeSubject.alice().build()))))
                .isEqualTo(Reason.REVOCATION_SESSION_REVOKED);
        assertThat(stage.evaluate(by(FakeSubject.alice().session("session-2").build())))
                .isInstanceOf(Verdict.Undecided.class);
    }

    @Test
    void who_has_no_token_passes_even_while_the_list_is_incomplete() {
        var workload = new Principal.Workload(SpiffeId.parse("spiffe://example.org/a"), LATER);

        assertThat(stage.evaluate(by(workload))).isEqualTo(Verdict.Pass.PASS);
        assertThat(stage.evaluate(by(Principal.Anonymous.ANONYMOUS))).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void the_challenge_is_the_same_for_all_and_the_record_tells_why() {
        index.complete();
        index.put(entry(DenyListKey.Kind.JTI, "token-1"));
        var context = by(FakeSubject.alice().build());

        var denial = (Denial.Unauthenticated) ((Verdict.Deny) stage.evaluate(context)).denial();

        assertThat(denial.challenges())
                .singleElement()
                .extracting(Object::toString)
                .asString()
                .matches("Bearer error=\"invalid_token\", ?error_description=\"The access token was revoked\"");
        assertThat(denial.evidence().get(Evidence.Key.DETAIL)).isEqualTo("INC-4711");
    }

    @Test
    void a_token_that_passes_costs_no_memory() {
        index.complete();
        index.put(entry(DenyListKey.Kind.JTI, "token-2"));
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        var context = by(FakeSubject.alice().build());
        stage.evaluate(context);

        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 1000; i++) {
            stage.evaluate(context);
        }

        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isZero();
    }

    private static DenyListKey key(DenyListKey.Kind kind, String value) {
        return new DenyListKey(kind, FakeSubject.ISSUER, value);
    }

    private static DenyListEntry entry(DenyListKey.Kind kind, String value) {
        return new DenyListEntry(key(kind, value), kind.hasNotBefore() ? NOW : null, LATER, "INC-4711", NOW);
    }

    private static RequestContext by(Principal principal) {
        return FakeRequest.get("/").by(principal).context();
    }

    private static @Nullable Reason reasonOf(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Deny(Denial denial) -> denial.reason();
            case Verdict.Undecided undecided -> undecided.ifDenied().reason();
            case Verdict.Pass _, Verdict.Pending<?> _ -> null;
        };
    }
}
