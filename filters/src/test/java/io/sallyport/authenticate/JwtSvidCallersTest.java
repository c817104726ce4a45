// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Workloads that prove themselves by a JWT-SVID. */
class JwtSvidCallersTest {
    private static final Instant NOW = FakeRequest.NOW;
    private static final String EXPORT = "spiffe://example.org/ns/batch/sa/export";
    private static final TestTokens MESH = TestTokens.withNewKey(SignatureAlgorithm.ES256, "authority-1");
    private static final TestTokens CORP = TestTokens.es256();

    private final AuthenticateStage stage =
            new AuthenticateStage(TestIssuer.STAGE, () -> null, new SimpleMeterRegistry());
    private final FakeJwkSetSource authorities = FakeJwkSetSource.of(MESH);
    private final Route route = TestIssuer.route(mesh().compile());

    private TestIssuer mesh() {
        return TestIssuer.named("mesh", authorities).trustDomain("example.org");
    }

    /** As SPIRE makes them: no iss, no typ but JWT, no client. */
    private static TestTokens.Token svid(TestTokens authority) {
        return authority
                .token()
                .without("iss")
                .without("client_id")
                .without("jti")
                .without("scope")
                .type("JWT")
                .subject(EXPORT);
    }

    private static TestTokens.Token svid() {
        return svid(MESH);
    }

    @Test
    void a_good_svid_makes_its_workload_the_principal() {
        var context = bearing(svid().issue());

        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);

