// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.token.ClaimReading;
import io.sallyport.authenticate.token.IntrospectionResponse;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Resumed;
import io.sallyport.pipeline.Route;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Callers with tokens that only the issuer can read. */
class OpaqueTokenCallersTest {
    private static final Instant NOW = FakeRequest.NOW;
    private static final String TOKEN = "2YotnFZFEjr1zCsicMWpAA";
    private static final TestTokens CORP = TestTokens.es256();

    private final AuthenticateStage stage =
            new AuthenticateStage(TestIssuer.STAGE, () -> null, new SimpleMeterRegistry());
    private final FakeOpaqueTokenSource source = new FakeOpaqueTokenSource();
    private final Route route =
            TestIssuer.with(FakeJwkSetSource.of(CORP)).introspecting(source).route();

    /** A response of an issuer that says all that is asked for (RFC 7662 section 2.2). */
    private static Map<String, @Nullable Object> response() {
        var response = new LinkedHashMap<String, @Nullable Object>();
        response.put("active", true);
        response.put("iss", TestTokens.ISSUER);
        response.put("sub", "alice");
        response.put("aud", TestTokens.AUDIENCE);
        response.put("client_id", "shop");
        response.put("token_type", "Bearer");
        response.put("scope", "orders:read");
        response.put("iat", NOW.minusSeconds(60).getEpochSecond());
        response.put("exp", NOW.plusSeconds(540).getEpochSecond());
        return response;
    }

    private static Map<String, @Nullable Object> with(String member, @Nullable Object value) {
        var response = response();
        response.put(member, value);
        return response;
    }

    private static Map<String, @Nullable Object> without(String member) {
        var response = response();
        response.remove(member);
        return response;
    }

    @Test
    void an_active_token_makes_its_subject_the_principal() {
        source.answer(TOKEN, response());
        var context = bearing(TOKEN);

        assertThat(settled(stage.evaluate(context))).isSameAs(Verdict.Pass.PASS);

        assertThat(context.principal()).isInstanceOfSatisfying(Principal.Subject.class, subject -> {
            assertThat(subject.issuerName()).isEqualTo("corp");
            assertThat(subject.issuer()).isEqualTo(TestTokens.ISSUER);
            assertThat(subject.subject()).isEqualTo("alice");
            assertThat(subject.clientId()).isEqualTo("shop");
            assertThat(subject.scopes()).containsExactly("orders:read");
            assertThat(subject.expiresAt()).isEqualTo(NOW.plusSeconds(540));
        });
    }

