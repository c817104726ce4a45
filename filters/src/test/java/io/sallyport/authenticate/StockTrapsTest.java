// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.Route;
import io.sallyport.revocation.RevocationStage;
import io.sallyport.revocation.denylist.DenyListEntry;
import io.sallyport.revocation.denylist.DenyListIndex;
import io.sallyport.revocation.denylist.DenyListKey;
import io.sallyport.revocation.denylist.MemoryDenyListStore;
import java.math.BigInteger;
import java.security.interfaces.ECPublicKey;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * What a gateway of stock parts gets wrong about tokens, each as the claim that holds here instead. What it gets wrong about
 * fetching keys (withdrawn ones that stay, a fetch for each random name) is in {@code RefreshingJwkSetSourceTest}; about configuration, in {@code
 * GatewayAutoConfigurationTest}.
 */
class StockTrapsTest {
    private static final TestTokens CORP = TestTokens.es256();

    private final FakeJwkSetSource keys = FakeJwkSetSource.of(CORP);
    private final DenyListIndex denyList = new DenyListIndex(new SimpleMeterRegistry());
    private final MemoryDenyListStore revocations =
            new MemoryDenyListStore(denyList, 100, InstantSource.fixed(FakeRequest.NOW));
    private final Pipeline pipeline = new Pipeline(
            List.of(
                    new AuthenticateStage(TestIssuer.STAGE, () -> null, new SimpleMeterRegistry()),
                    new RevocationStage(denyList)),
            (_, _) -> {});
    private final Route route = TestIssuer.with(keys).route();

    /** T1: {@code ReactiveRemoteJWKSource} keeps its first set until some unknown kid arrives. */
    @Test
    void a_key_that_the_issuer_withdrew_verifies_nothing_more_also_not_what_it_verified_before() {
        var token = CORP.issue();
        assertThat(admit(token)).isInstanceOf(Admission.Permitted.class);

        keys.publish(TestTokens.withNewKey(SignatureAlgorithm.ES256, "next"));

        assertThat(reasonOf(token)).isEqualTo(Reason.AUTHENTICATE_JWT_KID_UNKNOWN);
        assertThat(reasonOf(CORP.token().claim("jti", "another").issue()))
                .isEqualTo(Reason.AUTHENTICATE_JWT_KID_UNKNOWN);
    }

    /** T2: {@code switchIfEmpty(getJWKSet())}. That the source then fetches once in a cool-down is {@code RefreshingJwkSetSourceTest}'s. */
    @Test
    void a_token_of_another_issuer_or_algorithm_causes_no_fetch_whatever_its_kid() {
        for (int i = 0; i < 100; i++) {
            var kid = "random-" + i;
            reasonOf(CORP.named(kid).token().issuer("https://other.example").issue());
            reasonOf(CORP.named(kid).token().header("alg", "HS256").issue());
            reasonOf(CORP.named(kid).token().header("jwk", CORP.jwk()).issue());
        }

        assertThat(keys.asked()).isEmpty();
    }

    /** T3: {@code JwtTypeValidator.jwt()} allows JWT or nothing, and so refuses RFC 9068's tokens. */
    @Test
    void an_access_token_of_rfc_9068_is_accepted_and_a_token_without_typ_is_not() {
        assertThat(admit(CORP.token().type("at+jwt").issue())).isInstanceOf(Admission.Permitted.class);
        assertThat(admit(CORP.token().type("application/at+jwt").issue())).isInstanceOf(Admission.Permitted.class);
        assertThat(reasonOf(CORP.token().withoutHeader("typ").issue())).isEqualTo(Reason.AUTHENTICATE_JWT_TYP_DENIED);
    }

    /** T4: {@code allowEmptyExpiryClaim = true}. */
    @Test
    void a_token_without_exp_is_refused() {
        assertThat(reasonOf(CORP.token().without("exp").issue())).isEqualTo(Reason.AUTHENTICATE_JWT_EXP_MISSING);
    }

    /** T5: {@code createDefaultWithIssuer} does not look at the audience. */
    @Test
    void a_token_for_another_audience_is_refused_and_so_is_one_for_none() {
        assertThat(reasonOf(CORP.token().audience("https://other.example.org").issue()))
                .isEqualTo(Reason.AUTHENTICATE_JWT_AUD_MISMATCH);
        assertThat(reasonOf(CORP.token().without("aud").issue())).isEqualTo(Reason.AUTHENTICATE_JWT_AUD_MISMATCH);
    }

