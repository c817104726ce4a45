// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSet;
import io.sallyport.authenticate.keys.JwkSetDocument;
import io.sallyport.authenticate.keys.VerificationKey;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Project Wycheproof's JWS and JWK vectors, against our reading of the compact form, of headers and of key sets, and against the
 * verifiers. Their payloads are mostly no claims, so the rules for claims are left out; whoever is refused here is refused there.
 */
class WycheproofTest {
    private static final Set<String> SYMMETRIC = Set.of("HS256", "HS384", "HS512");

    /**
     * Valid rows whose key says another algorithm than their token: PS256 under a PS384 signature. A key is used with its own
     * algorithm alone (RFC 8725 section 3.1), so they are refused, as row 340 of the same set, PS384 under PS512, has to be. With a
     * key that says the right one they verify. See docs/adr/0015.
     */
    private static final Map<Integer, String> CONTRADICTORY = Map.of(346, "PS384", 350, "PS384");

    @ParameterizedTest
    @CsvSource({"json_web_signature_test.json, 401, 34", "json_web_key_test.json, 26, 1"})
    void no_invalid_row_is_accepted_and_every_valid_row_of_an_algorithm_of_ours_is(
            String file, int allRows, int acceptedRows) {
        var wrong = new ArrayList<String>();
        int rows = 0;
        int accepted = 0;
        for (var group : SharedVectors.read("wycheproof/" + file).get("testGroups")) {
            var published = group.has("public") ? group.get("public") : group.get("private");
            for (var row : group.get("tests")) {
                rows++;
                var jws = row.get("jws").asString();
                boolean accepts = accepts(jws, published);
                accepted += accepts ? 1 : 0;
                if (accepts != isToBeAccepted(row, jws)) {
                    wrong.add("%s: %s".formatted(row.get("tcId"), row.get("comment")));
                }
            }
        }

        assertThat(wrong).isEmpty();
        // Else a test that accepts nothing, or finds nothing, would pass.
        assertThat(rows).isEqualTo(allRows);
        assertThat(accepted).isEqualTo(acceptedRows);
    }

    @ParameterizedTest
    @ValueSource(ints = {346, 350})
    void a_row_whose_key_contradicts_it_verifies_once_the_key_says_the_right_algorithm(int id) {
        for (var group :
                SharedVectors.read("wycheproof/json_web_signature_test.json").get("testGroups")) {
            for (var row : group.get("tests")) {
                if (row.get("tcId").asInt() == id) {
                    var mended = ((ObjectNode) group.get("public").deepCopy()).put("alg", CONTRADICTORY.get(id));
                    assertThat(accepts(row.get("jws").asString(), mended)).isTrue();
                    return;
                }
            }
        }
        throw new AssertionError("no row " + id);
    }

    private static boolean isToBeAccepted(JsonNode row, String jws) {
        return row.get("result").asString().equals("valid")
                && !SYMMETRIC.contains(algorithmOf(jws))
                && !CONTRADICTORY.containsKey(row.get("tcId").asInt());
    }

    private static String algorithmOf(String jws) {
        // Some rows put a character into the header that does not belong there, and call that valid for HMAC.
        var header = jws.substring(0, jws.indexOf('.')).replace("?", "");
        return JsonMapper.builder()
                .build()
                .readTree(Base64.getUrlDecoder().decode(header))
                .get("alg")
                .asString();
    }

    private static boolean accepts(String jws, JsonNode published) {
        var compact = CompactJws.parse(jws);
        if (compact == null || UnverifiedToken.refuse(compact.header()) != null) {
            return false;
        }
        var algorithm = SignatureAlgorithm.named(String.valueOf(compact.header().get("alg")));
        if (algorithm == null) {
            return false;
        }
        return find((String) compact.header().get("kid"), algorithm, published).stream()
                .anyMatch(key -> key.verifies(algorithm, jws));
    }

    private static List<VerificationKey> find(@Nullable String kid, SignatureAlgorithm algorithm, JsonNode published) {
        var set = published.has("keys") ? published.toString() : "{\"keys\":[" + published + "]}";
        var document = JwkSetDocument.parse(set.getBytes(StandardCharsets.UTF_8), List.of(), CryptoProvider.detect());
        return document == null ? List.of() : new JwkSet(1, Instant.EPOCH, document.keys()).find(kid, algorithm);
    }
}
