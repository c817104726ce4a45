// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSetDocument;
import io.sallyport.authenticate.keys.VerificationKey;
import io.sallyport.decision.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The signed examples of RFC 7515, 8037 and 9449: none is an access token of anybody, and the signatures of two are ours to verify. */
class RfcExamplesTest {
    @Test
    void every_example_is_refused_with_401_as_a_credential() {
        var keys = new FakeJwkSetSource();
        keys.publish("{\"keys\":" + keys() + "}");
        var stage = new AuthenticateStage(TestIssuer.STAGE, () -> null, new SimpleMeterRegistry());
        var route = TestIssuer.with(keys).route();
        for (var example : SharedVectors.read("rfc/examples.json")) {
            if (example.has("token")) {
                var verdict = stage.evaluate(TestIssuer.get(route)
                        .authorization("Bearer " + example.get("token").asString())
                        .context());

                assertThat(verdict)
                        .isInstanceOfSatisfying(
                                Verdict.Deny.class,
                                deny -> assertThat(deny.denial().status())
                                        .as(example.toString())
                                        .isEqualTo(401));
            }
        }
    }

    @Test
    void the_signatures_of_the_asymmetric_examples_verify_with_their_keys() {
        var verified = new ArrayList<String>();
        for (var example : SharedVectors.read("rfc/examples.json").properties()) {
            if (example.getValue().has("jwk")) {
                var token = example.getValue().get("token").asString();
                for (var key : usable(example.getValue().get("jwk"))) {
                    if (verifies(key, token)) {
                        verified.add(example.getKey());
                    }
                }
            }
        }

        assertThat(verified).containsExactly("rfc7515_A3_ES256", "rfc8037_A4_EdDSA");
    }

    private static boolean verifies(VerificationKey key, String token) {
        var jws = Objects.requireNonNull(CompactJws.parse(token));
        var algorithm = SignatureAlgorithm.named(String.valueOf(jws.header().get("alg")));
        return algorithm != null && key.verifies(algorithm, token);
    }

    /** The key, unless it is of another kind than ours. */
    private static List<VerificationKey> usable(JsonNode jwk) {
        var set = "{\"keys\":[" + jwk + "]}";
        return Objects.requireNonNull(
                        JwkSetDocument.parse(set.getBytes(StandardCharsets.UTF_8), List.of(), CryptoProvider.detect()))
                .keys();
    }

    private static String keys() {
        var keys = new ArrayList<String>();
        for (var example : SharedVectors.read("rfc/examples.json")) {
            if (example.has("jwk")) {
                keys.add(example.get("jwk").toString());
            }
        }
        return keys.toString();
    }
}