        assertThat(context.principal()).isInstanceOfSatisfying(Principal.Workload.class, workload -> {
            assertThat(workload.spiffeId()).hasToString(EXPORT);
            assertThat(workload.expiresAt()).isEqualTo(NOW.plusSeconds(540));
        });
        // From memory.
        assertThat(stage.evaluate(bearing(svid().issue()))).isSameAs(Verdict.Pass.PASS);
    }

    static Stream<Arguments> good() {
        return Stream.of(
                arguments("no typ", svid().withoutHeader("typ")),
                arguments("typ JOSE", svid().type("JOSE")),
                arguments("no iat", svid().without("iat")),
                arguments("an iss that means nothing to us", svid().issuer("https://spire.example.org")),
                arguments("several audiences", svid().audience(List.of("x", TestTokens.AUDIENCE))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("good")
    void what_the_standard_leaves_open_is_accepted(String what, TestTokens.Token token) {
        assertThat(stage.evaluate(bearing(token.issue()))).isSameAs(Verdict.Pass.PASS);
    }

    static Stream<Arguments> bad() {
        return Stream.of(
                arguments("no kid", svid().withoutHeader("kid"), Reason.AUTHENTICATE_JWT_KID_UNKNOWN),
                arguments("an unknown kid", svid().header("kid", "x"), Reason.AUTHENTICATE_JWT_KID_UNKNOWN),
                arguments("another header", svid().header("cty", "x"), Reason.AUTHENTICATE_JWT_HEADER_DENIED),
                arguments("an access token's typ", svid().type("at+jwt"), Reason.AUTHENTICATE_JWT_TYP_DENIED),
                arguments("no aud", svid().without("aud"), Reason.AUTHENTICATE_JWT_AUD_MISMATCH),
                arguments("another aud", svid().audience("https://x"), Reason.AUTHENTICATE_JWT_AUD_MISMATCH),
                arguments("no exp", svid().without("exp"), Reason.AUTHENTICATE_JWT_EXP_MISSING),
                arguments("expired", svid().expiresAt(NOW.minusSeconds(31)), Reason.AUTHENTICATE_JWT_EXPIRED),
                arguments(
                        "nbf in the future",
                        svid().notBefore(NOW.plusSeconds(31)),
                        Reason.AUTHENTICATE_JWT_NOT_YET_VALID),
                arguments("an iat that is none", svid().claim("iat", "x"), Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments(
                        "no iat, and a life without end",
                        svid().without("iat").expiresAt(NOW.plus(Duration.ofHours(25))),
                        Reason.AUTHENTICATE_JWT_LIFETIME_EXCEEDED),
                arguments("cnf", svid().claim("cnf", "x"), Reason.AUTHENTICATE_BINDING_UNSUPPORTED),
                arguments("no sub", svid().without("sub"), Reason.AUTHENTICATE_JWT_ISS_UNKNOWN));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bad")
    void what_it_forbids_is_refused(String what, TestTokens.Token token, Reason reason) {
        var context = bearing(token.issue());

        assertThat(reasonOf(stage.evaluate(context))).isEqualTo(reason);
        assertThat(reasonOf(stage.evaluate(context))).isEqualTo(reason);
        assertThat(context.principal()).isSameAs(Principal.Anonymous.ANONYMOUS);
    }

    @Test
    void a_forged_one_is_refused() {
        assertThat(reasonOf(stage.evaluate(bearing(svid().forge()))))
                .isEqualTo(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spiffe://example.org",
                "spiffe://Example.org/ns/batch/sa/export",
                "spiffe://example.org/ns//export",
                "spiffe://example.org/ns/../export",
                "spiffe://example.org/ns/batch?x",
                "spiffe://partner.test/ns/batch/sa/export",
                "https://example.org/ns/batch/sa/export",
                "export"
            })
    void a_sub_that_is_no_workload_of_the_trust_domain_names_nobody(String sub) {
        assertThat(reasonOf(stage.evaluate(bearing(svid().subject(sub).issue()))))
                .isEqualTo(Reason.AUTHENTICATE_JWT_ISS_UNKNOWN);
    }

    /** An iss of the trust domain's own ID finds its keys, but they speak for its own workloads alone. */
    @Test
    void the_keys_of_one_trust_domain_vouch_for_no_workload_of_another() {
        var context = bearing(svid().issuer("spiffe://example.org")
                .subject("spiffe://partner.test/ns/batch/sa/export")
                .issue());

        assertThat(reasonOf(stage.evaluate(context))).isEqualTo(Reason.AUTHENTICATE_JWT_CLAIM_MISSING);
    }

    @ParameterizedTest
    @EnumSource
    void each_algorithm_of_the_standard_is_verified_and_no_other(SignatureAlgorithm algorithm) {
        var authority = TestTokens.signedWith(algorithm);
        authorities.publish(authority);

        var verdict = stage.evaluate(bearing(svid(authority).issue()));

        if (algorithm == SignatureAlgorithm.EDDSA) {
            assertThat(reasonOf(verdict)).isEqualTo(Reason.AUTHENTICATE_JWT_ALG_DENIED);
        } else {
            assertThat(verdict).isSameAs(Verdict.Pass.PASS);
        }
    }

    @Test
    void an_authority_that_was_withdrawn_verifies_nothing_more_what_is_remembered_included() {
        var token = svid().issue();
        assertThat(stage.evaluate(bearing(token))).isSameAs(Verdict.Pass.PASS);

        authorities.publish(TestTokens.withNewKey(SignatureAlgorithm.ES256, "authority-2"));

        assertThat(reasonOf(stage.evaluate(bearing(token)))).isEqualTo(Reason.AUTHENTICATE_JWT_KID_UNKNOWN);
    }

    @Test
    void without_bundles_it_is_our_fault() {
        authorities.expire();

        assertThat(reasonOf(stage.evaluate(bearing(svid().issue())))).isEqualTo(Reason.AUTHENTICATE_JWKS_UNAVAILABLE);
    }

    @Test
    void on_a_route_for_both_an_iss_that_is_accepted_goes_before_the_sub() {
        var corp = TestIssuer.with(FakeJwkSetSource.of(CORP)).compile();
        var both = TestIssuer.route(mesh().compile(), corp);

        var svid = bearing(svid().issue(), both);
        assertThat(stage.evaluate(svid)).isSameAs(Verdict.Pass.PASS);
        assertThat(svid.principal()).isInstanceOf(Principal.Workload.class);

        var access = bearing(CORP.token().subject(EXPORT).issue(), both);
        assertThat(stage.evaluate(access)).isSameAs(Verdict.Pass.PASS);
        assertThat(access.principal()).isInstanceOf(Principal.Subject.class);

        // Each under the keys of whom it names, and of nobody else.
        assertThat(reasonOf(stage.evaluate(bearing(svid(CORP).issue(), both))))
                .isEqualTo(Reason.AUTHENTICATE_JWT_KID_UNKNOWN);
        assertThat(reasonOf(stage.evaluate(bearing(MESH.issue(), both))))
                .isEqualTo(Reason.AUTHENTICATE_JWT_KID_UNKNOWN);
    }

    @Test
    void a_trust_domain_that_asks_for_an_age_needs_to_be_told_one() {
        var young = TestIssuer.route(mesh().maxTokenAge(Duration.ofSeconds(90)).compile());

        assertThat(stage.evaluate(bearing(svid().issue(), young))).isSameAs(Verdict.Pass.PASS);
        assertThat(reasonOf(stage.evaluate(bearing(svid().without("iat").issue(), young))))
                .isEqualTo(Reason.AUTHENTICATE_JWT_CLAIM_MISSING);
    }

    private RequestContext bearing(String token) {
        return bearing(token, route);
    }

    private static RequestContext bearing(String token, Route route) {
        return TestIssuer.get(route).authorization("Bearer " + token).context();
    }

    private static Reason reasonOf(Verdict verdict) {
        return ((Verdict.Deny) verdict).denial().reason();
    }
}
