// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.authenticate.UnverifiedToken.Refused;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused of a token before anything is computed. */
class UnverifiedTokenTest {
    private static final TestTokens CORP = TestTokens.es256();

    @Test
    void a_token_says_whose_it_is_and_how_it_is_signed() {
        var token = UnverifiedToken.parseUnverified(
                CORP.token().type("Application/AT+JWT").issue());

        assertThat(token).isInstanceOfSatisfying(UnverifiedToken.Jws.class, jws -> {
            assertThat(jws.algorithm()).isEqualTo("ES256");
            assertThat(jws.kid()).isEqualTo(CORP.kid());
            assertThat(jws.type()).isEqualTo("at+jwt");
            assertThat(jws.issuer()).isEqualTo(TestTokens.ISSUER);
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"crit", "b64", "zip", "jku", "x5u", "x5c", "jwk"})
    void a_header_member_that_is_never_honoured_is_refused_whatever_its_value(String member) {
        for (var value : new Object[] {List.of(), List.of("exp"), false, "https://evil.example/jwks", Map.of()}) {
            assertThat(UnverifiedToken.parseUnverified(
                            CORP.token().header(member, value).issue()))
                    .isInstanceOfSatisfying(Refused.class, refused -> {
                        assertThat(refused.reason()).isEqualTo(Reason.AUTHENTICATE_JWT_HEADER_DENIED);
                        assertThat(refused.evidence().get(Evidence.Key.DETAIL)).startsWith(member + " in");
                    });
        }
        assertThat(reasonOf(CORP.token().header(member, null).issue()))
                .isEqualTo(Reason.AUTHENTICATE_JWT_HEADER_DENIED);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "no algorithm               | {\"typ\":\"JWT\"}",
                "an algorithm of null       | {\"alg\":null}",
                "an algorithm in a list     | {\"alg\":[\"ES256\"]}",
                "two algorithms             | {\"alg\":\"none\",\"alg\":\"ES256\"}",
                "two spelt differently      | {\"alg\":\"none\",\"\\u0061lg\":\"ES256\"}",
                "a kid that is a number     | {\"alg\":\"ES256\",\"kid\":7}",
                "a kid that is a list       | {\"alg\":\"ES256\",\"kid\":[\"a\"]}",
                "a typ that is an object    | {\"alg\":\"ES256\",\"typ\":{}}",
                "a nested token             | {\"alg\":\"ES256\",\"cty\":\"JWT\"}",
                "a nested token, otherwise  | {\"alg\":\"ES256\",\"cty\":\"application/jwt\"}",
                "a thumbprint of no string  | {\"alg\":\"ES256\",\"x5t\":7}",
                "a list                     | [\"ES256\"]",
                "a string                   | \"ES256\"",
                "text after the object      | {\"alg\":\"ES256\"}x",
                "an object that is cut      | {\"alg\":\"ES256\"",
            })
    void a_header_is_refused_that_is(String what, String header) {
        var token = CORP.sign(header, CORP.token().claimsJson());

        assertThat(reasonOf(token)).isEqualTo(Reason.AUTHENTICATE_JWT_MALFORMED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "\"claims\"",
                "{\"iss\":\"a\",\"iss\":\"b\"}",
                "{\"sub\":\"a\",\"s\\u0075b\":\"b\"}",
                "{\"exp\":1e999}"
            })
    void claims_are_an_object_with_unique_members(String claims) {
        assertThat(UnverifiedToken.parseUnverified(CORP.sign(CORP.token().headerJson(), claims)))
                .isEqualTo(Refused.CLAIMS_UNREADABLE);
    }

    @Test
    void claims_are_valid_utf_8() {
        var claims = new byte[] {'{', '"', 'a', '"', ':', '"', (byte) 0xc0, (byte) 0x80, '"', '}'};

        assertThat(UnverifiedToken.parseUnverified(CORP.sign(CORP.token().headerJson(), claims)))
                .isEqualTo(Refused.CLAIMS_UNREADABLE);
    }

