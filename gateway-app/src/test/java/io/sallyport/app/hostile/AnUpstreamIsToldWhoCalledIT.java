// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.sallyport.app.demo.DemoParts;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What an upstream reads of a caller is what the token says, whatever the token says and whatever the client writes beside it. */
@ParameterizedClass
@EnumSource(Way.class)
class AnUpstreamIsToldWhoCalledIT {
    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    @Test
    void claims_become_headers_and_one_element_stays_one() throws Exception {
        var head = head(
                HostileWorld.TOLD + "orders",
                token(Map.of(
                        "email",
                        "alice@example.org",
                        "groups",
                        List.of("a,b", "r\u00e9seau"),
                        "name",
                        "Zo\u00eb, 1",
                        "level",
                        4)));

        assertThat(head)
                .containsOnlyOnce("x-told-subject: " + DemoParts.ACME.toLowerCase(Locale.ROOT) + "\r\n")
                .containsOnlyOnce("x-told-mail: alice@example.org\r\n")
                .containsOnlyOnce("x-told-groups: a%2cb,r%c3%a9seau\r\n")
                .containsOnlyOnce("x-told-name: utf-8''zo%c3%ab%2c%201\r\n")
                .containsOnlyOnce("x-told-tenant: acme\r\n")
                .containsOnlyOnce("x-told-level: 3\r\n");
    }

    @Test
    void a_scalar_with_a_comma_is_one_group() throws Exception {
        assertThat(head(HostileWorld.TOLD + "orders", token(Map.of("groups", "admin,user", "level", 4))))
                .containsOnlyOnce("x-told-groups: admin%2cuser\r\n");
    }

    @Test
    void what_the_token_does_not_say_is_no_header_although_the_client_sent_one() throws Exception {
        var head = head(
                HostileWorld.TOLD + "orders",
                token(Map.of("level", 4)),
                "X-Told-Mail: spoofed",
                "X-TOLD--GROUPS: spoofed",
                "X-Told-Subject: spoofed");

        assertThat(head).doesNotContain("spoofed").doesNotContain("x-told-mail").doesNotContain("x-told-groups");
        assertThat(head).containsOnlyOnce("x-told-subject: ");
    }

    @Test
    void an_expression_that_fails_refuses_and_the_upstream_gets_nothing() throws Exception {
        assertRefused(token(Map.of("level", 0)));
    }

    @Test
    void more_than_four_kilobytes_refuse_and_the_upstream_gets_nothing() throws Exception {
        // Each of these characters is written as nine.
        assertRefused(token(Map.of("level", 4, "groups", List.of("\u5c71".repeat(500)))));
    }