    /** T6: WebFlux takes a DPoP-bound token as a bearer token. */
    @Test
    void a_token_that_is_bound_by_dpop_is_no_bearer_token() {
        var bound = CORP.token()
                .claim("cnf", Map.of("jkt", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"))
                .issue();

        assertThat(reasonOf(bound)).isEqualTo(Reason.AUTHENTICATE_BINDING_UNSUPPORTED);
    }

    /** T7: under WebFlux such a token fails on a servlet attribute. */
    @Test
    void a_token_that_is_bound_to_a_certificate_is_refused_for_that_reason() {
        var bound = CORP.token()
                .claim("cnf", Map.of("x5t#S256", "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"))
                .issue();

        assertThat(reasonOf(bound)).isEqualTo(Reason.AUTHENTICATE_BINDING_UNSUPPORTED);
    }

    /** T9: {@code error_description} is the decoder's message, unescaped. */
    @Test
    void what_a_token_says_is_never_in_the_challenge() {
        var inject = "x\", error=\"insufficient_scope\r\nSet-Cookie: a=b";
        for (var token : List.of(
                CORP.token().header("alg", inject).issue(),
                CORP.token().header("kid", inject).issue(),
                CORP.token().type(inject).issue(),
                CORP.token().issuer(inject).issue(),
                CORP.token().audience(inject).issue(),
                CORP.token().claim("exp", inject).issue())) {
            assertThat(refused(token))
                    .isInstanceOfSatisfying(
                            Denial.Unauthenticated.class,
                            denial -> assertThat(denial.challenges().getFirst().headerValue())
                                    .isEqualTo("Bearer realm=\"api.example.org\",error=\"invalid_token\","
                                            + "error_description=\"The access token is not valid here\",resource_metadata=\""
                                            + TestIssuer.METADATA + "\""));
        }
    }

    /** T21: a deny-list of hashes of tokens is got round by a second signature for the same claims, which anybody can compute. */
    @Test
    void a_revoked_token_stays_revoked_under_its_other_signature() {
        var token = CORP.issue();
        var other = withOtherSignature(token);
        assertThat(other).isNotEqualTo(token);
        // Both are good ECDSA signatures:
        // RFC 7518 does not ask for the lower S, and half of all honest ones have the higher.
        assertThat(admit(token)).isInstanceOf(Admission.Permitted.class);
        assertThat(admit(other)).isInstanceOf(Admission.Permitted.class);

        revocations.add(new DenyListEntry(
                new DenyListKey(DenyListKey.Kind.JTI, TestTokens.ISSUER, "token-1"),
                null,
                FakeRequest.NOW.plus(Duration.ofHours(1)),
                "stolen",
                FakeRequest.NOW));

        assertThat(reasonOf(token)).isEqualTo(Reason.REVOCATION_TOKEN_REVOKED);
        assertThat(reasonOf(other)).isEqualTo(Reason.REVOCATION_TOKEN_REVOKED);
    }

    /** (r, n - s) verifies what (r, s) does. */
    private static String withOtherSignature(String token) {
        int dot = token.lastIndexOf('.') + 1;
        var signature = Base64.getUrlDecoder().decode(token.substring(dot));
        var s = new BigInteger(1, Arrays.copyOfRange(signature, 32, 64));
        var other = ((ECPublicKey) CORP.publicKey())
                .getParams()
                .getOrder()
                .subtract(s)
                .toByteArray();
        Arrays.fill(signature, 32, 64, (byte) 0);
        int length = Math.min(32, other.length);
        System.arraycopy(other, other.length - length, signature, 64 - length, length);
        return token.substring(0, dot) + TestTokens.base64Url(signature);
    }

    private Admission admit(String token) {
        return pipeline.admit(
                TestIssuer.get(route).authorization("Bearer " + token).context());
    }

    private Denial refused(String token) {
        var admission = admit(token);
        assertThat(admission).isInstanceOf(Admission.Refused.class);
        return ((Admission.Refused) admission).denial();
    }

    private Reason reasonOf(String token) {
        return refused(token).reason();
    }
}
