// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.spiffe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sallyport.authenticate.FakeJwkSetSource;
import io.sallyport.authenticate.TestIssuer;
import io.sallyport.authenticate.TestTokens;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSet;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.config.Findings;
import io.sallyport.forward.FakeWorkloadApi;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JwtBundlesTest {
    private static final String OWN = "spiffe://example.org";
    private static final String PARTNER = "spiffe://partner.test";
    private static final TestTokens FIRST = TestTokens.withNewKey(SignatureAlgorithm.ES256, "first");
    private static final TestTokens SECOND = TestTokens.withNewKey(SignatureAlgorithm.ES256, "second");

    @TempDir
    private Path directory;

    @SuppressWarnings("NullAway.Init") // by start(), before each test
    private FakeWorkloadApi api;

    @SuppressWarnings("NullAway.Init") // likewise
    private JwtBundles bundles;

    @SuppressWarnings("NullAway.Init") // likewise
    private JwkSetSource own;

    @BeforeEach
    void start() {
        api = FakeWorkloadApi.on(directory.resolve("agent.sock"));
        bundles = new JwtBundles(api.uri(), CryptoProvider.detect(), InstantSource.system());
        own = source("example.org");
    }

    @AfterEach
    void stop() {
        bundles.close();
        api.close();
    }

    private JwkSetSource source(String trustDomain) {
        var config = TestIssuer.named("mesh", FakeJwkSetSource.unavailable())
                .trustDomain(trustDomain)
                .config();
        return bundles.source("mesh", config, new Findings().at("issuers.mesh"));
    }

    @Test
    void nothing_is_asked_before_somebody_is_to_be_verified() {
        assertThat(current()).isNull();
        assertThat(api.opened()).isZero();

        bundles.follow();
        bundles.follow();

        await().until(() -> api.opened() >= 2);
        assertThat(current()).isNull();
        assertThat(own.refresh("first", now())).isEqualTo(JwkSetSource.Refresh.Done.UNAVAILABLE);
    }

    @Test
    void each_trust_domain_has_the_keys_of_its_own_bundle() {
        follow(Map.of(OWN, TestTokens.jwkSet(FIRST), PARTNER, TestTokens.jwkSet(SECOND)));

        assertThat(kids(current())).containsExactly("first");
        assertThat(kids(source("partner.test").current(now()))).containsExactly("second");
        assertThat(own.refresh("second", now())).isEqualTo(JwkSetSource.Refresh.Done.FRESH);
    }

    /** As SPIFFE's own bundle format has them. */
    @Test
    void a_key_may_say_that_it_is_for_jwt_svids_and_not_that_it_is_for_anything_else() {
        var forSvids = FIRST.jwk();
        forSvids.put("use", "jwt-svid");
        var forTls = SECOND.jwk();
        forTls.put("use", "x509-svid");

        follow(Map.of(OWN, TestTokens.jwkSet(List.of(forTls, forSvids))));

        assertThat(kids(current())).containsExactly("first");
    }

    @Test
    void a_pushed_rotation_is_in_place_at_once_and_a_repetition_changes_nothing() {
        follow(Map.of(OWN, TestTokens.jwkSet(FIRST)));
        var before = Objects.requireNonNull(current());

        api.serveJwtBundles(Map.of(OWN, TestTokens.jwkSet(FIRST), PARTNER, TestTokens.jwkSet(SECOND)));
        await().until(() -> !kids(source("partner.test").current(now())).isEmpty());
        assertThat(current()).isSameAs(before);

        api.serveJwtBundles(Map.of(OWN, TestTokens.jwkSet(SECOND)));
        await().until(() -> kids(current()).contains("second"));
        assertThat(kids(current())).containsExactly("second");
        assertThat(Objects.requireNonNull(current()).revision()).isGreaterThan(before.revision());
    }

    @Test
    void a_trust_domain_that_is_left_out_has_no_keys_any_more() {
        follow(Map.of(OWN, TestTokens.jwkSet(FIRST), PARTNER, TestTokens.jwkSet(SECOND)));

        api.serveJwtBundles(Map.of(OWN, TestTokens.jwkSet(FIRST)));

        var partner = source("partner.test");
        await().until(() -> kids(partner.current(now())).isEmpty());
        assertThat(partner.refresh("second", now())).isEqualTo(JwkSetSource.Refresh.Done.FRESH);
    }

    @Test
    void an_agent_that_is_gone_leaves_what_it_said_last_for_a_day() {
        follow(Map.of(OWN, TestTokens.jwkSet(FIRST)));

        api.goAway();
        await().until(() -> own.current(now().plus(Duration.ofHours(25))) == null);
        assertThat(kids(own.current(now().plus(Duration.ofHours(23))))).containsExactly("first");

        api.comeBack();
        await().until(() -> own.current(now().plus(Duration.ofHours(25))) != null);
    }

    @Test
    void what_is_denied_for_good_is_given_up() {
        follow(Map.of(OWN, TestTokens.jwkSet(FIRST)));

        api.deny();

        await().until(() -> current() == null);
    }

    @Test
    void a_message_that_cannot_be_right_is_dropped_whole() {
        follow(Map.of(OWN, TestTokens.jwkSet(FIRST)));

        for (var wrong : List.of(
                Map.of(OWN, "no json", PARTNER, TestTokens.jwkSet(SECOND)),
                Map.of("spiffe://partner.test/workload", TestTokens.jwkSet(SECOND)),
                Map.of("partner.test", TestTokens.jwkSet(SECOND)))) {
            api.serveJwtBundles(wrong);
        }
        // Messages are taken in order: when this one has been, the others have been too.
        api.serveJwtBundles(Map.of(OWN, TestTokens.jwkSet(FIRST), "spiffe://last.test", TestTokens.jwkSet(FIRST)));
        await().until(() -> !kids(source("last.test").current(now())).isEmpty());

        assertThat(kids(current())).containsExactly("first");
        assertThat(kids(source("partner.test").current(now()))).isEmpty();
    }

    private void follow(Map<String, String> served) {
        api.serveJwtBundles(served);
        bundles.follow();
        await().until(() -> current() != null);
    }

    private @Nullable JwkSet current() {
        return own.current(now());
    }

    private static Instant now() {
        return InstantSource.system().instant();
    }

    private static List<String> kids(@Nullable JwkSet keys) {
        return keys == null
                ? List.of()
                : keys.keys().stream().map(key -> String.valueOf(key.kid())).toList();
    }
}
