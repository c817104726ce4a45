// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.sallyport.authenticate.TestTokens;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.JwkSetDocument.Cause;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each odd key costs itself and no other. */
class JwkSetDocumentTest {
    private static final TestTokens GOOD = TestTokens.es256();
    private static final TestTokens RSA = TestTokens.signedWith(SignatureAlgorithm.RS256);
    private static final TestTokens ED = TestTokens.signedWith(SignatureAlgorithm.EDDSA);

    static Stream<Arguments> oddKeys() {
        return Stream.of(
                arguments("a string", "key", Cause.MALFORMED),
                arguments("nothing", Map.of(), Cause.MALFORMED),
                arguments("a kid that is a number", jwk(GOOD, jwk -> jwk.put("kid", 7)), Cause.MALFORMED),
                arguments("no coordinate", jwk(GOOD, jwk -> jwk.remove("y")), Cause.MALFORMED),
                arguments(
                        "a coordinate with padding",
                        jwk(GOOD, jwk -> jwk.put("x", jwk.get("x") + "=")),
                        Cause.MALFORMED),
                arguments("a short coordinate", jwk(GOOD, jwk -> jwk.put("x", "AQAB")), Cause.MALFORMED),
                arguments("no modulus", jwk(RSA, jwk -> jwk.remove("n")), Cause.MALFORMED),
                arguments("an empty modulus", jwk(RSA, jwk -> jwk.put("n", "")), Cause.MALFORMED),
                arguments("a key type of nobody", jwk(GOOD, jwk -> jwk.put("kty", "PQC")), Cause.TYPE_UNSUPPORTED),
                arguments("a curve of nobody", jwk(GOOD, jwk -> jwk.put("crv", "P-999")), Cause.TYPE_UNSUPPORTED),
                arguments(
                        "a curve that JWS has, but not we",
                        jwk(GOOD, jwk -> jwk.put("crv", "secp256k1")),
                        Cause.TYPE_UNSUPPORTED),
                arguments("Ed448", jwk(ED, jwk -> jwk.put("crv", "Ed448")), Cause.TYPE_UNSUPPORTED),
                arguments("no curve", jwk(GOOD, jwk -> jwk.remove("crv")), Cause.TYPE_UNSUPPORTED),
                arguments("a secret", Map.of("kty", "oct", "kid", "s", "k", "c2VjcmV0"), Cause.TYPE_UNSUPPORTED),
                arguments(
                        "a secret with alg HS256",
                        Map.of("kty", "oct", "alg", "HS256", "k", "c2VjcmV0"),
                        Cause.TYPE_UNSUPPORTED),
                arguments("a key for encryption", jwk(RSA, jwk -> jwk.put("use", "enc")), Cause.NOT_FOR_SIGNATURES),
                arguments(
                        "a key that may only sign",
                        jwk(GOOD, jwk -> jwk.put("key_ops", List.of("sign"))),
                        Cause.NOT_FOR_SIGNATURES),
                arguments(
                        "key_ops that are no list",
                        jwk(GOOD, jwk -> jwk.put("key_ops", "verify")),
                        Cause.NOT_FOR_SIGNATURES),
                arguments(
                        "an algorithm for encryption",
                        jwk(RSA, jwk -> jwk.put("alg", "RSA-OAEP")),
                        Cause.ALGORITHM_UNSUPPORTED),
                arguments(
                        "another type's algorithm",
                        jwk(RSA, jwk -> jwk.put("alg", "ES256")),
                        Cause.ALGORITHM_UNSUPPORTED),
                arguments(
                        "another curve's algorithm",
                        jwk(GOOD, jwk -> jwk.put("alg", "ES384")),
                        Cause.ALGORITHM_UNSUPPORTED),
                arguments(
                        "alg HS256 on an RSA key",
                        jwk(RSA, jwk -> jwk.put("alg", "HS256")),
                        Cause.ALGORITHM_UNSUPPORTED),
                arguments("alg none", jwk(RSA, jwk -> jwk.put("alg", "none")), Cause.ALGORITHM_UNSUPPORTED),
                arguments("its private part", jwk(GOOD, jwk -> jwk.put("d", "AQAB")), Cause.PRIVATE_PART_PUBLISHED),
                arguments(
                        "1024 bits",
                        jwk(
                                RSA,
                                jwk -> jwk.put(
                                        "n", encoded(BigInteger.TWO.pow(1023).add(BigInteger.ONE)))),
                        Cause.WEAK),
                arguments(
                        "16384 bits",
                        jwk(
                                RSA,
                                jwk -> jwk.put(
                                        "n", encoded(BigInteger.TWO.pow(16383).add(BigInteger.ONE)))),
                        Cause.WEAK),
                arguments(
                        "an even modulus",
                        jwk(RSA, jwk -> jwk.put("n", encoded(BigInteger.TWO.pow(2047)))),
                        Cause.WEAK),
                arguments("exponent 1", jwk(RSA, jwk -> jwk.put("e", "AQ")), Cause.WEAK),
                arguments("an even exponent", jwk(RSA, jwk -> jwk.put("e", "Ag")), Cause.WEAK),
                arguments(
                        "an endless exponent",
                        jwk(
                                RSA,
                                jwk -> jwk.put(
                                        "e", encoded(BigInteger.TWO.pow(2000).add(BigInteger.ONE)))),
                        Cause.WEAK),
                arguments(
                        "ROCA",
                        jwk(
                                RSA,
                                jwk -> jwk.put(
                                        "n", encoded(BigInteger.valueOf(65537).pow(129)))),
                        Cause.FACTORABLE),
                arguments("a point beside the curve", jwk(GOOD, jwk -> jwk.put("y", jwk.get("x"))), Cause.NOT_ON_CURVE),
                arguments(
                        "a point at nought",
                        jwk(GOOD, jwk -> jwk.putAll(Map.of("x", "A".repeat(43), "y", "A".repeat(43)))),
                        Cause.NOT_ON_CURVE),
                arguments(
                        "a point beside the Edwards curve",
                        jwk(ED, jwk -> jwk.put("x", "Ag" + "A".repeat(41))),
                        Cause.NOT_ON_CURVE),
                arguments(
                        "a point of order 1", jwk(ED, jwk -> jwk.put("x", "AQ" + "A".repeat(41))), Cause.NOT_ON_CURVE),
                arguments(
                        "a point of order 8",
                        jwk(ED, jwk -> jwk.put("x", "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU")),
                        Cause.NOT_ON_CURVE));
    }

