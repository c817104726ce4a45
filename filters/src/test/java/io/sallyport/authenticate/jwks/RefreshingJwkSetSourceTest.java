// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.TestTokens;
import io.sallyport.authenticate.issuer.JwksConfig;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.jwks.JwkSetEndpoint.Answer;
import io.sallyport.authenticate.jwks.JwkSetEndpoint.UnusableAnswer;
import io.sallyport.authenticate.jwks.RefreshingJwkSetSource.RefreshResult;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSet;
import io.sallyport.authenticate.keys.JwkSetSource.Refresh;
import io.sallyport.authenticate.keys.VerificationKey;
import io.sallyport.pipeline.FakeRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import reactor.core.publisher.Mono;
import reactor.test.scheduler.VirtualTimeScheduler;

/** When the keys of an issuer are fetched, how long they serve, and what a token can cause. Time is virtual. */
@ExtendWith(OutputCaptureExtension.class)
class RefreshingJwkSetSourceTest {
    private static final TestTokens FIRST = TestTokens.withNewKey(SignatureAlgorithm.ES256, "first");
    private static final TestTokens SECOND = TestTokens.withNewKey(SignatureAlgorithm.ES256, "second");

    private final VirtualTimeScheduler scheduler = VirtualTimeScheduler.create();
    private final InstantSource clock = () -> FakeRequest.NOW.plusNanos(scheduler.now(TimeUnit.NANOSECONDS));
    private final List<@Nullable String> etags = new ArrayList<>();
    private final List<RefreshResult> results = new ArrayList<>();

    @TempDir
    private Path folder = Path.of("");

    private Supplier<Mono<Answer>> endpoint = () -> publishing(FIRST);
    private final RefreshingJwkSetSource source = source(JwksConfig.DEFAULT);

    @AfterEach
    void stop() {
        source.stop();
        scheduler.dispose();
    }

    @Test
    void keys_are_there_once_it_has_started_and_not_before() {
        assertThat(current()).isNull();
        assertThat(source.refresh("first", now())).isEqualTo(Refresh.Done.UNAVAILABLE);
        assertThat(etags).isEmpty();

        assertThat(source.start().block()).isEqualTo(Refresh.Done.FRESH);

        assertThat(kids()).containsExactly("first");
        assertThat(results).containsExactly(RefreshResult.CHANGED);
    }