    static Stream<Arguments> refusals() {
        return Stream.of(
                arguments("not active", with("active", false), Reason.AUTHENTICATE_TOKEN_INACTIVE),
                arguments("no iss", without("iss"), Reason.AUTHENTICATE_JWT_ISS_UNKNOWN),
                arguments("another iss", with("iss", "https://x.example"), Reason.AUTHENTICATE_JWT_ISS_UNKNOWN),
                arguments("no aud", without("aud"), Reason.AUTHENTICATE_JWT_AUD_MISMATCH),
                arguments("another aud", with("aud", List.of("x")), Reason.AUTHENTICATE_JWT_AUD_MISMATCH),
                arguments("no exp", without("exp"), Reason.AUTHENTICATE_JWT_EXP_MISSING),
                arguments("an exp that is none", with("exp", "1"), Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments("expired", with("exp", NOW.getEpochSecond() - 31), Reason.AUTHENTICATE_JWT_EXPIRED),
                arguments("not yet", with("nbf", NOW.getEpochSecond() + 31), Reason.AUTHENTICATE_JWT_NOT_YET_VALID),
                arguments("no iat", without("iat"), Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments(
                        "a life without end",
                        with("exp", NOW.plus(Duration.ofHours(25)).getEpochSecond()),
                        Reason.AUTHENTICATE_JWT_LIFETIME_EXCEEDED),
                arguments("no sub", without("sub"), Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments("a client that is none", with("client_id", 7), Reason.AUTHENTICATE_JWT_CLAIM_MISSING),
                arguments("bound to a key", with("cnf", Map.of("jkt", "x")), Reason.AUTHENTICATE_BINDING_UNSUPPORTED),
                arguments("a DPoP token", with("token_type", "DPoP"), Reason.AUTHENTICATE_BINDING_UNSUPPORTED),
                arguments("a type that is none", with("token_type", 7), Reason.AUTHENTICATE_BINDING_UNSUPPORTED));
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("refusals")
    void what_the_issuer_says_is_judged_as_the_claims_of_a_jwt_are(
            String what, Map<String, Object> response, Reason reason) {
        source.answer(TOKEN, response).remembering();
        var context = bearing(TOKEN);

        assertThat(reasonOf(stage.evaluate(context))).isEqualTo(reason);
        // Once more: what is remembered must not change the answer.
        assertThat(reasonOf(stage.evaluate(context))).isEqualTo(reason);
        assertThat(context.principal()).isSameAs(Principal.Anonymous.ANONYMOUS);
        assertThat(source.asked()).hasSize(1);
    }

    @Test
    void an_issuer_that_cannot_be_asked_is_our_fault_and_never_a_pass() {
        source.unavailable(TOKEN);

        var verdict = settled(stage.evaluate(bearing(TOKEN)));

        assertThat(reasonOf(verdict)).isEqualTo(Reason.AUTHENTICATE_INTROSPECTION_UNAVAILABLE);
        assertThat(((Verdict.Deny) verdict).denial())
                .isInstanceOfSatisfying(
                        Denial.Unavailable.class,
                        denial -> assertThat(denial.retryAfter()).isPositive());
    }

    @Test
    void what_is_known_is_answered_from_memory() {
        source.answer(TOKEN, response()).remembering();
        settled(stage.evaluate(bearing(TOKEN)));

        assertThat(stage.evaluate(bearing(TOKEN))).isSameAs(Verdict.Pass.PASS);
        assertThat(source.asked()).containsExactly(TOKEN);
    }

    @Test
    void where_the_issuers_keys_are_written_a_jwt_is_never_asked_about_good_or_bad() {
        var both = TestIssuer.with(FakeJwkSetSource.of(CORP))
                .introspecting(source)
                .jwksUri(URI.create("https://idp.example.org/jwks"))
                .route();

        assertThat(stage.evaluate(TestIssuer.get(both)
                        .authorization("Bearer " + CORP.issue())
                        .context()))
                .isSameAs(Verdict.Pass.PASS);
        for (var shaped : List.of(CORP.token().forge(), "a.b.c", "a.b.", "e30.e30.e30", "a..")) {
            assertThat(settled(stage.evaluate(TestIssuer.get(both)
                            .authorization("Bearer " + shaped)
                            .context())))
                    .as(shaped)
                    .isInstanceOf(Verdict.Deny.class);
        }
        assertThat(source.asked()).isEmpty();
    }

    @Test
    void where_they_are_not_a_jwt_that_says_it_is_the_issuers_is_asked_about_and_believed_in_nothing() {
        var jwt = CORP.token().claim("sub", "mallory").issue();
        source.answer(jwt, response());
        var context = bearing(jwt);

        assertThat(settled(stage.evaluate(context))).isSameAs(Verdict.Pass.PASS);
        assertThat(((Principal.Subject) context.principal()).subject()).isEqualTo("alice");
        assertThat(reasonOf(stage.evaluate(bearing(CORP.token().forge()))))
                .isEqualTo(Reason.AUTHENTICATE_TOKEN_INACTIVE);
        assertThat(source.asked()).hasSize(2);
    }

    @Test
    void what_has_the_form_of_a_jws_and_is_not_the_issuers_is_not_asked_about() {
        assertThat(reasonOf(stage.evaluate(
                        bearing(CORP.token().claim("iss", "https://x.example").issue()))))
                .isEqualTo(Reason.AUTHENTICATE_JWT_ISS_UNKNOWN);
        for (var shaped : List.of("a.b.c", "a.b.", "e30.e30.e30", "a..")) {
            assertThat(settled(stage.evaluate(bearing(shaped)))).as(shaped).isInstanceOf(Verdict.Deny.class);
        }
        assertThat(source.asked()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"opaque", "a.b", "a.b.c.d", "a.b.c.d.e", ".b.c", "ab+/~", "YWI=", "YQ==", "a.b.c="})
    void what_has_not_the_form_of_a_jws_is_asked_about(String token) {
        assertThat(reasonOf(stage.evaluate(bearing(token)))).isEqualTo(Reason.AUTHENTICATE_TOKEN_INACTIVE);
        assertThat(source.asked()).containsExactly(token);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "a,b", "a\"b", "a&token=b", "a%62", "=", "a=b", "\u00e4"})
    void what_is_no_token_is_not_asked_about(String token) {
        assertThat(reasonOf(stage.evaluate(bearing(token)))).isEqualTo(Reason.AUTHENTICATE_JWT_MALFORMED);
        assertThat(source.asked()).isEmpty();
    }

    @Test
    void on_a_route_whose_issuers_are_not_asked_an_opaque_token_is_malformed() {
        var jwts = TestIssuer.with(FakeJwkSetSource.of(CORP)).route();

        assertThat(reasonOf(stage.evaluate(
                        TestIssuer.get(jwts).authorization("Bearer " + TOKEN).context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_MALFORMED);
    }

    /** It would have to be shown to both. */
    @Test
    void where_no_route_matches_on_a_host_with_two_such_issuers_nobody_is_asked() {
        var one = TestIssuer.accepting(
                List.of(),
                null,
                TestIssuer.with(new FakeJwkSetSource()).introspecting(source).compile());
        var other = TestIssuer.accepting(
                List.of(),
                null,
                TestIssuer.named("other", new FakeJwkSetSource())
                        .issuer("https://other.example.org")
                        .introspecting(source)
                        .compile());
        var unmatched =
                TestIssuer.route(AcceptedTokens.unmatched(List.of(one, other), TestIssuer.METADATA, "api.example.org"));

        assertThat(reasonOf(stage.evaluate(TestIssuer.get(unmatched)
                        .authorization("Bearer " + TOKEN)
                        .context())))
                .isEqualTo(Reason.AUTHENTICATE_JWT_MALFORMED);
        assertThat(source.asked()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "true",
                "{}",
                "{\"active\":\"true\"}",
                "{\"active\":1}",
                "{\"active\":null}",
                "{\"active\":true,\"active\":false}",
                "{\"active\":true} x"
            })
    void what_does_not_say_active_in_so_many_words_says_nothing(String response) {
        assertThat(IntrospectionResponse.parse(
                        response.getBytes(StandardCharsets.UTF_8),
                        new ClaimReading("corp", TestTokens.ISSUER, null, null, null)))
                .isNull();
    }

    private RequestContext bearing(String token) {
        return TestIssuer.get(route).authorization("Bearer " + token).context();
    }

    private static Verdict settled(Verdict verdict) {
        return Objects.requireNonNull(Resumed.settled(verdict).block());
    }

    private static Reason reasonOf(Verdict verdict) {
        return ((Verdict.Deny) settled(verdict)).denial().reason();
    }
}
