// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.authenticate.TestIssuer;
import io.sallyport.authenticate.TestTokens;
import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.authenticate.issuer.JwksConfig;
import io.sallyport.authenticate.jwks.JwkSetEndpoint.Answer;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.NoKeys;
import io.sallyport.pipeline.FakeRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.scheduler.VirtualTimeScheduler;

/** What tokens of unknown tenants can cause. Time is virtual. */
class TenantKeySetsTest {
    private static final IssuerConfig CONFIG =
            TestIssuer.named("tenants", NoKeys.NO_KEYS).config();

    private final VirtualTimeScheduler scheduler = VirtualTimeScheduler.create();
    private final InstantSource clock = () -> FakeRequest.NOW.plusNanos(scheduler.now(TimeUnit.NANOSECONDS));
    private final List<String> fetched = new ArrayList<>();
    private Function<String, Mono<Answer>> endpoint = _ -> Mono.just(new JwkSetEndpoint.Document(
            TestTokens.jwkSet(TestTokens.es256()).getBytes(StandardCharsets.UTF_8), null, null));

    private final TenantKeySets keySets = new TenantKeySets(
            (tenant, _) -> new RefreshingJwkSetSource(
                    tenant,
                    _ -> {
                        fetched.add(tenant);
                        return endpoint.apply(tenant);
                    },
                    JwksConfig.DEFAULT,
                    CryptoProvider.jdk(),
                    scheduler,
                    clock,
                    _ -> {},
                    null),
            clock);

    @AfterEach
    void stop() {
        keySets.stop();
        scheduler.dispose();
    }

    @Test
    void a_tenants_keys_are_fetched_when_its_first_token_comes_and_kept() {
        var first = keySets.of("acme", CONFIG);

        assertThat(first.current(clock.instant())).isNotNull();
        assertThat(keySets.of("acme", CONFIG)).isSameAs(first);
        assertThat(fetched).containsExactly("acme");
    }

    @Test
    void ten_new_tenants_are_fetched_at_once_and_then_one_in_a_second() {
        for (int i = 0; i < 1000; i++) {
            keySets.of("tenant-" + i, CONFIG);
        }
        assertThat(fetched).hasSize(10);
        assertThat(keySets.of("late", CONFIG)).isEqualTo(NoKeys.NO_KEYS);

        scheduler.advanceTimeBy(Duration.ofSeconds(1));
        keySets.of("next", CONFIG);
        keySets.of("one-more", CONFIG);

        assertThat(fetched).hasSize(11).last().isEqualTo("next");
    }

    @Test
    void at_most_a_hundred_key_sets_are_held_and_those_that_are_stay() {
        for (int i = 0; i < 200; i++) {
            keySets.of("tenant-" + i, CONFIG);
            scheduler.advanceTimeBy(Duration.ofSeconds(1));
        }

        assertThat(fetched.stream().distinct()).hasSize(100);
        assertThat(keySets.of("tenant-0", CONFIG).current(clock.instant())).isNotNull();
        assertThat(keySets.of("tenant-150", CONFIG)).isEqualTo(NoKeys.NO_KEYS);
    }

    /** Else whoever invents tenants would leave no room for those that there are. */
    @Test
    void tenants_that_turn_out_to_have_no_keys_are_let_go_and_not_asked_for_again_by_themselves() {
        endpoint = tenant -> Mono.error(new JwkSetEndpoint.UnusableAnswer("answered 404"));
        for (int i = 0; i < 150; i++) {
            keySets.of("invented-" + i, CONFIG);
            scheduler.advanceTimeBy(Duration.ofSeconds(1));
        }
        endpoint = _ -> Mono.just(new JwkSetEndpoint.Document(
                TestTokens.jwkSet(TestTokens.es256()).getBytes(StandardCharsets.UTF_8), null, null));

        assertThat(keySets.of("acme", CONFIG).current(clock.instant())).isNotNull();
        fetched.clear();
        scheduler.advanceTimeBy(Duration.ofMinutes(1));
        assertThat(fetched).isEmpty();
    }
}
