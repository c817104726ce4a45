// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.issuer.Profile;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Resumed;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.StageName;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.util.unit.DataSize;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** What the stage says to every kind of token, and what it remembers. */
class AuthenticateStageTest {
    private static final Instant NOW = FakeRequest.NOW;
    private static final TestTokens CORP = TestTokens.es256();

    private final AuthenticateStage stage =
            new AuthenticateStage(TestIssuer.STAGE, () -> null, new SimpleMeterRegistry());
    private final FakeJwkSetSource keys = FakeJwkSetSource.of(CORP);
    private final Route route = TestIssuer.with(keys).route();

    @Test
    void a_good_token_makes_its_subject_the_principal() {
        var context = bearing(CORP.token()
                        .claim("sid", "session-9")
                        .claim("acr", "phr")
                        .claim("amr", List.of("pwd", "otp"))
                        .claim("auth_time", NOW.minusSeconds(90).getEpochSecond())
                        .claim("tenant", Map.of("id", 7))
                        .issue())
                .context();

        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);

        assertThat(context.principal()).isInstanceOfSatisfying(Principal.Subject.class, subject -> {
            assertThat(subject.issuerName()).isEqualTo("corp");
            assertThat(subject.issuer()).isEqualTo(TestTokens.ISSUER);
            assertThat(subject.subject()).isEqualTo("alice");
            assertThat(subject.clientId()).isEqualTo("shop");
            assertThat(subject.sessionId()).isEqualTo("session-9");
            assertThat(subject.tokenId()).isEqualTo("token-1");
            assertThat(subject.issuedAt()).isEqualTo(NOW.minusSeconds(60));
            assertThat(subject.expiresAt()).isEqualTo(NOW.plusSeconds(540));
            assertThat(subject.scopes()).containsExactlyInAnyOrder("orders:read", "orders:write");
            assertThat(subject.acr()).isEqualTo("phr");
            assertThat(subject.amr()).containsExactly("pwd", "otp");
            assertThat(subject.authenticatedAt()).isEqualTo(NOW.minusSeconds(90));
            assertThat(subject.claims()).containsEntry("tenant", Map.of("id", 7L));
        });
    }

    static Stream<Arguments> refusals() {
        var good = CORP.issue();
        return Stream.of(
                arguments("no credential", plain(), Reason.AUTHENTICATE_JWT_MISSING),
                arguments("an empty field", with(""), Reason.AUTHENTICATE_JWT_MISSING),
                arguments("Basic", with("Basic dXNlcjpwYXNz"), Reason.AUTHENTICATE_JWT_MISSING),
                arguments("DPoP, which is not built", with("DPoP " + good), Reason.AUTHENTICATE_JWT_MISSING),
                arguments(
                        "a scheme that only begins like ours",
                        with("Bearerish " + good),
                        Reason.AUTHENTICATE_JWT_MISSING),
                arguments("a scheme without a token", with("Bearer"), Reason.AUTHENTICATE_JWT_MALFORMED),
                arguments("a scheme and blanks", with("Bearer   "), Reason.AUTHENTICATE_JWT_MALFORMED),
                arguments(
                        "two fields",
                        with("Bearer " + good).authorization("Bearer " + good),
                        Reason.AUTHENTICATE_JWT_AMBIGUOUS),
                arguments(
                        "two fields, one of another scheme",
                        with("Basic eA==").authorization("Bearer " + good),
                        Reason.AUTHENTICATE_JWT_AMBIGUOUS),
                arguments(
                        "two tokens in one field",
                        with("Bearer " + good + ", Bearer " + good),
                        Reason.AUTHENTICATE_JWT_AMBIGUOUS),
                arguments(
                        "a token that is too long",
                        bearer(CORP.token().claim("pad", "x".repeat(10_000)).issue()),
                        Reason.AUTHENTICATE_JWT_TOO_LONG),
                arguments(
                        "an encrypted token",
                        bearer(TestTokens.base64Url("{\"alg\":\"dir\",\"enc\":\"A256GCM\"}") + "..iv.text.tag"),
                        Reason.AUTHENTICATE_JWT_ENCRYPTED),
                arguments(
                        "a signature over something else than claims",
                        bearer(CORP.sign(CORP.token().headerJson(), "[]")),
                        Reason.AUTHENTICATE_JWT_CLAIMS_MALFORMED),
                arguments(
                        "a header that carries a key",
                        bearer(CORP.token().header("jwk", CORP.jwk()).issue()),
                        Reason.AUTHENTICATE_JWT_HEADER_DENIED),
                arguments(
                        "alg none",
                        bearer(CORP.token().header("alg", "none").issue()),
                        Reason.AUTHENTICATE_JWT_ALG_DENIED),
                arguments(
                        "an unknown issuer",
                        bearer(CORP.token()
                                .issuer("https://idp.example.org/realms/other")
                                .issue()),
                        Reason.AUTHENTICATE_JWT_ISS_UNKNOWN),
                arguments(
                        "an issuer that differs by a slash",
                        bearer(CORP.token().issuer(TestTokens.ISSUER + "/").issue()),
                        Reason.AUTHENTICATE_JWT_ISS_UNKNOWN),
                arguments(
                        "no issuer", bearer(CORP.token().without("iss").issue()), Reason.AUTHENTICATE_JWT_ISS_UNKNOWN),
                arguments(
                        "an issuer that is no string",
                        bearer(CORP.token()
                                .claim("iss", List.of(TestTokens.ISSUER))
                                .issue()),
                        Reason.AUTHENTICATE_JWT_ISS_UNKNOWN),
                arguments("an unknown key", bearer(CORP.named("other").issue()), Reason.AUTHENTICATE_JWT_KID_UNKNOWN),
                arguments(
                        "somebody else's signature",
                        bearer(CORP.token().forge()),
                        Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID),
                arguments(
                        "an ID token's type",
                        bearer(CORP.token().type("id+jwt").issue()),
                        Reason.AUTHENTICATE_JWT_TYP_DENIED),
                arguments(
                        "no type",
                        bearer(CORP.token().withoutHeader("typ").issue()),
                        Reason.AUTHENTICATE_JWT_TYP_DENIED),
                arguments(
                        "another audience",
                        bearer(CORP.token()
                                .audience("https://other.example.org")
                                .issue()),
                        Reason.AUTHENTICATE_JWT_AUD_MISMATCH),
                arguments(
                        "no audience",
                        bearer(CORP.token().without("aud").issue()),
                        Reason.AUTHENTICATE_JWT_AUD_MISMATCH),
                arguments(
                        "an audience that is a number",
                        bearer(CORP.token().audience(7).issue()),
                        Reason.AUTHENTICATE_JWT_AUD_MISMATCH),
                arguments(
                        "an audience among numbers",
                        bearer(CORP.token()
                                .audience(List.of(TestTokens.AUDIENCE, 7))
                                .issue()),
                        Reason.AUTHENTICATE_JWT_AUD_MISMATCH),
                arguments(
                        "T4: no exp", bearer(CORP.token().without("exp").issue()), Reason.AUTHENTICATE_JWT_EXP_MISSING),
                arguments(
                        "an exp of null",
                        bearer(CORP.token().claim("exp", null).issue()),
                        Reason.AUTHENTICATE_JWT_EXP_MISSING),
                arguments(
                        "an exp that is a string",
                        bearer(CORP.token().claim("exp", "1900000000").issue()),
                        Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments(
                        "an exp beyond all calendars",
                        bearer(CORP.token().claim("exp", 1e300).issue()),
                        Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments(
                        "an exp in the past",
                        bearer(CORP.token()
                                .issuedAt(NOW.minusSeconds(3600))
                                .expiresAt(NOW.minusSeconds(31))
                                .issue()),
                        Reason.AUTHENTICATE_JWT_EXPIRED),
                arguments(
                        "an nbf in the future",
                        bearer(CORP.token().notBefore(NOW.plusSeconds(31)).issue()),
                        Reason.AUTHENTICATE_JWT_NOT_YET_VALID),
                arguments(
                        "an nbf that is a string",
                        bearer(CORP.token().claim("nbf", "now").issue()),
                        Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments(
                        "an iat in the future",
                        bearer(CORP.token().issuedAt(NOW.plusSeconds(31)).issue()),
                        Reason.AUTHENTICATE_JWT_NOT_YET_VALID),
                arguments("no iat", bearer(CORP.token().without("iat").issue()), Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments(
                        "an iat that is true",
                        bearer(CORP.token().claim("iat", true).issue()),
                        Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments(
                        "more than a day of life",
                        bearer(CORP.token().livingFor(Duration.ofHours(25)).issue()),
                        Reason.AUTHENTICATE_JWT_LIFETIME_EXCEEDED),
                arguments("no sub", bearer(CORP.token().without("sub").issue()), Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments(
                        "an empty sub",
                        bearer(CORP.token().subject("").issue()),
                        Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments(
                        "a sub that is a number",
                        bearer(CORP.token().claim("sub", 7).issue()),
                        Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments(
                        "a jti that is a number",
                        bearer(CORP.token().claim("jti", 7).issue()),
                        Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments(
                        "T6: a key by DPoP",
                        bearer(CORP.token()
                                .claim("cnf", Map.of("jkt", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"))
                                .issue()),
                        Reason.AUTHENTICATE_BINDING_UNSUPPORTED),
                arguments(
                        "T7: a client certificate",
                        bearer(CORP.token()
                                .claim("cnf", Map.of("x5t#S256", "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"))
                                .issue()),
                        Reason.AUTHENTICATE_BINDING_UNSUPPORTED),
                arguments(
                        "a cnf that is no object",
                        bearer(CORP.token().claim("cnf", "jkt").issue()),
                        Reason.AUTHENTICATE_BINDING_UNSUPPORTED),
                arguments(
                        "a cnf of null",
                        bearer(CORP.token().claim("cnf", null).issue()),
                        Reason.AUTHENTICATE_BINDING_UNSUPPORTED));
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("refusals")
    void a_request_is_refused_for(String what, FakeRequest request, Reason reason) {
        var context = request.on(route).snapshot(TestIssuer.SNAPSHOT).context();

        assertThat(reasonOf(stage.evaluate(context))).isEqualTo(reason);
        assertThat(context.principal()).isEqualTo(Principal.Anonymous.ANONYMOUS);
        // Once more: what was remembered of the token must not change the answer.
        assertThat(reasonOf(stage.evaluate(context))).isEqualTo(reason);
        assertThat(context.principal()).isEqualTo(Principal.Anonymous.ANONYMOUS);
    }

    @Test
    void every_reason_of_authenticate_that_is_about_tokens_is_produced_here() {
        var produced = refusals()
                .map(arguments -> (Reason) arguments.get()[2])
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Reason.class)));
        // In tests of their own below: what the issuer's configuration or its endpoint brings about.
        produced.addAll(Set.of(
                Reason.AUTHENTICATE_JWT_TOO_OLD,
                Reason.AUTHENTICATE_JWT_CLIENT_DENIED,
                Reason.AUTHENTICATE_JWKS_UNAVAILABLE));

        assertThat(produced)
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(Reason.values())
                        .filter(reason -> reason.code().startsWith("authenticate."))
                        // In CertificateCallersTest and OpaqueTokenCallersTest.
                        .filter(reason -> !reason.code().startsWith("authenticate.certificate_")
                                && reason != Reason.AUTHENTICATE_BUNDLE_UNAVAILABLE
                                && reason != Reason.AUTHENTICATE_TOKEN_INACTIVE
                                && reason != Reason.AUTHENTICATE_INTROSPECTION_UNAVAILABLE)
                        .toList());
    }

    @ParameterizedTest
    @EnumSource
    void a_token_of_each_algorithm_is_verified(SignatureAlgorithm algorithm) {
        var tokens = TestTokens.signedWith(algorithm);
        var route = TestIssuer.with(FakeJwkSetSource.of(tokens)).route();

        assertThat(stage.evaluate(bearing(tokens.issue(), route).context())).isSameAs(Verdict.Pass.PASS);
        assertThat(reasonOf(
                        stage.evaluate(bearing(tokens.token().forge(), route).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bearer", "BEARER", "Bearer "})
    void the_scheme_may_be_written_in_any_case_and_followed_by_several_blanks(String scheme) {
        var context = with(scheme + " " + CORP.issue())
                .on(route)
                .snapshot(TestIssuer.SNAPSHOT)
                .context();

        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);
    }

    /** T3: RFC 9068's own type is refused by stock validators. */
    @ParameterizedTest
    @ValueSource(
            strings = {"at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+JWT", "JWT", "jwt", "application/jwt"})
    void a_type_is_compared_without_case_and_prefix(String type) {
        assertThat(stage.evaluate(bearing(CORP.token().type(type).issue()).context()))
                .isSameAs(Verdict.Pass.PASS);
    }

    @Test
    void clocks_may_differ_by_the_skew_and_not_by_more() {
        var expiring =
                CORP.token().issuedAt(NOW.minusSeconds(60)).expiresAt(NOW).issue();

        assertThat(stage.evaluate(bearing(expiring).at(NOW.plusSeconds(29)).context()))
                .isSameAs(Verdict.Pass.PASS);
        assertThat(reasonOf(
                        stage.evaluate(bearing(expiring).at(NOW.plusSeconds(30)).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_EXPIRED);
        assertThat(stage.evaluate(
                        bearing(CORP.token().issuedAt(NOW.plusSeconds(30)).issue())
                                .context()))
                .isSameAs(Verdict.Pass.PASS);
    }

    @Test
    void a_remembered_token_expires_like_any_other() {
        var token = CORP.token().expiresAt(NOW.plusSeconds(60)).issue();
        assertThat(stage.evaluate(bearing(token).context())).isSameAs(Verdict.Pass.PASS);

        assertThat(reasonOf(
                        stage.evaluate(bearing(token).at(NOW.plusSeconds(90)).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_EXPIRED);
    }

    @Test
    void a_token_that_is_too_old_is_refused_where_the_issuer_limits_age() {
        var strict = TestIssuer.with(keys).maxTokenAge(Duration.ofMinutes(5)).route();
        var token = CORP.token()
                .issuedAt(NOW.minusSeconds(300))
                .livingFor(Duration.ofHours(1))
                .issue();

        assertThat(stage.evaluate(bearing(token, strict).context())).isSameAs(Verdict.Pass.PASS);
        assertThat(reasonOf(stage.evaluate(
                        bearing(token, strict).at(NOW.plusSeconds(1)).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_TOO_OLD);
    }

    @Test
    void nbf_is_required_where_the_issuer_says_so() {
        var strict = TestIssuer.with(keys).requireNbf().route();

        assertThat(reasonOf(stage.evaluate(bearing(CORP.issue(), strict).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_CLAIM_MISSING);
        assertThat(stage.evaluate(
                        bearing(CORP.token().notBefore(NOW).issue(), strict).context()))
                .isSameAs(Verdict.Pass.PASS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"client_id", "jti"})
    void the_profile_of_rfc_9068_requires(String claim) {
        var strict = TestIssuer.with(keys).profile(Profile.RFC9068).route();
        var lacking = CORP.token().without(claim).claim("azp", "shop").issue();

        assertThat(reasonOf(stage.evaluate(bearing(lacking, strict).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_CLAIM_MISSING);
        assertThat(stage.evaluate(bearing(lacking).context())).isSameAs(Verdict.Pass.PASS);
        assertThat(stage.evaluate(bearing(CORP.issue(), strict).context())).isSameAs(Verdict.Pass.PASS);
    }

    @Test
    void the_profile_of_rfc_9068_requires_its_type_even_where_the_issuer_allows_others() {
        var strict = TestIssuer.route(TestIssuer.accepting(
                List.of(), Profile.RFC9068, TestIssuer.with(keys).compile()));

        assertThat(reasonOf(stage.evaluate(
                        bearing(CORP.token().type("JWT").issue(), strict).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_TYP_DENIED);
    }

    @Test
    void the_client_is_azp_where_there_is_no_client_id() {
        var context = bearing(
                        CORP.token().without("client_id").claim("azp", "mobile").issue())
                .context();

        stage.evaluate(context);

        assertThat(((Principal.Subject) context.principal()).clientId()).isEqualTo("mobile");
    }

    @Test
    void scopes_are_read_from_scp_where_there_is_no_scope() {
        var context = bearing(CORP.token()
                        .without("scope")
                        .claim("scp", List.of("orders:read", "orders:write"))
                        .issue())
                .context();

        stage.evaluate(context);

        assertThat(((Principal.Subject) context.principal()).scopes())
                .containsExactlyInAnyOrder("orders:read", "orders:write");
    }

    /** Tokens are remembered by the ten thousand. */
    @Test
    void all_tokens_have_one_string_for_the_name_of_a_common_claim() {
        assertThat(nameOfSubject("alice")).isSameAs(nameOfSubject("bob"));
    }

    private String nameOfSubject(String subject) {
        var context = bearing(CORP.token().claim("sub", subject).issue()).context();
        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);
        return ((Principal.Subject) context.principal())
                .claims().keySet().stream().filter("sub"::equals).findAny().orElseThrow();
    }

    @Test
    void a_claim_that_is_null_is_as_good_as_absent() {
        var context = bearing(CORP.token()
                        .claim("nick", null)
                        .claim("roles", Arrays.asList("a", null))
                        .issue())
                .context();

        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);
        assertThat(((Principal.Subject) context.principal()).claims())
                .doesNotContainKey("nick")
                .containsEntry("roles", List.of("a"));
    }

    /** T5, and several APIs behind one issuer: a token for one of them does not open the other. */
    @Test
    void a_token_for_one_api_is_refused_on_the_route_of_another_also_when_it_is_remembered() {
        var issuer = TestIssuer.with(keys).audiences("orders", "payments").compile();
        var orders = TestIssuer.route(TestIssuer.accepting(List.of("orders"), null, issuer));
        var payments = TestIssuer.route(TestIssuer.accepting(List.of("payments"), null, issuer));
        var token = CORP.token().audience("orders").issue();

        assertThat(stage.evaluate(bearing(token, orders).context())).isSameAs(Verdict.Pass.PASS);
        assertThat(reasonOf(stage.evaluate(bearing(token, payments).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_AUD_MISMATCH);
        assertThat(stage.evaluate(bearing(
                                CORP.token()
                                        .audience(List.of("else", "payments"))
                                        .issue(),
                                payments)
                        .context()))
                .isSameAs(Verdict.Pass.PASS);
    }

    @Test
    void a_key_of_one_issuer_does_not_verify_for_another() {
        var partnerKeys = TestTokens.withNewKey(SignatureAlgorithm.ES256, "partner-1");
        var corp = TestIssuer.with(keys).compile();
        var partner = TestIssuer.named("partner", FakeJwkSetSource.of(partnerKeys))
                .issuer("https://partner.example.net")
                .compile();
        var both = TestIssuer.route(corp, partner);

        assertThat(stage.evaluate(bearing(
                                partnerKeys
                                        .token()
                                        .issuer("https://partner.example.net")
                                        .issue(),
                                both)
                        .context()))
                .isSameAs(Verdict.Pass.PASS);
        assertThat(reasonOf(stage.evaluate(bearing(partnerKeys.issue(), both).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_KID_UNKNOWN);
        assertThat(reasonOf(stage.evaluate(
                        bearing(partnerKeys.named(CORP.kid()).issue(), both).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
    }

    @Test
    void a_remembered_token_is_refused_on_a_route_that_does_not_accept_its_issuer() {
        var other = TestIssuer.named("partner", keys)
                .issuer("https://partner.example.net")
                .route();
        var token = CORP.issue();
        assertThat(stage.evaluate(bearing(token).context())).isSameAs(Verdict.Pass.PASS);

        assertThat(reasonOf(stage.evaluate(bearing(token, other).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_ISS_UNKNOWN);
    }

    @Test
    void an_algorithm_that_only_another_issuer_of_the_route_uses_is_refused() {
        var rsa = TestTokens.signedWith(SignatureAlgorithm.RS256);
        var corp = TestIssuer.with(FakeJwkSetSource.of(CORP, rsa))
                .algorithms(SignatureAlgorithm.ES256)
                .compile();
        var partner = TestIssuer.named("partner", FakeJwkSetSource.of(rsa))
                .issuer("https://partner.example.net")
                .algorithms(SignatureAlgorithm.RS256)
                .compile();

        assertThat(reasonOf(stage.evaluate(
                        bearing(rsa.issue(), TestIssuer.route(corp, partner)).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_ALG_DENIED);
    }

    /** After Tim McLean, "Critical vulnerabilities in JSON Web Token libraries" (2015): the public key as HMAC secret. */
    @Test
    void a_public_key_is_never_used_as_a_secret() throws Exception {
        var rsa = TestTokens.signedWith(SignatureAlgorithm.RS256);
        var route = TestIssuer.with(FakeJwkSetSource.of(rsa)).route();
        for (var secret : List.of(
                rsa.publicKey().getEncoded(), pem(rsa.publicKey().getEncoded()).getBytes(StandardCharsets.US_ASCII))) {
            var header = TestTokens.json(Map.of("alg", "HS256", "typ", "at+jwt", "kid", rsa.kid()));
            var input = TestTokens.base64Url(header) + "."
                    + TestTokens.base64Url(rsa.token().claimsJson());
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            var token = input + "." + TestTokens.base64Url(mac.doFinal(input.getBytes(StandardCharsets.US_ASCII)));

            assertThat(reasonOf(stage.evaluate(bearing(token, route).context())))
                    .isEqualTo(Reason.AUTHENTICATE_JWT_ALG_DENIED);
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_key_is_used_with_no_algorithm_but_its_own(SignatureAlgorithm claimed) {
        var rsa = TestTokens.signedWith(SignatureAlgorithm.RS256);
        var route = TestIssuer.with(FakeJwkSetSource.of(rsa)).route();
        var token = rsa.token().header("alg", claimed.toString()).issue();

        var verdict = stage.evaluate(bearing(token, route).context());

        if (claimed == SignatureAlgorithm.RS256) {
            assertThat(verdict).isSameAs(Verdict.Pass.PASS);
        } else {
            // Its JWK says alg RS256: for every other algorithm the issuer has no key of that name.
            assertThat(reasonOf(verdict)).isEqualTo(Reason.AUTHENTICATE_JWT_KID_UNKNOWN);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RS256", "ES256", "EDDSA"})
    void a_token_without_kid_is_tried_with_each_key_of_its_algorithm(SignatureAlgorithm algorithm) {
        var other = TestTokens.withNewKey(algorithm, "other");
        var route = TestIssuer.with(FakeJwkSetSource.of(
                        TestTokens.signedWith(SignatureAlgorithm.ES384), other, TestTokens.signedWith(algorithm)))
                .route();

        for (var key : List.of(other, TestTokens.signedWith(algorithm))) {
            assertThat(stage.evaluate(bearing(key.token().withoutHeader("kid").issue(), route)
                            .context()))
                    .isSameAs(Verdict.Pass.PASS);
        }
        assertThat(reasonOf(stage.evaluate(
                        bearing(other.token().withoutHeader("kid").forge(), route)
                                .context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
    }

    /** Else an issuer that names no key would have its new tokens refused until the next refresh of its own accord. */
    @Test
    void a_token_without_kid_that_no_known_key_verifies_is_worth_one_look_at_the_issuer() {
        var next = TestTokens.withNewKey(SignatureAlgorithm.ES256, "next");
        var fetch = Sinks.<JwkSetSource.Refresh.Done>one();
        keys.onRefresh(new JwkSetSource.Refresh.UnderWay(fetch.asMono()));
        var context = bearing(next.token().withoutHeader("kid").issue()).context();

        var verdict = pendingOf(stage.evaluate(context)).toFuture();
        keys.publish(CORP, next);
        fetch.tryEmitValue(JwkSetSource.Refresh.Done.FRESH).orThrow();

        assertThat(verdict).isCompletedWithValue(Verdict.Pass.PASS);
        keys.onRefresh(JwkSetSource.Refresh.Done.FRESH);
        assertThat(reasonOf(stage.evaluate(
                        bearing(next.token().withoutHeader("kid").forge()).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
        assertThat(keys.asked()).containsExactly("null", "null");
    }

    @Test
    void a_kid_that_several_keys_have_is_tried_with_each() {
        var other = TestTokens.withNewKey(SignatureAlgorithm.ES256, CORP.kid());
        var route = TestIssuer.with(FakeJwkSetSource.of(CORP, other)).route();

        for (var key : List.of(CORP, other)) {
            assertThat(stage.evaluate(bearing(key.issue(), route).context())).isSameAs(Verdict.Pass.PASS);
        }
    }

    @Test
    void the_ninth_key_of_one_name_is_not_tried() {
        var keys = IntStream.range(0, 9)
                .mapToObj(_ -> TestTokens.withNewKey(SignatureAlgorithm.ES256, "same"))
                .toArray(TestTokens[]::new);
        var route = TestIssuer.with(FakeJwkSetSource.of(keys)).route();

        assertThat(stage.evaluate(bearing(keys[7].issue(), route).context())).isSameAs(Verdict.Pass.PASS);
        assertThat(reasonOf(stage.evaluate(bearing(keys[8].issue(), route).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
    }

    /** RFC 9864: the same algorithm under a name that says the curve. */
    @Test
    void ed25519_is_another_name_of_eddsa() {
        var ed = TestTokens.signedWith(SignatureAlgorithm.EDDSA);
        var route = TestIssuer.with(FakeJwkSetSource.of(ed))
                .algorithms(SignatureAlgorithm.parse("Ed25519"))
                .route();

        for (var name : List.of("Ed25519", "EdDSA")) {
            assertThat(stage.evaluate(bearing(ed.token().header("alg", name).issue(), route)
                            .context()))
                    .isSameAs(Verdict.Pass.PASS);
        }
    }

    /** Somebody in 157 groups of Entra ID has a token of 11,219 bytes. */
    @Test
    void a_token_may_be_as_long_as_the_stage_says() {
        var token = HostileTokens.sized(HostileTokens.LONGEST - 3);
        assertThat(token.length()).isGreaterThan(11_219).isLessThanOrEqualTo(HostileTokens.LONGEST);

        assertThat(stage.evaluate(bearing(token).context())).isSameAs(Verdict.Pass.PASS);
        var larger = new Snapshot(
                "test",
                List.of(),
                Map.of(
                        StageName.AUTHENTICATE,
                        TestIssuer.stage(Duration.ofSeconds(30), 1000, DataSize.ofKilobytes(20))));
        var longer = HostileTokens.sized(19_000);
        assertThat(reasonOf(stage.evaluate(bearing(longer).context()))).isEqualTo(Reason.AUTHENTICATE_JWT_TOO_LONG);
        assertThat(stage.evaluate(bearing(longer).snapshot(larger).context())).isSameAs(Verdict.Pass.PASS);
    }

    @Test
    void a_token_without_type_is_accepted_where_types_says_absent_and_no_other_type_with_it() {
        var lax = TestIssuer.with(keys).types("absent", "JWT").route();

        assertThat(stage.evaluate(
                        bearing(CORP.token().withoutHeader("typ").issue(), lax).context()))
                .isSameAs(Verdict.Pass.PASS);
        assertThat(stage.evaluate(bearing(CORP.token().type("JWT").issue(), lax).context()))
                .isSameAs(Verdict.Pass.PASS);
        for (var type : List.of("absent", "", "at+jwt")) {
            assertThat(reasonOf(stage.evaluate(
                            bearing(CORP.token().type(type).issue(), lax).context())))
                    .isEqualTo(Reason.AUTHENTICATE_JWT_TYP_DENIED);
        }
    }

    static Stream<Arguments> idTokenMembers() {
        return Stream.of(
                arguments("nonce", "n-0S6_WzA2Mj"),
                arguments("at_hash", "MTIzNDU2Nzg5MDEyMzQ1Ng"),
                arguments("c_hash", "LDktKdoQak3Pk0cnXxCltA"),
                arguments("token_use", "id"),
                arguments("token_use", 7),
                arguments("typ", "ID"));
    }

    @ParameterizedTest
    @MethodSource("idTokenMembers")
    void what_looks_like_an_id_token_is_refused_where_the_type_or_the_audience_cannot_tell(String claim, Object value) {
        var untyped = TestIssuer.with(keys).types("absent", "JWT");
        var ofClients = TestIssuer.with(keys).clients("client_id", "shop");

        for (var issuer : List.of(untyped, ofClients)) {
            var token = CORP.token().type("JWT").claim(claim, value);
            if (issuer == ofClients) {
                token.without("aud");
            }
            var denial = denialOf(
                    stage.evaluate(bearing(token.issue(), issuer.route()).context()));
            assertThat(denial.reason()).isEqualTo(Reason.AUTHENTICATE_JWT_TYP_DENIED);
            assertThat(denial.evidence().get(Evidence.Key.DETAIL)).isEqualTo("corp: an ID token by its claim " + claim);
            assertThat(stage.evaluate(
                            bearing(token.issue(), issuer.acceptIdTokens().route())
                                    .context()))
                    .isSameAs(Verdict.Pass.PASS);
        }
        assertThat(stage.evaluate(
                        bearing(CORP.token().claim(claim, value).issue()).context()))
                .as("where type and audience tell")
                .isSameAs(Verdict.Pass.PASS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"client_id", "azp", "cid", "appid"})
    void a_token_without_audience_is_accepted_of_the_clients_that_are_listed(String claim) {
        var route = TestIssuer.with(keys).clients(claim, "mobile", "web").route();
        var token = CORP.token().without("aud").without("client_id").claim(claim, "web");
        var context = bearing(token.issue(), route).context();

        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);
        assertThat(((Principal.Subject) context.principal()).clientId()).isEqualTo("web");
        for (var other : Arrays.asList("shop", "", "Web", null)) {
            assertThat(reasonOf(stage.evaluate(
                            bearing(token.claim(claim, other).issue(), route).context())))
                    .isEqualTo(Reason.AUTHENTICATE_JWT_CLIENT_DENIED);
        }
    }

    @Test
    void a_token_with_an_audience_is_refused_where_clients_stand_in_for_audiences() {
        var route = TestIssuer.with(keys).clients("client_id", "shop").route();

        for (Object aud : List.of(TestTokens.AUDIENCE, "shop", List.of(), 7)) {
            assertThat(reasonOf(stage.evaluate(
                            bearing(CORP.token().audience(aud).issue(), route).context())))
                    .isEqualTo(Reason.AUTHENTICATE_JWT_AUD_MISMATCH);
        }
        assertThat(stage.evaluate(
                        bearing(CORP.token().without("aud").issue(), route).context()))
                .isSameAs(Verdict.Pass.PASS);
    }

    @Test
    void a_reload_that_changes_which_claim_names_the_client_holds_for_remembered_tokens() {
        var token = CORP.token().claim("cid", "mobile").issue();
        assertThat(clientOf(token, TestIssuer.with(keys).route())).isEqualTo("shop");

        assertThat(clientOf(token, TestIssuer.with(keys).clientClaim("cid").route()))
                .isEqualTo("mobile");
    }

    private @Nullable String clientOf(String token, Route route) {
        var context = bearing(token, route).context();
        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);
        return ((Principal.Subject) context.principal()).clientId();
    }

    private static final String TENANTS = "https://idp.example.org/{tenant}/v2.0";

    private static TestTokens.Token ofTenant(TestTokens key, String tenant) {
        return key.token().issuer(TENANTS.replace("{tenant}", tenant)).claim("tid", tenant);
    }

    @Test
    void a_token_of_a_listed_tenant_is_accepted_under_its_own_keys_alone() {
        var globex = TestTokens.withNewKey(SignatureAlgorithm.ES256, CORP.kid());
        var route = TestIssuer.named("tenants", keys)
                .issuer(TENANTS)
                .tenants("tid", "acme", "globex")
                .route(name -> FakeJwkSetSource.of(name.equals("tenants.acme") ? CORP : globex));
        var context = bearing(ofTenant(CORP, "acme").issue(), route).context();

        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);
        assertThat(context.principal()).isInstanceOfSatisfying(Principal.Subject.class, subject -> {
            assertThat(subject.issuerName()).isEqualTo("tenants");
            assertThat(subject.issuer()).isEqualTo("https://idp.example.org/acme/v2.0");
        });
        assertThat(stage.evaluate(
                        bearing(ofTenant(globex, "globex").issue(), route).context()))
                .isSameAs(Verdict.Pass.PASS);
        assertThat(reasonOf(stage.evaluate(
                        bearing(ofTenant(CORP, "globex").issue(), route).context())))
                .as("another tenant's key")
                .isEqualTo(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
        assertThat(reasonOf(stage.evaluate(
                        bearing(ofTenant(CORP, "initech").issue(), route).context())))
                .as("a tenant that is not listed")
                .isEqualTo(Reason.AUTHENTICATE_JWT_ISS_UNKNOWN);
    }

    @Test
    void the_tenants_claim_says_the_same_as_the_issuer() {
        var route = TestIssuer.named("tenants", keys)
                .issuer(TENANTS)
                .tenants("tid", "acme")
                .route();

        for (var token : List.of(
                ofTenant(CORP, "acme").claim("tid", "globex"),
                ofTenant(CORP, "acme").claim("tid", List.of("acme")),
                ofTenant(CORP, "acme").without("tid"))) {
            var denial = denialOf(stage.evaluate(bearing(token.issue(), route).context()));
            assertThat(denial.reason()).isEqualTo(Reason.AUTHENTICATE_JWT_CLAIM_MISSING);
            assertThat(denial.evidence().get(Evidence.Key.DETAIL))
                    .isEqualTo("tenants: tid is not the tenant that iss names");
        }
    }

    @Test
    void a_token_of_any_tenant_is_accepted_where_somebody_wrote_so_and_of_none_that_is_not_one_segment() {
        var asked = new ArrayList<String>();
        var source = FakeJwkSetSource.of(CORP);
        var route = TestIssuer.named("tenants", keys)
                .issuer(TENANTS)
                .tenants("tid")
                .routeOfAnyTenant(tenant -> {
                    asked.add(tenant);
                    return source;
                });

        assertThat(stage.evaluate(
                        bearing(ofTenant(CORP, "Acme-1").issue(), route).context()))
                .isSameAs(Verdict.Pass.PASS);
        assertThat(asked).containsOnly("Acme-1");
        asked.clear();
        for (var tenant : List.of("a/b", "..", "a.b", "", "a%2fb", "x".repeat(65), "{tenant}", "\u00e4")) {
            assertThat(reasonOf(stage.evaluate(
                            bearing(ofTenant(CORP, tenant).issue(), route).context())))
                    .as(tenant)
                    .isEqualTo(Reason.AUTHENTICATE_JWT_ISS_UNKNOWN);
        }
        assertThat(asked).isEmpty();
    }

    static Stream<Arguments> claimsThatNobodyNeeds() {
        return Stream.of(
                // AD FS writes it so.
                arguments("auth_time", "2026-11-22T11:58:30.000Z"),
                arguments("auth_time", true),
                arguments("acr", 1),
                arguments("amr", "pwd"),
                arguments("amr", List.of(7)),
                arguments("scope", Map.of("orders:read", true)),
                arguments("scope", List.of(7)));
    }

    @ParameterizedTest
    @MethodSource("claimsThatNobodyNeeds")
    void a_claim_of_another_type_that_nobody_needs_is_as_good_as_absent(String claim, Object value) {
        var context = bearing(CORP.token().claim(claim, value).issue()).context();

        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);

        var subject = (Principal.Subject) context.principal();
        assertThat(subject.authenticatedAt()).isNull();
        assertThat(subject.acr()).isNull();
        assertThat(subject.amr()).isEmpty();
        assertThat(subject.scopes().isEmpty()).isEqualTo(claim.equals("scope"));
    }

    static Stream<Arguments> differences() {
        return Stream.of(
                arguments(
                        CORP.token().issuer(TestTokens.ISSUER + "/"),
                        "iss is " + TestTokens.ISSUER + "/, and differs from issuer corp only in the slash at the end"),
                arguments(
                        CORP.token().issuer(TestTokens.ISSUER.replace("corp", "Corp")),
                        "iss is https://idp.example.org/realms/Corp, and differs from issuer corp only in the case of letters"),
                arguments(CORP.token().issuer("https://idp.test\r\nx"), "iss is https://idp.test??x"),
                arguments(CORP.token().issuer("x".repeat(300)), "iss is " + "x".repeat(200) + "..."),
                arguments(CORP.token().without("iss"), "iss is absent"),
                arguments(CORP.token().claim("iss", 7), "iss is not a string"),
                arguments(CORP.token().header("alg", "HS256"), "alg is HS256"),
                arguments(CORP.token().header("kid", "next"), "corp: kid next for alg ES256"),
                arguments(CORP.token().type("id+jwt"), "corp: typ is id+jwt"),
                arguments(CORP.token().withoutHeader("typ"), "corp: typ is absent"),
                arguments(CORP.token().audience(List.of("a", "b")), "corp: aud is a, b"),
                arguments(CORP.token().audience(7), "corp: aud is not a string or a list of strings"),
                arguments(CORP.token().without("aud"), "corp: aud is absent"),
                arguments(CORP.token().without("sub"), "corp: sub is absent"),
                arguments(CORP.token().subject(""), "corp: sub is empty"),
                arguments(CORP.token().claim("jti", 7), "corp: jti is not a string"),
                arguments(CORP.token().claim("exp", "soon"), "corp: exp is no point in time"),
                arguments(CORP.token().without("iat"), "corp: iat is absent"),
                arguments(CORP.token().expiresAt(NOW.minusSeconds(40)), "corp"));
    }

    @ParameterizedTest
    @MethodSource("differences")
    void the_record_says_what_differed(TestTokens.Token token, String detail) {
        var denial = denialOf(stage.evaluate(bearing(token.issue()).context()));

        assertThat(denial.evidence().get(Evidence.Key.DETAIL)).isEqualTo(detail);
    }

    @Test
    void the_record_says_which_claim_of_rfc_9068_is_missing() {
        var strict = TestIssuer.with(keys).profile(Profile.RFC9068).route();

        for (var claim : List.of("client_id", "jti")) {
            var denial = denialOf(stage.evaluate(
                    bearing(CORP.token().without(claim).issue(), strict).context()));
            assertThat(denial.evidence().get(Evidence.Key.DETAIL)).isEqualTo("corp: " + claim + " is absent");
        }
    }

    @Test
    void the_record_says_which_client_was_denied() {
        var route = TestIssuer.with(keys).clients("client_id", "web").route();

        assertThat(denialOf(stage.evaluate(bearing(CORP.token().without("aud").issue(), route)
                                .context()))
                        .evidence()
                        .get(Evidence.Key.DETAIL))
                .isEqualTo("corp: client_id is shop");
        assertThat(denialOf(stage.evaluate(bearing(
                                        CORP.token()
                                                .without("aud")
                                                .subject("shop")
                                                .issue(),
                                        route)
                                .context()))
                        .evidence()
                        .get(Evidence.Key.DETAIL))
                .as("of a client that is the subject")
                .isEqualTo("corp: client_id is the subject, and not listed");
    }

    /** T1: a withdrawn key dies with the tokens that it verified. */
    @Test
    void a_withdrawn_key_takes_the_remembered_tokens_with_it() {
        var token = CORP.issue();
        assertThat(stage.evaluate(bearing(token).context())).isSameAs(Verdict.Pass.PASS);

        keys.publish(TestTokens.withNewKey(SignatureAlgorithm.ES256, "next"));

        assertThat(reasonOf(stage.evaluate(bearing(token).context()))).isEqualTo(Reason.AUTHENTICATE_JWT_KID_UNKNOWN);
    }

    @Test
    void another_key_under_the_same_name_takes_the_remembered_tokens_with_it() {
        var token = CORP.issue();
        assertThat(stage.evaluate(bearing(token).context())).isSameAs(Verdict.Pass.PASS);

        keys.publish(TestTokens.withNewKey(SignatureAlgorithm.ES256, CORP.kid()));

        assertThat(reasonOf(stage.evaluate(bearing(token).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
    }

    @Test
    void a_forgery_is_not_held_against_a_token_once_its_key_is_published() {
        var next = TestTokens.withNewKey(SignatureAlgorithm.ES256, CORP.kid());
        var token = next.issue();
        assertThat(reasonOf(stage.evaluate(bearing(token).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);

        keys.publish(next);

        assertThat(stage.evaluate(bearing(token).context())).isSameAs(Verdict.Pass.PASS);
    }

    @Test
    void a_key_that_stays_keeps_the_remembered_tokens() {
        var token = CORP.issue();
        stage.evaluate(bearing(token).context());
        keys.publish(TestTokens.withNewKey(SignatureAlgorithm.ES256, "next"), CORP);
        var context = bearing(token).context();

        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);
    }

    /** T21: base64url has one spelling, so a token has one digest. */
    @Test
    void a_second_spelling_of_a_remembered_token_is_refused() {
        var token = TestTokens.signedWith(SignatureAlgorithm.RS256).issue();
        var route = TestIssuer.with(FakeJwkSetSource.of(TestTokens.signedWith(SignatureAlgorithm.RS256)))
                .route();
        assertThat(stage.evaluate(bearing(token, route).context())).isSameAs(Verdict.Pass.PASS);

        // 256 bytes leave four bits in the last character of which two carry nothing.
        var respelled = token.substring(0, token.length() - 1) + (char) (token.charAt(token.length() - 1) + 1);
        for (var variant : List.of(respelled, token + "=", token + "==", token + "A")) {
            assertThat(reasonOf(stage.evaluate(bearing(variant, route).context())))
                    .isIn(Reason.AUTHENTICATE_JWT_MALFORMED, Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
        }
        assertThat(reasonOf(stage.evaluate(bearing(respelled, route).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_MALFORMED);
    }

    @Test
    void a_key_set_that_cannot_be_had_is_503_and_no_challenge() {
        var route = TestIssuer.with(FakeJwkSetSource.unavailable()).route();

        assertThat(denialOf(stage.evaluate(bearing(CORP.issue(), route).context())))
                .isInstanceOfSatisfying(Denial.Unavailable.class, denial -> {
                    assertThat(denial.reason()).isEqualTo(Reason.AUTHENTICATE_JWKS_UNAVAILABLE);
                    assertThat(denial.status()).isEqualTo(503);
                });
    }

    @Test
    void a_remembered_token_is_not_good_once_the_key_set_is_too_old() {
        var token = CORP.issue();
        assertThat(stage.evaluate(bearing(token).context())).isSameAs(Verdict.Pass.PASS);

        keys.expire();

        assertThat(reasonOf(stage.evaluate(bearing(token).context()))).isEqualTo(Reason.AUTHENTICATE_JWKS_UNAVAILABLE);
    }

    @Test
    void an_unknown_key_is_waited_for_and_found() {
        var next = TestTokens.withNewKey(SignatureAlgorithm.ES256, "next");
        var fetch = Sinks.<JwkSetSource.Refresh.Done>one();
        keys.onRefresh(new JwkSetSource.Refresh.UnderWay(fetch.asMono()));
        var context = bearing(next.issue()).context();

        var verdict = pendingOf(stage.evaluate(context)).toFuture();
        assertThat(verdict).isNotDone();
        assertThat(context.principal()).isEqualTo(Principal.Anonymous.ANONYMOUS);
        keys.publish(CORP, next);
        fetch.tryEmitValue(JwkSetSource.Refresh.Done.FRESH).orThrow();

        assertThat(verdict).isCompletedWithValue(Verdict.Pass.PASS);
        assertThat(context.principal()).isInstanceOf(Principal.Subject.class);
        assertThat(keys.asked()).containsExactly("next");
    }

    @Test
    void an_unknown_key_that_a_fetch_does_not_bring_is_unknown_and_one_that_cannot_be_asked_for_is_503() {
        var stranger =
                TestTokens.withNewKey(SignatureAlgorithm.ES256, "stranger").issue();

        keys.onRefresh(underWay(JwkSetSource.Refresh.Done.FRESH));
        assertThat(settledReasonOf(stage.evaluate(bearing(stranger).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_KID_UNKNOWN);

        keys.onRefresh(underWay(JwkSetSource.Refresh.Done.UNAVAILABLE));
        assertThat(settledReasonOf(stage.evaluate(bearing(stranger).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWKS_UNAVAILABLE);
    }

    @Test
    void no_key_is_asked_for_before_the_token_names_an_issuer_and_an_algorithm_of_the_route() {
        for (var token : List.of(
                CORP.named("x").token().issuer("https://evil.example").issue(),
                CORP.named("x").token().header("alg", "HS256").issue(),
                CORP.named("x").token().header("crit", List.of("exp")).issue())) {
            assertThat(stage.evaluate(bearing(token).context())).isInstanceOf(Verdict.Deny.class);
        }

        assertThat(keys.asked()).isEmpty();
    }

    /** RFC 6750 section 3: the texts are fixed, and nothing of a request is repeated in them (T9). */
    @Test
    void challenges_are_as_rfc_6750_and_rfc_9728_say() {
        assertThat(challengeTo(plain()))
                .isEqualTo("Bearer realm=\"api.example.org\",resource_metadata=\"" + TestIssuer.METADATA + "\"");
        assertThat(challengeTo(bearer(CORP.token().audience("\" evil=\"").issue())))
                .isEqualTo("Bearer realm=\"api.example.org\",error=\"invalid_token\","
                        + "error_description=\"The access token is not valid here\",resource_metadata=\""
                        + TestIssuer.METADATA
                        + "\"");
        assertThat(challengeTo(
                        bearer(CORP.token().expiresAt(NOW.minusSeconds(40)).issue())))
                .contains("error=\"invalid_token\",error_description=\"The access token expired\"");
        assertThat(challengeTo(bearer("x")))
                .contains("error=\"invalid_token\",error_description=\"The access token is malformed\"");
        assertThat(challengeTo(bearer("x".repeat(13_000))))
                .contains("error=\"invalid_token\",error_description=\"The access token is too long\"");
        assertThat(challengeTo(with("Basic eA==").authorization("Bearer x")))
                .contains("error=\"invalid_request\",error_description=\"There is more than one credential\"");
    }

    @Test
    void a_public_route_drops_credentials_unread() {
        var open = Route.builder("health", "api.example.org", Route.Kind.UPSTREAM)
                .makePublic()
                .build();
        var context = with("Bearer " + CORP.token().forge())
                .authorization("Basic eA==")
                .header("DPoP", "proof")
                .header("Proxy-Authorization", "Basic eA==")
                .header("Cookie", "theme=dark")
                .on(open)
                .context();

        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);

        assertThat(context.principal()).isEqualTo(Principal.Anonymous.ANONYMOUS);
        assertThat(context.head().headers().names()).containsExactlyInAnyOrder("Host", "Cookie");
    }

    private JwkSetSource.Refresh underWay(JwkSetSource.Refresh.Done done) {
        return new JwkSetSource.Refresh.UnderWay(Mono.just(done));
    }

    private String challengeTo(FakeRequest request) {
        return switch (denialOf(
                stage.evaluate(request.on(route).snapshot(TestIssuer.SNAPSHOT).context()))) {
            case Denial.Unauthenticated denial -> denial.challenges().getFirst().headerValue();
            case Denial.Rejected denial
            when denial.challenge() != null -> denial.challenge().headerValue();
            case Denial other -> throw new AssertionError("no challenge: " + other);
        };
    }

    private static String pem(byte[] encoded) {
        return "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded)
                + "\n-----END PUBLIC KEY-----\n";
    }

    private FakeRequest bearing(String token) {
        return bearing(token, route);
    }

    private static FakeRequest bearing(String token, Route route) {
        return TestIssuer.get(route).authorization("Bearer " + token);
    }

    private static FakeRequest plain() {
        return FakeRequest.get("/orders/7");
    }

    private static FakeRequest with(String authorization) {
        return plain().authorization(authorization);
    }

    private static FakeRequest bearer(String token) {
        return with("Bearer " + token);
    }

    private static Mono<Verdict.Settled> pendingOf(Verdict verdict) {
        assertThat(verdict).isInstanceOf(Verdict.Pending.class);
        return Resumed.settled(verdict);
    }

    private static Reason settledReasonOf(Verdict verdict) {
        return reasonOf(Objects.requireNonNull(pendingOf(verdict).block()));
    }

    private static Denial denialOf(Verdict verdict) {
        assertThat(verdict).isInstanceOf(Verdict.Deny.class);
        return ((Verdict.Deny) verdict).denial();
    }

    private static Reason reasonOf(Verdict verdict) {
        return denialOf(verdict).reason();
    }
}