    @Test
    void starting_twice_is_starting_once() {
        source.start();
        source.start();

        assertThat(etags).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        ",       240", // 80 % of refresh: 5m
        "600,    240", // more than refresh
        "100,    80",
        "0,      8", // an issuer does not get asked more often than every 10s
    })
    void keys_are_fetched_again_ahead_of_time(@Nullable Integer maxAge, int seconds) {
        var age = maxAge == null ? null : Duration.ofSeconds(maxAge);
        endpoint = () -> Mono.just(document(TestTokens.jwkSet(FIRST), age));
        source.start();

        pass(Duration.ofSeconds(seconds - 1));
        assertThat(etags).hasSize(1);
        pass(Duration.ofSeconds(1));
        assertThat(etags).hasSize(2);
        pass(Duration.ofSeconds(seconds));
        assertThat(etags).hasSize(3);
    }

    /** T1: stock Spring Security keeps a withdrawn key until some unknown kid arrives. */
    @Test
    void a_withdrawn_key_is_gone_at_the_next_refresh() {
        source.start();
        var withdrawn = key("first");
        endpoint = () -> publishing(SECOND);

        pass(Duration.ofMinutes(4));

        assertThat(kids()).containsExactly("second");
        assertThat(set().holds(withdrawn)).isFalse();
        assertThat(set().revision()).isEqualTo(2);
    }

    @Test
    void keys_that_stay_are_the_same_objects_and_no_new_revision() {
        source.start();
        var before = key("first");

        pass(Duration.ofMinutes(4));

        assertThat(key("first")).isSameAs(before);
        assertThat(set().revision()).isEqualTo(1);
        assertThat(results).containsExactly(RefreshResult.CHANGED, RefreshResult.UNCHANGED);
    }

    @Test
    void the_issuer_is_asked_whether_anything_changed_and_may_say_no() {
        source.start();
        endpoint = () -> Mono.just(new JwkSetEndpoint.Unchanged(null));

        pass(Duration.ofMinutes(4));

        assertThat(etags).containsExactly(null, "\"etag\"");
        assertThat(kids()).containsExactly("first");
        assertThat(set().confirmedAt()).isEqualTo(now());
    }

    @Test
    void an_issuer_that_says_unchanged_of_nothing_has_not_answered() {
        endpoint = () -> Mono.just(new JwkSetEndpoint.Unchanged(null));

        assertThat(source.start().block()).isEqualTo(Refresh.Done.UNAVAILABLE);
        assertThat(current()).isNull();
    }

    @Test
    void the_last_good_keys_serve_until_they_are_too_old() {
        source.start();
        endpoint = () -> Mono.error(new UnusableAnswer("down"));

        pass(Duration.ofHours(24));
        assertThat(kids()).containsExactly("first");
        assertThat(source.isStale()).isTrue();

        pass(Duration.ofMillis(1));
        assertThat(current()).isNull();
        assertThat(underWay(source.refresh("first", now()))).isCompletedWithValue(Refresh.Done.UNAVAILABLE);
    }

    /** The next attempt may be half a minute away when the keys lapse. */
    @Test
    void an_issuer_that_is_back_when_the_keys_have_lapsed_is_asked_by_the_next_token() {
        source.start();
        endpoint = () -> Mono.error(new UnusableAnswer("down"));
        pass(Duration.ofHours(24).plusSeconds(1));
        assertThat(current()).isNull();
        endpoint = () -> publishing(SECOND);

        assertThat(underWay(source.refresh("second", now()))).isCompletedWithValue(Refresh.Done.FRESH);
        assertThat(kids()).containsExactly("second");
    }

    @Test
    void it_is_asked_the_moment_that_the_keys_lapse_without_any_token() {
        source.start();
        endpoint = () -> Mono.error(new UnusableAnswer("down"));
        pass(Duration.ofHours(24));
        endpoint = () -> publishing(SECOND);

        pass(Duration.ofMillis(1));

        assertThat(kids()).containsExactly("second");
    }

    @Test
    void without_any_keys_tokens_cause_one_attempt_in_a_second() {
        endpoint = () -> Mono.error(new UnusableAnswer("down"));
        source.start();
        pass(Duration.ofMillis(7_500));
        int before = etags.size();

        for (int i = 0; i < 1000; i++) {
            var refresh = source.refresh("kid-" + i, now());
            assertThat(i == 0 ? underWay(refresh).join() : refresh).isEqualTo(Refresh.Done.UNAVAILABLE);
        }

        assertThat(etags).hasSize(before + 1);
    }

    @Test
    void an_issuer_that_comes_back_is_found_within_half_a_minute() {
        source.start();
        endpoint = () -> Mono.error(new UnusableAnswer("down"));
        pass(Duration.ofHours(2));
        endpoint = () -> publishing(SECOND);

        pass(Duration.ofSeconds(30));

        assertThat(kids()).containsExactly("second");
        assertThat(source.isStale()).isFalse();
    }

    @Test
    void without_any_keys_it_tries_again_sooner() {
        endpoint = () -> Mono.error(new UnusableAnswer("down"));
        assertThat(source.start().block()).isEqualTo(Refresh.Done.UNAVAILABLE);
        pass(Duration.ofMinutes(10));
        endpoint = () -> publishing(FIRST);

        pass(Duration.ofSeconds(5));

        assertThat(kids()).containsExactly("first");
    }

    @Test
    void a_fetch_that_hangs_ends_with_its_time_out() {
        endpoint = Mono::never;
        var first = source.start().toFuture();

        pass(Duration.ofMillis(2_999));
        assertThat(first).isNotDone();
        pass(Duration.ofMillis(1));

        assertThat(first).isCompletedWithValue(Refresh.Done.UNAVAILABLE);
        assertThat(results).containsExactly(RefreshResult.FAILED);
    }

    @ParameterizedTest
    @CsvSource({"<html>,", "{},", "'{\"keys\":7}',", "'{\"keys\":[],\"keys\":[]}',"})
    void a_document_that_is_no_key_set_changes_nothing(String document) {
        source.start();
        endpoint = () -> Mono.just(document(document, null));

        pass(Duration.ofMinutes(4));

        assertThat(kids()).containsExactly("first");
        assertThat(results).containsExactly(RefreshResult.CHANGED, RefreshResult.FAILED);
    }

    static Stream<String> setsWithoutAUsableKey() {
        var encrypting = SECOND.jwk();
        encrypting.put("use", "enc");
        return Stream.of(
                "{\"keys\":[]}",
                "{\"keys\":[{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"kid\":\"next\"}]}",
                "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},7]}",
                TestTokens.jwkSet(List.of(encrypting)));
    }

    @ParameterizedTest
    @MethodSource("setsWithoutAUsableKey")
    void a_key_set_without_a_usable_key_is_a_failed_refresh_and_an_error(String document, CapturedOutput output) {
        source.start();
        endpoint = () -> Mono.just(document(document, null));

        pass(Duration.ofMinutes(4));

        assertThat(kids()).containsExactly("first");
        assertThat(results).containsExactly(RefreshResult.CHANGED, RefreshResult.FAILED);
        assertThat(source.problem()).startsWith("the key set has no usable key");
        pass(Duration.ofMinutes(10));
        assertThat(output.getOut().lines().filter(line -> line.contains("ERROR")))
                .singleElement()
                .asString()
                .contains("the key set has no usable key", "usable_until");

        pass(Duration.ofHours(24));
        assertThat(current()).isNull();
        assertThat(output.getOut().lines().filter(line -> line.contains("ERROR")))
                .hasSize(2)
                .last()
                .asString()
                .contains("older than max-stale");
    }

    @Test
    void an_issuer_that_has_never_published_a_usable_key_has_none() {
        endpoint = () -> Mono.just(document("{\"keys\":[]}", null));

        assertThat(source.start().block()).isEqualTo(Refresh.Done.UNAVAILABLE);

        assertThat(current()).isNull();
        assertThat(source.isSettled()).isTrue();
    }

    @Test
    void what_went_wrong_is_told_until_it_is_right_again() {
        assertThat(source.problem()).isNull();
        assertThat(source.isSettled()).isFalse();
        source.start();
        assertThat(source.problem()).isNull();
        endpoint = () -> Mono.error(new UnusableAnswer("down"));

        pass(Duration.ofMinutes(4));
        assertThat(source.problem()).isEqualTo("down");
        endpoint = () -> publishing(FIRST);
        pass(Duration.ofSeconds(30));

        assertThat(source.problem()).isNull();
    }

    @Test
    void odd_keys_are_counted_and_the_others_serve() {
        var odd = SECOND.jwk();
        odd.put("crv", "P-999");
        endpoint = () -> Mono.just(document(TestTokens.jwkSet(List.of(odd, FIRST.jwk())), null));

        source.start();

        assertThat(kids()).containsExactly("first");
        assertThat(source.ignoredKeys()).isEqualTo(1);
    }

    @Test
    void a_key_for_encryption_is_nothing_to_warn_of(CapturedOutput output) {
        var encrypting = SECOND.jwk();
        encrypting.put("use", "enc");
        var odd = TestTokens.withNewKey(SignatureAlgorithm.ES256, "odd").jwk();
        odd.put("crv", "P-999");
        endpoint = () -> Mono.just(document(TestTokens.jwkSet(List.of(encrypting, odd, FIRST.jwk())), null));

        source.start();

        assertThat(source.ignoredKeys()).isEqualTo(2);
        assertThat(output.getOut().lines().filter(line -> line.contains("WARN")))
                .singleElement()
                .asString()
                .contains("a key of the set is ignored", "type_unsupported");
    }

    @Test
    void a_failed_fetch_says_since_when_the_keys_are_only_if_there_are_any(CapturedOutput output) {
        var keys = endpoint;
        endpoint = () -> Mono.error(new UnusableAnswer("down"));
        source.start();
        assertThat(output.getOut()).contains("could not be fetched").doesNotContain("keys_of");

        endpoint = keys;
        pass(Duration.ofSeconds(5));
        endpoint = () -> Mono.error(new UnusableAnswer("down"));
        pass(Duration.ofMinutes(5));
        assertThat(output.getOut()).contains("keys_of=\"2026-");
    }

    @Test
    void an_unknown_key_is_fetched_once_for_all_who_wait() {
        source.start();
        var answer = new CompletableFuture<Answer>();
        endpoint = () -> Mono.fromFuture(answer);

        var waiting = new ArrayList<CompletableFuture<Refresh.@Nullable Done>>();
        for (int i = 0; i < 50; i++) {
            waiting.add(underWay(source.refresh(i % 2 == 0 ? "second" : "other-" + i, now())));
        }
        assertThat(etags).hasSize(2);
        assertThat(waiting).noneMatch(CompletableFuture::isDone);
        answer.complete(document(TestTokens.jwkSet(FIRST, SECOND), null));

        assertThat(waiting).allSatisfy(done -> assertThat(done).isCompletedWithValue(Refresh.Done.FRESH));
        assertThat(kids()).containsExactly("first", "second");
        assertThat(etags).hasSize(2);
    }

    /** T2: on stock Spring Security every random kid is a fetch. */
    @Test
    void a_thousand_unknown_keys_cause_one_fetch_in_each_cool_down() {
        source.start();

        for (int i = 0; i < 1000; i++) {
            var refresh = source.refresh("random-" + i, now());
            assertThat(i == 0 ? underWay(refresh).join() : refresh).isEqualTo(Refresh.Done.FRESH);
        }
        assertThat(etags).hasSize(2);

        pass(Duration.ofMillis(29_999));
        assertThat(source.refresh("late", now())).isEqualTo(Refresh.Done.FRESH);
        assertThat(etags).hasSize(2);
        pass(Duration.ofMillis(1));
        assertThat(underWay(source.refresh("later", now())).join()).isEqualTo(Refresh.Done.FRESH);
        assertThat(etags).hasSize(3);
    }

    /** A token may come a moment before its key is published, and again. */
    @Test
    void a_key_that_a_fetch_did_not_bring_is_asked_for_again_after_the_cool_down() {
        var source = source(new JwksConfig(
                Duration.ofHours(24),
                Duration.ofHours(48),
                Duration.ofSeconds(2),
                Duration.ofSeconds(3),
                false,
                false,
                null));
        source.start();
        assertThat(underWay(source.refresh("second", now()))).isCompletedWithValue(Refresh.Done.FRESH);
        endpoint = () -> publishing(FIRST, SECOND);

        pass(Duration.ofMillis(1_999));
        assertThat(source.refresh("second", now())).isEqualTo(Refresh.Done.FRESH);
        assertThat(kidsOf(source)).containsExactly("first");

        pass(Duration.ofMillis(1));
        assertThat(underWay(source.refresh("second", now()))).isCompletedWithValue(Refresh.Done.FRESH);
        assertThat(kidsOf(source)).containsExactly("first", "second");
        source.stop();
    }

    @Test
    void an_unknown_key_whose_issuer_cannot_be_asked_is_not_known_to_be_unknown() {
        source.start();
        endpoint = () -> Mono.error(new UnusableAnswer("down"));

        assertThat(underWay(source.refresh("second", now())).join()).isEqualTo(Refresh.Done.UNAVAILABLE);
        assertThat(source.refresh("second", now())).isEqualTo(Refresh.Done.UNAVAILABLE);
        assertThat(kids()).containsExactly("first");
    }

    @Test
    void whoever_goes_away_while_waiting_does_not_end_the_fetch() {
        source.start();
        var answer = new CompletableFuture<Answer>();
        endpoint = () -> Mono.fromFuture(answer);
        var gone = ((Refresh.UnderWay) source.refresh("second", now())).done().subscribe();

        gone.dispose();
        answer.complete(document(TestTokens.jwkSet(SECOND), null));

        assertThat(kids()).containsExactly("second");
    }

    @Test
    void whoever_would_be_one_too_many_to_wait_does_not() {
        source.start();
        endpoint = Mono::never;
        var waiting = new ArrayList<CompletableFuture<Refresh.@Nullable Done>>();
        for (int i = 0; i < 256; i++) {
            waiting.add(underWay(source.refresh("second", now())));
        }

        assertThat(source.refresh("second", now())).isEqualTo(Refresh.Done.UNAVAILABLE);

        // Those who waited get their answer, and there is room again.
        pass(Duration.ofSeconds(3));
        assertThat(waiting).allMatch(CompletableFuture::isDone);
        pass(Duration.ofSeconds(30));
        assertThat(source.refresh("second", now())).isInstanceOf(Refresh.UnderWay.class);
    }

    @Test
    void a_restart_while_the_issuer_cannot_be_reached_serves_with_the_saved_keys() {
        var before = restarted();
        before.start();
        before.stop();
        pass(Duration.ofHours(1));
        endpoint = () -> Mono.error(new UnusableAnswer("down"));
        var after = restarted();

        assertThat(after.start().block()).isEqualTo(Refresh.Done.UNAVAILABLE);

        assertThat(kidsOf(after)).containsExactly("first");
        assertThat(underWay(after.refresh("unknown", now()))).isCompletedWithValue(Refresh.Done.UNAVAILABLE);
        assertThat(after.confirmedAt()).isEqualTo(FakeRequest.NOW);
        assertThat(after.isStale()).isTrue();
    }

    @Test
    void saved_keys_serve_no_longer_than_if_there_had_been_no_restart() {
        var before = restarted();
        before.start();
        before.stop();
        endpoint = () -> Mono.error(new UnusableAnswer("down"));
        pass(Duration.ofHours(23));
        var after = restarted();
        after.start();

        pass(Duration.ofHours(1));
        assertThat(after.current(now())).isNotNull();
        pass(Duration.ofSeconds(1));
        assertThat(after.current(now())).isNull();
        assertThat(after.refresh("first", now())).isNotEqualTo(Refresh.Done.FRESH);

        var muchLater = restarted();
        muchLater.start();
        assertThat(muchLater.current(now())).isNull();
    }

    @Test
    void a_key_that_was_withdrawn_while_the_gateway_was_down_is_gone_after_the_first_fetch() {
        var before = restarted();
        before.start();
        before.stop();
        endpoint = () -> publishing(SECOND);
        var after = restarted();

        after.start();

        assertThat(kidsOf(after)).containsExactly("second");
        // Asked for without the ETag of the saved document:
        // an issuer that says unchanged would confirm what somebody put there.
        assertThat(etags).containsExactly(null, null);
    }

    @Test
    void an_unchanged_answer_is_saved_as_a_confirmation() {
        var before = restarted();
        before.start();
        endpoint = () -> Mono.just(new JwkSetEndpoint.Unchanged(null));
        pass(Duration.ofMinutes(4));
        before.stop();
        endpoint = () -> Mono.error(new UnusableAnswer("down"));
        var after = restarted();

        after.start();

        assertThat(after.confirmedAt()).isEqualTo(FakeRequest.NOW.plus(Duration.ofMinutes(4)));
    }

    @Test
    void a_fetch_that_fails_leaves_the_saved_keys_as_they_are() {
        var before = restarted();
        before.start();
        endpoint = () -> Mono.just(document("{\"keys\":[", null));
        pass(Duration.ofMinutes(10));
        before.stop();
        var after = restarted();

        after.start();

        assertThat(kidsOf(after)).containsExactly("first");
        assertThat(after.confirmedAt()).isEqualTo(FakeRequest.NOW);
    }

    @Test
    void once_stopped_it_fetches_no_more_and_keeps_what_it_has() {
        source.start();
        source.stop();

        pass(Duration.ofHours(1));

        assertThat(etags).hasSize(1);
        assertThat(kids()).containsExactly("first");
    }

    /** A source as the next start of the gateway makes it, over the same directory. */
    private RefreshingJwkSetSource restarted() {
        var directory = KeySetDirectory.open(folder.resolve("key-sets"));
        return source(JwksConfig.DEFAULT, directory.file("corp", "0".repeat(64), new SimpleMeterRegistry()));
    }

    private RefreshingJwkSetSource source(JwksConfig timing) {
        return source(timing, null);
    }

    private RefreshingJwkSetSource source(JwksConfig timing, @Nullable KeySetFile file) {
        return new RefreshingJwkSetSource(
                "corp",
                etag -> {
                    etags.add(etag);
                    return endpoint.get();
                },
                timing,
                CryptoProvider.jdk(),
                scheduler,
                clock,
                results::add,
                file);
    }

    private static Mono<Answer> publishing(TestTokens... keys) {
        return Mono.just(document(TestTokens.jwkSet(keys), null));
    }

    private static Answer document(String content, @Nullable Duration maxAge) {
        return new JwkSetEndpoint.Document(content.getBytes(StandardCharsets.UTF_8), "\"etag\"", maxAge);
    }

    private static CompletableFuture<Refresh.@Nullable Done> underWay(Refresh refresh) {
        assertThat(refresh).isInstanceOf(Refresh.UnderWay.class);
        return ((Refresh.UnderWay) refresh).done().toFuture();
    }

    private Instant now() {
        return clock.instant();
    }

    private void pass(Duration duration) {
        scheduler.advanceTimeBy(duration);
    }

    private @Nullable JwkSet current() {
        return source.current(now());
    }

    private List<String> kidsOf(RefreshingJwkSetSource other) {
        return Objects.requireNonNull(other.current(now())).keys().stream()
                .map(key -> String.valueOf(key.kid()))
                .toList();
    }

    private JwkSet set() {
        return Objects.requireNonNull(current());
    }

    private List<String> kids() {
        return set().keys().stream().map(key -> String.valueOf(key.kid())).toList();
    }

    private VerificationKey key(String kid) {
        return set().find(kid, SignatureAlgorithm.ES256).getFirst();
    }
}
