// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSetDocument;
import io.sallyport.authenticate.keys.VerificationKey;
import io.sallyport.authenticate.token.TokenDigest;
import io.sallyport.pipeline.FakeRequest;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What is found out about a token is found out once, and forgeries cost good tokens nothing. */
class TokenMemoryTest {
    private static final TestTokens CORP = TestTokens.es256();
    private static final long NOW = FakeRequest.NOW.toEpochMilli();

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final TokenMemory memory = new TokenMemory(100, meters);
    private final VerificationKey key = Objects.requireNonNull(JwkSetDocument.parse(
                    TestTokens.jwkSet(CORP).getBytes(StandardCharsets.UTF_8), List.of(), CryptoProvider.jdk()))
            .keys()
            .getFirst();

    @Test
    void a_token_is_verified_once_however_often_it_is_used() {
        var stage = new AuthenticateStage(TestIssuer.STAGE, () -> null, meters);
        var request = TestIssuer.get(TestIssuer.with(FakeJwkSetSource.of(CORP)).route())
                .authorization("Bearer " + CORP.issue())
                .context();

        stage.evaluate(request);
        stage.evaluate(request);
        stage.evaluate(request);

        assertThat(lookups("miss")).isEqualTo(1);
        assertThat(lookups("hit")).isEqualTo(2);
    }

    @Test
    void any_number_of_forgeries_displaces_no_good_token() {
        var good = digest("good");
        memory.remember(good, TestTokens.ISSUER, verified(), NOW);

        for (int i = 0; i < 10_000; i++) {
            memory.rememberForged(digest("forged " + i), TestTokens.ISSUER, List.of(key));
        }

        assertThat(memory.verified(good)).isNotNull();
        assertThat(meters.get("sallyport.tokens.remembered")
                        .tag("kind", "forged")
                        .gauge()
                        .value())
                .isLessThanOrEqualTo(100);
    }

    @Test
    void it_is_bounded() {
        var verified = verified();
        for (int i = 0; i < 10_000; i++) {
            memory.remember(digest("token " + i), TestTokens.ISSUER, verified, NOW);
        }

        assertThat(meters.get("sallyport.tokens.remembered")
                        .tag("kind", "verified")
                        .gauge()
                        .value())
                .isLessThanOrEqualTo(100);
    }

    @Test
    void a_token_is_named_by_every_character_of_it() {
        var token = CORP.issue();
        var digests = new HashSet<TokenDigest>();
        digests.add(digest(token));
        for (int i = 0; i < token.length(); i++) {
            digests.add(digest(token.substring(0, i) + '!' + token.substring(i + 1)));
        }
        digests.add(digest(token + "A"));
        digests.add(digest(token.substring(1)));

        assertThat(digests).hasSize(token.length() + 3);
        assertThat(TokenDigest.of("Bearer " + token, 7)).isEqualTo(digest(token));
    }

    private VerifiedToken verified() {
        var token = (UnverifiedToken.Jws) UnverifiedToken.parseUnverified(CORP.issue());
        var issuer = TestIssuer.with(FakeJwkSetSource.of(CORP)).compile();
        return VerifiedToken.of(token, issuer, key, SignatureAlgorithm.ES256);
    }

    private static TokenDigest digest(String token) {
        return TokenDigest.of(token, 0);
    }

    private double lookups(String result) {
        return meters.get("sallyport.token.lookups")
                .tag("result", result)
                .counter()
                .count();
    }
}