    /** STACK trap: with stock Nimbus one such key makes every request fail. */
    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("oddKeys")
    void a_key_is_ignored_and_the_others_serve_if_it_is(String what, Object odd, Cause cause) {
        var before = parse(TestTokens.jwkSet(List.of(odd, GOOD.named("good").jwk())));
        var after = parse(TestTokens.jwkSet(List.of(GOOD.named("good").jwk(), odd)));

        for (var document : List.of(before, after)) {
            assertThat(document.keys()).singleElement().satisfies(key -> {
                assertThat(key.kid()).isEqualTo("good");
                assertThat(key.verifies(SignatureAlgorithm.ES256, GOOD.issue())).isTrue();
            });
            assertThat(document.ignored())
                    .singleElement()
                    .satisfies(ignored -> assertThat(ignored.cause()).isEqualTo(cause));
        }
        assertThat(before.ignored().getFirst().position()).isZero();
        assertThat(after.ignored().getFirst().position()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void a_key_without_alg_serves_every_algorithm_of_its_type_and_curve(SignatureAlgorithm algorithm) {
        var tokens = TestTokens.signedWith(algorithm);
        var jwk = jwk(tokens, each -> each.keySet().removeAll(List.of("alg", "use")));

        var key = parse(TestTokens.jwkSet(List.of(jwk))).keys().getFirst();

        assertThat(key.verifies(algorithm, tokens.issue())).isTrue();
        assertThat(Stream.of(SignatureAlgorithm.values()).filter(key::suits))
                .allMatch(suited -> suited.name().endsWith(algorithm.name().substring(1))
                        || suited.name().matches("[RP]S\\d+"));
    }

    @Test
    void a_modulus_with_a_leading_zero_is_the_same_modulus() {
        var jwk = jwk(RSA, each -> {
            var n = Base64.getUrlDecoder().decode((String) each.get("n"));
            var padded = new byte[n.length + 1];
            System.arraycopy(n, 0, padded, 1, n.length);
            each.put("n", TestTokens.base64Url(padded));
        });

        assertThat(parse(TestTokens.jwkSet(List.of(jwk)))
                        .keys()
                        .getFirst()
                        .verifies(SignatureAlgorithm.RS256, RSA.issue()))
                .isTrue();
    }

    @Test
    void keys_may_share_a_name_and_are_found_by_it_and_their_algorithm_in_their_order() {
        var other = TestTokens.withNewKey(SignatureAlgorithm.ES256, GOOD.kid());

        var set = set(GOOD, other, RSA.named(GOOD.kid()));

        assertThat(set.find(GOOD.kid(), SignatureAlgorithm.ES256))
                .extracting(key -> key.verifies(SignatureAlgorithm.ES256, GOOD.issue()))
                .containsExactly(true, false);
        assertThat(set.find(GOOD.kid(), SignatureAlgorithm.RS256))
                .singleElement()
                .matches(key -> key.verifies(SignatureAlgorithm.RS256, RSA.issue()));
    }

    /** Else a forged signature would cost as many verifications as a key set can have keys. */
    @Test
    void no_more_than_eight_keys_are_tried() {
        var keys = IntStream.range(0, 12)
                .mapToObj(i -> TestTokens.withNewKey(SignatureAlgorithm.ES256, "key-" + i))
                .toArray(TestTokens[]::new);
        var ofOneName = Stream.of(keys).map(key -> key.named("same")).toArray(TestTokens[]::new);

        assertThat(set(keys).find(null, SignatureAlgorithm.ES256))
                .extracting(VerificationKey::kid)
                .containsExactly("key-0", "key-1", "key-2", "key-3", "key-4", "key-5", "key-6", "key-7");
        assertThat(set(ofOneName).find("same", SignatureAlgorithm.ES256)).hasSize(8);
    }

    @Test
    void a_key_that_is_there_twice_is_one_key() {
        var document = parse(TestTokens.jwkSet(GOOD, GOOD));

        assertThat(document.keys()).hasSize(1);
        assertThat(document.ignored()).containsExactly(new JwkSetDocument.Ignored(1, GOOD.kid(), Cause.DUPLICATE));
    }

    /** RFC 9864 gives EdDSA with this curve a name of its own. */
    @Test
    void a_key_with_alg_ed25519_is_one_for_eddsa() {
        var document = parse(TestTokens.jwkSet(List.of(jwk(ED, jwk -> jwk.put("alg", "Ed25519")))));

        assertThat(document.keys()).singleElement().matches(key -> key.verifies(SignatureAlgorithm.EDDSA, ED.issue()));
    }

    private static JwkSet set(TestTokens... keys) {
        return new JwkSet(1, Instant.EPOCH, parse(TestTokens.jwkSet(keys)).keys());
    }

    @Test
    void a_key_without_kid_serves_tokens_without_kid_alone() {
        var nameless = jwk(GOOD, jwk -> jwk.remove("kid"));

        var set = new JwkSet(
                1,
                Instant.EPOCH,
                parse(TestTokens.jwkSet(List.of(nameless, RSA.jwk()))).keys());

        assertThat(set.find(null, SignatureAlgorithm.ES256)).hasSize(1);
        assertThat(set.find(GOOD.kid(), SignatureAlgorithm.ES256)).isEmpty();
        assertThat(set.find("", SignatureAlgorithm.ES256)).isEmpty();
    }

    @Test
    void what_comes_after_a_hundred_keys_is_ignored() {
        var many = new ArrayList<Object>();
        IntStream.range(0, 150).forEach(i -> many.add(GOOD.named("key-" + i).jwk()));

        var document = parse(TestTokens.jwkSet(many));

        assertThat(document.keys()).hasSize(100);
        assertThat(document.ignored()).hasSize(50).allMatch(ignored -> ignored.cause() == Cause.TOO_MANY);
    }

    @Test
    void thousands_of_odd_keys_cost_no_good_one_its_place() {
        var many = new ArrayList<Object>(Collections.nCopies(10_000, Map.of("kty", "oct")));
        many.add(GOOD.jwk());

        var document = parse(TestTokens.jwkSet(many));

        assertThat(document.keys()).extracting(VerificationKey::kid).containsExactly(GOOD.kid());
        assertThat(document.ignored()).hasSize(10_000);
    }

    /** Seen in the wild in place of ES512, after the number of the curve. */
    @Test
    void es521_is_read_as_the_one_algorithm_of_its_curve_and_on_no_other_curve() {
        var p521 = TestTokens.signedWith(SignatureAlgorithm.ES512).jwk();
        p521.put("alg", "ES521");
        var p256 = GOOD.jwk();
        p256.put("alg", "ES521");

        var document = parse(TestTokens.jwkSet(List.of(p521, p256)));

        assertThat(document.keys())
                .singleElement()
                .satisfies(
                        key -> assertThat(key.suits(SignatureAlgorithm.ES512)).isTrue());
        assertThat(document.ignored())
                .singleElement()
                .satisfies(ignored -> assertThat(ignored.cause()).isEqualTo(Cause.ALGORITHM_UNSUPPORTED));
    }

    @Test
    void a_key_that_is_there_again_is_the_same_object_again() {
        var first = parse(TestTokens.jwkSet(GOOD, RSA)).keys();

        var second = JwkSetDocument.parse(
                TestTokens.jwkSet(RSA, GOOD, ED).getBytes(StandardCharsets.UTF_8), first, CryptoProvider.jdk());

        assertThat(Objects.requireNonNull(second).keys().get(0)).isSameAs(first.get(1));
        assertThat(second.keys().get(1)).isSameAs(first.get(0));
    }

    @Test
    void an_empty_set_is_a_set() {
        assertThat(parse("{\"keys\":[]}").keys()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[}", "{\"keys\":[],\"keys\":[]}", "<html></html>"})
    void a_document_is_a_json_object_with_an_array_of_keys(String text) {
        assertThat(JwkSetDocument.parse(text.getBytes(StandardCharsets.UTF_8), List.of(), CryptoProvider.jdk()))
                .isNull();
    }

    private static JwkSetDocument parse(String text) {
        return Objects.requireNonNull(
                JwkSetDocument.parse(text.getBytes(StandardCharsets.UTF_8), List.of(), CryptoProvider.detect()));
    }

    private static Map<String, Object> jwk(TestTokens tokens, Consumer<Map<String, Object>> change) {
        var jwk = tokens.jwk();
        change.accept(jwk);
        return jwk;
    }

    private static String encoded(BigInteger value) {
        return TestTokens.base64Url(value.toByteArray());
    }
}