    @Test
    void a_token_has_three_canonical_parts() {
        var token = CORP.issue();
        var parts = token.split("\\.", -1);
        var header = parts[0];
        var claims = parts[1];
        var signature = parts[2];

        assertThat(UnverifiedToken.parseUnverified(token)).isInstanceOf(UnverifiedToken.Jws.class);
        for (var malformed : List.of(
                "",
                ".",
                "..",
                "...",
                header,
                header + "." + claims,
                "." + claims + "." + signature,
                token + ".",
                "." + token,
                token + "." + signature,
                header + "." + claims + "." + claims + "." + claims + "." + signature,
                header + "=." + claims + "." + signature,
                header + "." + claims + "=." + signature,
                token + "=",
                token + "==",
                " " + token,
                token + " ",
                token.replace('.', ','),
                header + "." + claims + "\u0000." + signature,
                header + "\n." + claims + "." + signature,
                header + "." + claims + ".é" + signature,
                header + "." + claims + "." + signature.replace(signature.charAt(3), '+'))) {
            assertThat(reasonOf(malformed)).as(malformed).isEqualTo(Reason.AUTHENTICATE_JWT_MALFORMED);
        }
    }

    /** JWS in JSON (RFC 7515 section 7.2) is not the compact form. */
    @Test
    void the_json_serialization_is_refused() {
        var parts = CORP.issue().split("\\.", -1);

        assertThat(reasonOf(TestTokens.json(Map.of("protected", parts[0], "payload", parts[1], "signature", parts[2]))))
                .isEqualTo(Reason.AUTHENTICATE_JWT_MALFORMED);
    }

    /** RFC 7516 appendix A.1, its first part; and what has a header like it, whatever its parts. */
    @Test
    void an_encrypted_token_is_told_from_a_malformed_one() {
        var header = TestTokens.base64Url("{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\"}");

        for (var rest : List.of(".key.iv.text.tag", "..iv.text.tag", ".claims.signature", ".a.b", ".")) {
            assertThat(reasonOf(header + rest)).as(rest).isEqualTo(Reason.AUTHENTICATE_JWT_ENCRYPTED);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "abc.def             | the token is not three parts with dots between them",
                "undefined           | the token is not three parts with dots between them",
                "e30.e30             | the token is not three parts with dots between them",
                "e30=.e30.AA         | the token's header is not base64url of a JSON object with unique members",
                "AAAA.e30.AA         | the token's header is not base64url of a JSON object with unique members",
                "e30.e30=.AA         | the token's payload is not base64url",
                "e30.e30.AA=         | the token's signature is not base64url",
                "e30.e30.AA          | the token's header has no alg, or a member that is of another type than RFC 7515 says",
                "eyJhbGciOiJFUzI1NiIsImN0eSI6IkpXVCJ9.e30.AA | the token holds another token (cty)",
            })
    void a_malformed_token_is_told_by_what_is_wrong_with_it(String token, String what) {
        assertThat(UnverifiedToken.parseUnverified(token)).isInstanceOfSatisfying(Refused.class, refused -> {
            assertThat(refused.reason()).isEqualTo(Reason.AUTHENTICATE_JWT_MALFORMED);
            assertThat(refused.evidence().get(Evidence.Key.DETAIL)).isEqualTo(what);
        });
    }

    private static @Nullable Reason reasonOf(String token) {
        return UnverifiedToken.parseUnverified(token) instanceof Refused refused ? refused.reason() : null;
    }

    @Test
    void no_mutation_makes_it_throw() {
        var good = CORP.issue();
        var random = new Random(5);
        for (int i = 0; i < 5_000; i++) {
            var chars = good.toCharArray();
            for (int change = random.nextInt(4); change >= 0; change--) {
                chars[random.nextInt(chars.length)] = (char) random.nextInt(0x180);
            }
            assertThat(UnverifiedToken.parseUnverified(new String(chars))).isNotNull();
        }
    }
}