    private void assertRefused(String token) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = world.connect()) {
            var response = connection
                    .write(get(HostileWorld.TOLD + "orders", "Authorization: Bearer " + token))
                    .read();

            assertThat(response.status()).isEqualTo(403);
            assertThat(response.body()).doesNotContain("told");
        }
        assertThat(world.upstream().since(mark)).isEmpty();
        world.requireOneNeighbourUnharmed(way);
    }

    @Test
    void signed_tokens_say_the_same_and_verify_by_the_keys_that_the_gateway_publishes() throws Exception {
        var head = rawHead(
                HostileWorld.TOLD + "orders",
                token(Map.of("level", 4, "groups", List.of("a", "b"))),
                "X-Sallyport-Assertion: spoofed");
        JWKSet keys;
        try (var connection = world.connect()) {
            keys = JWKSet.parse(connection
                    .write("GET /.well-known/sallyport/jwks.json HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(way.host()))
                    .read()
                    .body());
        }

        var assertion = verified(head, "x-sallyport-assertion", "sallyport-assertion+jwt", keys);
        assertThat(assertion.getAudience()).containsExactly(DemoParts.PAYMENTS_ID.toString());
        assertThat(assertion.getIssuer()).isEqualTo(DemoParts.GATEWAY_ID.toString());
        assertThat(assertion.getStringListClaim("groups")).containsExactly("a", "b");
        var transaction = verified(head, "txn-token", "txntoken+jwt", keys);
        assertThat(transaction.getStringClaim("req_wl")).isEqualTo(DemoParts.GATEWAY_ID.toString());
        assertThat(transaction.getStringClaim("txn")).isEqualTo(field(head, "x-request-id"));
        assertThat(transaction.getSubject()).isEqualTo(assertion.getSubject());
    }

    private static JWTClaimsSet verified(String head, String name, String type, JWKSet keys) throws Exception {
        var token = SignedJWT.parse(field(head, name));
        assertThat(token.getHeader().getType().getType()).isEqualTo(type);
        var key = keys.getKeyByKeyId(token.getHeader().getKeyID());
        assertThat(token.verify(new ECDSAVerifier(key.toECKey()))).isTrue();
        return token.getJWTClaimsSet();
    }

    private static String field(String head, String name) {
        var values = head.lines()
                .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(name + ": "))
                .toList();
        assertThat(values).as(name).hasSize(1);
        return values.getFirst().substring(name.length() + 2);
    }

    @Test
    void a_transaction_token_from_outside_is_refused() throws Exception {
        int mark = world.upstream().mark();
        try (var connection = world.connect()) {
            assertThat(connection
                            .write(get(world.target(), "Txn-Token: a.b.c"))
                            .read()
                            .status())
                    .isEqualTo(400);
        }
        assertThat(world.upstream().since(mark)).isEmpty();
    }

    @Test
    void only_a_route_that_says_so_lets_a_client_write_such_a_header() throws Exception {
        var fields = new String[] {"X-Tenant-ID: mine", "X-Told-Subject: mine", "X-User: mine"};

        assertThat(head("/accepting/orders", fields))
                .contains("x-tenant-id: mine\r\n", "x-told-subject: mine\r\n")
                .doesNotContain("x-user");
        assertThat(head(world.target(), fields)).doesNotContain("mine");
    }

    // public routes whose upstream authenticates by itself

    @Test
    void an_open_route_leaves_its_upstream_the_credentials_that_it_lists() throws Exception {
        assertThat(head("/own/orders", "Authorization: Basic YTpi", "Cookie: session=1; other=2", "DPoP: proof"))
                .containsOnlyOnce("authorization: basic ytpi\r\n")
                .containsOnlyOnce("cookie: session=1\r\n")
                .doesNotContain("other=2")
                .doesNotContain("dpop");
    }

    @Test
    void a_token_of_an_issuer_of_the_gateway_does_not_reach_it() throws Exception {
        var token = token(Map.of());

        for (var scheme : List.of("Bearer", "Token")) {
            assertThat(head("/own/orders", "Authorization: %s %s".formatted(scheme, token), "Cookie: session=1"))
                    .doesNotContain("authorization")
                    .contains("cookie: session=1\r\n");
        }
    }

    @Test
    void an_open_route_that_says_nothing_leaves_its_upstream_none() throws Exception {
        assertThat(head(world.target(), "Authorization: Basic YTpi", "Cookie: session=1"))
                .doesNotContain("authorization")
                .doesNotContain("cookie");
    }

    // where the request came from

    @Test
    void the_prefix_that_a_filter_stripped_is_told() throws Exception {
        assertThat(head("/api/v1/orders", "X-Forwarded-Prefix: /evil"))
                .containsOnlyOnce("x-forwarded-prefix: /api/v1\r\n")
                .doesNotContain("evil");
        assertThat(head(world.target(), "X-Forwarded-Prefix: /evil")).doesNotContain("x-forwarded-prefix");
    }

    private static String token(Map<String, Object> claims) {
        return world.token(new HashMap<>(claims));
    }

    /** The head of the request that the upstream got, in lower case. */
    private String head(String target, String... fields) throws Exception {
        return rawHead(target, fields).toLowerCase(Locale.ROOT);
    }

    private String rawHead(String target, String... fields) throws Exception {
        var all = Arrays.stream(fields)
                .map(field -> field.indexOf(':') < 0 ? "Authorization: Bearer " + field : field)
                .toArray(String[]::new);
        int mark = world.upstream().mark();
        try (var connection = world.connect()) {
            assertThat(connection.write(get(target, all)).read().status()).isEqualTo(200);
        }
        return world.upstream().since(mark).getFirst().head();
    }

    private String get(String target, String... fields) {
        return new Attack("", Attack.get(fields)).filledIn(target, way);
    }
}
