// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a challenge says of itself, and what the resource that was asked for adds. */
class ChallengeTest {
    private static final String METADATA = "https://api.example.org/.well-known/oauth-protected-resource";
    private static final ProtectedResource ORDERS =
            ProtectedResource.of("api.example.org", URI.create(METADATA), List.of("orders:read", "orders:write"));
    private static final ProtectedResource ANY =
            ProtectedResource.of("api.example.org", URI.create(METADATA), List.of());

    @Test
    void one_that_knows_no_resource_gets_realm_scope_and_metadata() {
        var challenge = Challenge.bearer(Map.of("error", "invalid_token"));

        assertThat(challenge.headerValue(ORDERS, "/v1/orders/7"))
                .isEqualTo(
                        "Bearer realm=\"api.example.org\",error=\"invalid_token\",scope=\"orders:read orders:write\","
                                + "resource_metadata=\"" + METADATA + "/v1/orders/7\"");
    }

    @Test
    void one_that_knows_its_host_gets_the_path_that_was_asked_for() {
        var parameters = new LinkedHashMap<String, String>();
        parameters.put("realm", "api.example.org");
        parameters.put("resource_metadata", METADATA);
        var challenge = Challenge.bearer(parameters);

        assertThat(challenge.headerValue(ORDERS, "/v1"))
                .isEqualTo("Bearer realm=\"api.example.org\",resource_metadata=\"" + METADATA
                        + "/v1\",scope=\"orders:read orders:write\"");
        assertThat(challenge.headerValue(ANY, "/v1"))
                .isEqualTo("Bearer realm=\"api.example.org\",resource_metadata=\"" + METADATA + "/v1\"");
    }

    /** RFC 9728 section 3.1. */
    @Test
    void the_root_of_a_host_is_the_host() {
        assertThat(Challenge.bearer(Map.of("error", "invalid_token")).headerValue(ANY, "/"))
                .endsWith("resource_metadata=\"" + METADATA + "\"");
    }

    /** RFC 9110 section 11.2: each name once. */
    @Test
    void a_scope_of_its_own_stays_the_only_one() {
        var challenge = Challenge.bearer(Map.of("scope", "orders:write"));

        assertThat(challenge.headerValue(ORDERS, "/"))
                .containsOnlyOnce("scope=")
                .contains("scope=\"orders:write\"");
    }

    @Test
    void another_scheme_has_its_own_words() {
        assertThat(Challenge.clientCertificate("orders").headerValue(ORDERS, "/"))
                .isEqualTo("ClientCertificate realm=\"orders\"");
    }
}
