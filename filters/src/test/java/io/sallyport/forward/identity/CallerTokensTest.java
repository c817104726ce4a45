// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jwt.SignedJWT;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.TestCa;
import io.sallyport.identity.FakeSubject;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Route;
import io.spiffe.spiffeid.SpiffeId;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the gateway signs of a caller, and for whom. */
class CallerTokensTest {
    private static final Route ROUTE =
            Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM).build();

    @TempDir
    private Path folder;

    private final TestCa ca = TestCa.of("example.org");
    private final FakeSvidSource identities = new FakeSvidSource();
    private final HttpHeaders out = new DefaultHttpHeaders();

    @SuppressWarnings("NullAway.Init") // before each test
    private TokenIssuer issuer;

    @BeforeEach
    void open() throws Exception {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        var file = Files.writeString(
                folder.resolve("key.pem"),
                "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
                        .formatted(Base64.getMimeEncoder()
                                .encodeToString(
                                        generator.generateKeyPair().getPrivate().getEncoded())));
        identities.hold(ca.issue("/ns/edge/sa/gateway"), ca.bundle());
        issuer = new TokenIssuer(
                SigningKeys.open(
                        List.of(file), CryptoProvider.detect().orNull(), InstantSource.system(), Duration.ofMinutes(1)),
                null,
                identities);
    }

    @AfterEach
    void close() {
        issuer.close();
    }

    @Test
    void an_assertion_says_who_called_whom_and_for_how_long() throws Exception {
        var caller =
                FakeSubject.alice().claim("tenant", "acme").claim("other", "x").build();

        assertThat(write(assertion(List.of("tenant", "absent")), caller)).isNull();

        var token = verified("x-sallyport-assertion", "sallyport-assertion+jwt");
        var claims = token.getJWTClaimsSet();
        assertThat(claims.getIssuer()).isEqualTo("spiffe://example.org/ns/edge/sa/gateway");
        assertThat(claims.getSubject()).isEqualTo("alice");
        assertThat(claims.getAudience()).containsExactly("spiffe://example.org/orders");
        assertThat(claims.getIssueTime()).isEqualTo(Date.from(FakeRequest.NOW));
        assertThat(claims.getExpirationTime()).isEqualTo(Date.from(FakeRequest.NOW.plusSeconds(60)));
        assertThat(claims.getJWTID()).isEqualTo("019a0000-0000-7000-8000-000000000001");
        assertThat(claims.getStringClaim("client_id")).isEqualTo("shop");
        assertThat(claims.getStringClaim("origin_iss")).isEqualTo(FakeSubject.ISSUER);
        assertThat(claims.getStringClaim("route")).isEqualTo("orders");
        assertThat(claims.getStringClaim("tenant")).isEqualTo("acme");
        assertThat(claims.getClaims()).doesNotContainKeys("other", "absent");
    }

    @Test
    void no_token_outlives_the_callers_own_credential() throws Exception {
        var svid = new Principal.Workload(SpiffeId.parse("spiffe://example.org/batch"), FakeRequest.NOW.plusSeconds(7));

        assertThat(write(
                        new CallerTokens(
                                List.of("a"), config(List.of()), new TxnTokenConfig(Duration.ofSeconds(60)), List.of()),
                        svid))
                .isNull();

        for (var header : Map.of("x-sallyport-assertion", "sallyport-assertion+jwt", "txn-token", "txntoken+jwt")
                .entrySet()) {
            var claims = verified(header.getKey(), header.getValue()).getJWTClaimsSet();
            assertThat(claims.getSubject()).isEqualTo("spiffe://example.org/batch");
            assertThat(claims.getExpirationTime()).isEqualTo(Date.from(FakeRequest.NOW.plusSeconds(7)));
        }
    }

    @Test
    void a_transaction_token_is_for_the_trust_domain_and_says_what_is_done() throws Exception {
        var tokens = new CallerTokens(
                List.of(), null, new TxnTokenConfig(Duration.ofSeconds(60)), List.of("orders.read", "orders.write"));

        assertThat(write(tokens, FakeSubject.alice().build())).isNull();

        var claims = verified("txn-token", "txntoken+jwt").getJWTClaimsSet();
        assertThat(claims.getAudience()).containsExactly("example.org");
        assertThat(claims.getStringClaim("txn")).isEqualTo("019a0000-0000-7000-8000-000000000001");
        assertThat(claims.getSubject()).isEqualTo("alice");
        assertThat(claims.getStringClaim("scope")).isEqualTo("orders.read orders.write");
        assertThat(claims.getStringClaim("req_wl")).isEqualTo("spiffe://example.org/ns/edge/sa/gateway");
        assertThat(claims.getJSONObjectClaim("rctx")).containsKeys("req_ip").containsEntry("authn", "bearer");
        assertThat(claims.getJSONObjectClaim("tctx"))
                .containsEntry("route", "orders")
                .containsEntry("method", "GET")
                .containsEntry("resource", Map.of("tenant", "acme"));
        assertThat(out.contains("x-sallyport-assertion")).isFalse();
    }

    @Test
    void nothing_is_signed_for_nobody() {
        assertThat(write(assertion(List.of()), Principal.Anonymous.ANONYMOUS)).isNull();

        assertThat(out).isEmpty();
    }

    @Test
    void without_a_name_of_its_own_the_gateway_signs_nothing_and_refuses() {
        identities.withdraw();

        assertRefused(write(assertion(List.of()), FakeSubject.alice().build()), Reason.FORWARD_SVID_MISSING);
    }

    @Test
    void an_assertion_of_more_than_four_kilobytes_is_refused() {
        var caller = FakeSubject.alice().claim("groups", "x".repeat(4_000)).build();

        assertRefused(write(assertion(List.of("groups")), caller), Reason.FORWARD_IDENTITY_TOO_LARGE);
    }

    private static void assertRefused(@Nullable Denial denial, Reason reason) {
        assertThat(Objects.requireNonNull(denial).reason()).isEqualTo(reason);
    }

    private static CallerTokens assertion(List<String> claims) {
        return new CallerTokens(List.of("spiffe://example.org/orders"), config(claims), null, List.of());
    }

    private static AssertionConfig config(List<String> claims) {
        return new AssertionConfig(null, claims, Duration.ofSeconds(60));
    }

    private @Nullable Denial write(CallerTokens tokens, Principal caller) {
        return tokens.write(
                FakeRequest.get("/v1/acme/orders")
                        .on(ROUTE)
                        .pathVariables(Map.of("tenant", "acme"))
                        .by(caller)
                        .context(),
                issuer,
                out);
    }

    private SignedJWT verified(String header, String type) throws Exception {
        var token = SignedJWT.parse(out.get(header));
        var keys = JWKSet.parse(new String(issuer.keySet(), StandardCharsets.UTF_8));
        var key = keys.getKeyByKeyId(token.getHeader().getKeyID());
        assertThat(token.verify(new ECDSAVerifier(key.toECKey()))).isTrue();
        assertThat(token.getHeader().getType().getType()).isEqualTo(type);
        assertThat(token.getHeader().getAlgorithm().getName()).isEqualTo("ES256");
        return token;
    }
}
