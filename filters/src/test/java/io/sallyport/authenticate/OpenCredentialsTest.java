// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.keys.NoKeys;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a public route leaves to an upstream that authenticates by itself. */
class OpenCredentialsTest {
    private static final String OURS = jws("{\"alg\":\"RS256\"}", "{\"iss\":\"%s\"}".formatted(TestTokens.ISSUER));
    private static final String THEIRS = jws("{\"alg\":\"RS256\"}", "{\"iss\":\"https://grafana.example.org\"}");

    private final Issuer issuer = TestIssuer.with(NoKeys.NO_KEYS).compile();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Basic YWxpY2U6c2VjcmV0",
                "Bearer glsa_opaque",
                "Token abc",
                "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host"
            })
    void the_upstreams_own_credentials_pass_unread(String authorization) {
        assertThat(left(authorization)).isEqualTo(authorization);
    }

    @Test
    void so_does_a_token_of_an_issuer_that_the_gateway_does_not_know() {
        assertThat(left("Bearer " + THEIRS)).isEqualTo("Bearer " + THEIRS);
    }

    @Test
    void a_token_of_an_issuer_that_the_gateway_knows_is_removed_whatever_the_scheme() {
        for (var scheme : List.of("Bearer ", "bearer  ", "DPoP ", "Token token=\"", "JWT,")) {
            assertThat(left(scheme + OURS)).as(scheme).isNull();
        }
    }

    @Test
    void so_is_a_token_of_a_tenant_that_the_gateway_admits_and_no_other_tenants() {
        var tenants = TestIssuer.with(NoKeys.NO_KEYS)
                .issuer("https://idp.example.org/{tid}/v2.0")
                .tenants("tid", "acme")
                .compile();
        var credentials = new OpenCredentials(true, List.of(), List.of(tenants));

        assertThat(left(credentials, "Bearer " + of("https://idp.example.org/acme/v2.0")))
                .isNull();
        assertThat(left(credentials, "Bearer " + of("https://idp.example.org/globex/v2.0")))
                .isNotNull();
    }

    private static String of(String issuer) {
        return jws("{\"alg\":\"RS256\"}", "{\"iss\":\"%s\"}".formatted(issuer));
    }

    @Test
    void a_token_of_which_nobody_can_tell_whose_it_is_is_removed() {
        // Encrypted, and with a header that is never read here.
        assertThat(left("Bearer a.b.c.d.e")).isNull();
        assertThat(left("Bearer " + jws("{\"alg\":\"RS256\",\"x5c\":[]}", "{}")))
                .isNull();
    }

    @Test
    void of_several_fields_none_passes() {
        var headers = new DefaultHttpHeaders().add("Authorization", "Basic a").add("Authorization", "Basic b");

        credentials(true).leaveOnlyThese(headers);

        assertThat(headers).isEmpty();
    }

    @Test
    void only_the_cookies_that_are_listed_pass() {
        var headers = new DefaultHttpHeaders()
                .add("Authorization", "Basic a")
                .add("DPoP", "proof")
                .add("Proxy-Authorization", "Basic a")
                .add("Cookie", "session=1; Session=2;  theme = dark; xsession=3")
                .add("Cookie", "session=4;=5;session");

        credentials(false, "session", "theme").leaveOnlyThese(headers);

        assertThat(headers).hasSize(1);
        assertThat(headers.getAll("Cookie")).containsExactly("session=1; theme = dark; session=4");
    }

    @Test
    void without_a_listed_cookie_there_is_no_field() {
        var headers = new DefaultHttpHeaders().add("Cookie", "other=1");

        credentials(true).leaveOnlyThese(headers);

        assertThat(headers).isEmpty();
    }

    private @Nullable String left(String authorization) {
        return left(credentials(true), authorization);
    }

    private static @Nullable String left(OpenCredentials credentials, String authorization) {
        HttpHeaders headers = new DefaultHttpHeaders().add("Authorization", authorization);
        credentials.leaveOnlyThese(headers);
        return headers.get("Authorization");
    }

    private OpenCredentials credentials(boolean authorization, String... cookies) {
        return new OpenCredentials(authorization, List.of(cookies), List.of(issuer));
    }

    private static String jws(String header, String claims) {
        var encoder = Base64.getUrlEncoder().withoutPadding();
        return encoder.encodeToString(header.getBytes(StandardCharsets.UTF_8)) + "."
                + encoder.encodeToString(claims.getBytes(StandardCharsets.UTF_8)) + ".c2ln";
    }
}
