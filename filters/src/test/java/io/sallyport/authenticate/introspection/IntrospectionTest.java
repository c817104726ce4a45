// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.introspection;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.issuer.IntrospectionConfig;
import io.sallyport.authenticate.token.ClaimReading;
import io.sallyport.authenticate.token.OpaqueTokenSource.Introspected;
import io.sallyport.authenticate.token.TokenDigest;
import io.sallyport.pipeline.FakeRequest;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.scheduler.VirtualTimeScheduler;

/** How often an issuer is asked, how long its word holds, and what becomes of who asks when it does not answer. */
class IntrospectionTest {
    private static final Instant NOW = FakeRequest.NOW;
    private static final TokenDigest DIGEST = new TokenDigest(1, 2, 3, 4);

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final List<String> asked = new ArrayList<>();
    private Function<String, Mono<byte[]>> answer = _ -> active(3600);

    @AfterEach
    void stop() {
        time.dispose();
    }

    private Introspection source(Duration cache) {
        var config = new IntrospectionConfig(
                URI.create("https://idp.test/introspect"), "gateway", Path.of("x"), Duration.ofSeconds(2), cache, 2);
        return new Introspection(
                new ClaimReading("corp", "https://idp.test", null, null, null),
                config,
                token -> {
                    asked.add(token);
                    return answer.apply(token);
                },
                time,
                () -> NOW,
                meters);
    }

    private final Introspection source = source(Duration.ofSeconds(60));

    private static Mono<byte[]> active(long lifetime) {
        return json(
                "{\"active\":true,\"iss\":\"https://idp.test\",\"exp\":%d}".formatted(NOW.getEpochSecond() + lifetime));
    }

    private static Mono<byte[]> json(String json) {
        return Mono.just(json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void an_active_answer_holds_for_as_long_as_configured() {
        assertThat(source.known(DIGEST, NOW)).isNull();

        assertThat(source.ask(DIGEST, "t").block()).isInstanceOf(Introspected.Active.class);

        assertThat(source.known(DIGEST, NOW.plusSeconds(59))).isInstanceOf(Introspected.Active.class);
        assertThat(source.known(DIGEST, NOW.plusSeconds(60))).isNull();
        assertThat(counted("active")).isOne();
    }

    @Test
    void and_never_beyond_the_tokens_own_end() {
        answer = _ -> active(20);

        source.ask(DIGEST, "t").block();

        assertThat(source.known(DIGEST, NOW.plusSeconds(19))).isNotNull();
        assertThat(source.known(DIGEST, NOW.plusSeconds(20))).isNull();
    }

    @Test
    void with_no_cache_each_request_asks() {
        var uncached = source(Duration.ZERO);

        uncached.ask(DIGEST, "t").block();

        assertThat(uncached.known(DIGEST, NOW)).isNull();
    }

    @Test
    void an_inactive_token_stays_so_for_ten_seconds() {
        answer = _ -> json("{\"active\":false}");

        assertThat(source.ask(DIGEST, "t").block()).isEqualTo(Introspected.Word.INACTIVE);

        assertThat(source.known(DIGEST, NOW.plusSeconds(9))).isEqualTo(Introspected.Word.INACTIVE);
        assertThat(source.known(DIGEST, NOW.plusSeconds(10))).isNull();
        assertThat(counted("inactive")).isOne();
    }

    @Test
    void a_token_that_was_revoked_is_so_from_the_next_question_on() {
        source.ask(DIGEST, "t").block();
        answer = _ -> json("{\"active\":false}");

        source.ask(DIGEST, "t").block();

        assertThat(source.known(DIGEST, NOW)).isEqualTo(Introspected.Word.INACTIVE);
    }

    @Test
    void however_many_ask_about_one_token_the_issuer_is_asked_once() {
        var late = Sinks.<byte[]>one();
        answer = _ -> late.asMono();
        var first = source.ask(DIGEST, "t").toFuture();
        var second = source.ask(DIGEST, "t").toFuture();
        // The first goes away, and the second does not notice.
        first.cancel(true);

        late.tryEmitValue("{\"active\":false}".getBytes(StandardCharsets.UTF_8));

        assertThat(second).isCompletedWithValue(Introspected.Word.INACTIVE);
        assertThat(asked).containsExactly("t");
    }

    @Test
    void what_nobody_waits_for_is_not_asked() {
        var unused = source.ask(DIGEST, "t");

        assertThat(unused).isNotNull();
        assertThat(asked).isEmpty();
    }

    @Test
    void an_issuer_that_does_not_answer_in_time_is_unavailable_and_asked_again_by_the_next() {
        answer = _ -> Mono.never();
        var waiting = source.ask(DIGEST, "t").toFuture();

        time.advanceTimeBy(Duration.ofMillis(1_999));
        assertThat(waiting).isNotDone();
        time.advanceTimeBy(Duration.ofMillis(1));
        assertThat(waiting).isCompletedWithValue(Introspected.Word.UNAVAILABLE);

        answer = _ -> active(3600);
        assertThat(source.known(DIGEST, NOW)).isNull();
        assertThat(source.ask(DIGEST, "t").block()).isInstanceOf(Introspected.Active.class);
        assertThat(counted("failed")).isOne();
    }

    @Test
    void only_so_many_questions_are_under_way_and_the_next_is_refused_at_once() {
        answer = _ -> Mono.never();
        var first = source.ask(DIGEST, "a").toFuture();
        var second = source.ask(new TokenDigest(2, 0, 0, 0), "b").toFuture();

        assertThat(source.ask(new TokenDigest(3, 0, 0, 0), "c").block()).isEqualTo(Introspected.Word.UNAVAILABLE);

        assertThat(asked).containsExactly("a", "b");
        assertThat(first).isNotDone();
        // Their places are free again when they have ended.
        time.advanceTimeBy(Duration.ofSeconds(2));
        assertThat(second).isDone();
        answer = _ -> active(3600);
        assertThat(source.ask(new TokenDigest(4, 0, 0, 0), "d").block()).isInstanceOf(Introspected.Active.class);
    }

    @Test
    void an_answer_that_is_none_is_unavailable() {
        for (var wrong : List.of("<html>", "{}", "{\"active\":\"yes\"}")) {
            answer = _ -> json(wrong);
            assertThat(source.ask(DIGEST, "t").block()).as(wrong).isEqualTo(Introspected.Word.UNAVAILABLE);
        }
        answer = _ -> Mono.empty();
        assertThat(source.ask(DIGEST, "t").block()).isEqualTo(Introspected.Word.UNAVAILABLE);
        answer = _ -> Mono.error(new IllegalStateException("broken"));
        assertThat(source.ask(DIGEST, "t").block()).isEqualTo(Introspected.Word.UNAVAILABLE);
        assertThat(source.known(DIGEST, NOW)).isNull();
    }

    private double counted(String result) {
        return meters.get("sallyport.introspections")
                .tag("result", result)
                .counter()
                .count();
    }
}
