// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.crypto.factories.DefaultJWSVerifierFactory;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import reactor.netty.resources.LoopResources;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Over its own HTTPS, with a client that trusts its root and nothing else. */
class DemoIssuerTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final LoopResources LOOPS = LoopResources.create("demo-issuer-test", 1, true);
    private static final DemoCertificateAuthority AUTHORITY =
            DemoCertificateAuthority.ofServers("test", InstantSource.system());

    private static DemoIssuer issuer;
    private static HttpClient client;

    @BeforeAll
    static void start() {
        issuer = DemoIssuer.start(
                new DemoIssuer.Endpoint("localhost", "127.0.0.1", FreePort.find(), LOOPS),
                DemoTls.server(AUTHORITY.server(List.of("localhost"), Duration.ofHours(1))),
                List.of(
                        new DemoIssuer.Client(
                                "acme-app",
                                "acme",
                                Set.of("a:read", "a:write"),
                                "phr",
                                "compliant",
                                JWSAlgorithm.ES256),
                        new DemoIssuer.Client(
                                "acme-old", "acme", Set.of("a:read"), "pwd", "unknown", JWSAlgorithm.RS256)),
                List.of("https://api.test", "https://other.test"),
                InstantSource.fixed(NOW));
        client = DemoHttp.clientTrusting(AUTHORITY.root());
    }

    @AfterAll
    static void stop() {
        client.close();
        issuer.close();
        LOOPS.dispose();
    }

    @Test
    void discovery_names_the_issuer_exactly_and_where_the_keys_are() throws Exception {
        var document = json(get("/.well-known/openid-configuration"));

        assertThat(document.get("issuer").asString()).isEqualTo(issuer.issuer().toString());
        assertThat(document.get("jwks_uri").asString()).isEqualTo(issuer.issuer() + "/jwks");
    }

    @Test
    void a_token_is_signed_by_a_published_key_and_says_what_the_client_is() throws Exception {
        var answer = token("acme-app", "grant_type=client_credentials");

        var jwt = SignedJWT.parse(json(answer).get("access_token").asString());
        assertThat(jwt.getHeader().getType().getType()).isEqualTo("at+jwt");
        assertThat(jwt.getHeader().getAlgorithm()).isEqualTo(JWSAlgorithm.ES256);
        assertThat(verifies(jwt)).isTrue();
        var claims = jwt.getJWTClaimsSet();
        assertThat(claims.getIssuer()).isEqualTo(issuer.issuer().toString());
        assertThat(claims.getAudience()).containsExactly("https://api.test");
        assertThat(claims.getExpirationTime()).isEqualTo(Date.from(NOW.plus(DemoIssuer.TOKEN_LIFETIME)));
        assertThat(claims.getStringClaim("tenant_id")).isEqualTo("acme");
        assertThat(claims.getStringClaim("scope")).isEqualTo("a:read a:write");
        assertThat(claims.getStringClaim("acr")).isEqualTo("phr");
        assertThat(claims.getStringClaim("device_posture")).isEqualTo("compliant");
    }

    @Test
    void a_client_may_have_its_tokens_signed_with_rsa() throws Exception {
        var jwt = SignedJWT.parse(json(token("acme-old", "grant_type=client_credentials"))
                .get("access_token")
                .asString());

        assertThat(jwt.getHeader().getAlgorithm()).isEqualTo(JWSAlgorithm.RS256);
        assertThat(verifies(jwt)).isTrue();
    }

    @Test
    void a_token_can_be_for_another_audience_for_less_and_issued_in_the_past() throws Exception {
        var answer = token(
                "acme-app",
                "grant_type=client_credentials&scope=a%3Aread&resource=https%3A%2F%2Fother.test&demo_issued_ago=3600");

        var claims =
                SignedJWT.parse(json(answer).get("access_token").asString()).getJWTClaimsSet();
        assertThat(claims.getAudience()).containsExactly("https://other.test");
        assertThat(claims.getStringClaim("scope")).isEqualTo("a:read");
        assertThat(claims.getIssueTime()).isEqualTo(Date.from(NOW.minus(Duration.ofHours(1))));
    }

    @Test
    void who_asks_wrongly_is_told_why_in_the_words_of_oauth() throws Exception {
        assertThat(error(token("nobody", "grant_type=client_credentials"))).isEqualTo("401 invalid_client");
        assertThat(error(token("acme-app", "grant_type=password"))).isEqualTo("400 unsupported_grant_type");
        assertThat(error(token("acme-app", "grant_type=client_credentials&scope=b")))
                .isEqualTo("400 invalid_scope");
        assertThat(error(token("acme-app", "grant_type=client_credentials&resource=https%3A%2F%2Fx.test")))
                .isEqualTo("400 invalid_target");
        assertThat(error(token("acme-app", "grant_type=client_credentials&demo_issued_ago=-1")))
                .isEqualTo("400 invalid_request");
        assertThat(error(token("acme-app", "grant_type=client_credentials&pad=" + "x".repeat(9000))))
                .isEqualTo("400 invalid_request");
    }

    @Test
    void an_unchanged_key_set_is_not_sent_again() throws Exception {
        var first = get("/jwks");
        var etag = first.headers().firstValue("ETag").orElseThrow();

        var second = client.send(
                request("/jwks").header("If-None-Match", etag).build(), HttpResponse.BodyHandlers.ofString());

        assertThat(first.headers().firstValue("Cache-Control")).contains("public, max-age=60");
        assertThat(second.statusCode()).isEqualTo(304);
        assertThat(second.body()).isEmpty();
    }

    @Test
    void after_a_rotation_old_tokens_still_verify_until_the_former_keys_are_withdrawn() throws Exception {
        var old = SignedJWT.parse(issuer.mint("acme-app", "https://api.test"));

        issuer.rotateKeys();

        var renewed = SignedJWT.parse(issuer.mint("acme-app", "https://api.test"));
        assertThat(renewed.getHeader().getKeyID()).isNotEqualTo(old.getHeader().getKeyID());
        assertThat(verifies(old)).isTrue();
        assertThat(verifies(renewed)).isTrue();

        issuer.withdrawFormerKeys();

        assertThat(verifies(old)).isFalse();
        assertThat(verifies(renewed)).isTrue();
    }

    @Test
    void a_key_set_never_contains_a_private_key() throws Exception {
        assertThat(get("/jwks").body()).doesNotContain("\"d\"", "\"p\"", "\"q\"");
    }

    private static boolean verifies(SignedJWT jwt) throws Exception {
        var key =
                JWKSet.parse(get("/jwks").body()).getKeyByKeyId(jwt.getHeader().getKeyID());
        if (key == null) {
            return false;
        }
        var material = key.getKeyType().getValue().equals("EC")
                ? key.toECKey().toPublicKey()
                : key.toRSAKey().toPublicKey();
        return jwt.verify(new DefaultJWSVerifierFactory().createJWSVerifier(jwt.getHeader(), material));
    }

    private static String error(HttpResponse<String> response) {
        return response.statusCode() + " " + json(response).get("error").asString();
    }

    private static JsonNode json(HttpResponse<String> response) {
        return new JsonMapper().readTree(response.body());
    }

    private static HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpResponse<String> token(String clientId, String form) throws IOException, InterruptedException {
        var basic = Base64.getEncoder()
                .encodeToString((clientId + ":" + DemoIssuer.CLIENT_SECRET).getBytes(StandardCharsets.UTF_8));
        return client.send(
                request("/token")
                        .header("Authorization", "Basic " + basic)
                        .header("Content-Type", "application/x-www-form-urlencoded")
                        .POST(HttpRequest.BodyPublishers.ofString(form))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(issuer.issuer() + path)).timeout(Duration.ofSeconds(10));
    }
}
