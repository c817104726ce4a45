// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.jose.StrictJson;
import io.sallyport.fuzz.Corpus;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Of any token: one reading or none, the same when it is written again, and nothing in it that would choose its own key. */
public final class JwtPreChecksFuzzTest {
    private static final Base64.Encoder BASE64URL = Base64.getUrlEncoder().withoutPadding();

    @Test
    void every_kept_input_has_the_properties() throws IOException {
        Corpus.of(JwtPreChecksFuzzTest.class).replay(JwtPreChecksFuzzTest::fuzzerTestOneInput);
    }

    @Test
    void so_has_every_mutation_of_them() throws IOException {
        Corpus.of(JwtPreChecksFuzzTest.class).mutate(JwtPreChecksFuzzTest::fuzzerTestOneInput);
    }

    public static void fuzzerTestOneInput(byte[] input) {
        check(new String(input, StandardCharsets.ISO_8859_1));
        json(input);
        // Header and claims as text, so that a mutation of one is not lost in the alphabet of base64url.
        int line = indexOf(input, (byte) '\n');
        if (line >= 0) {
            var token = BASE64URL.encodeToString(Arrays.copyOf(input, line)) + "."
                    + BASE64URL.encodeToString(Arrays.copyOfRange(input, line + 1, input.length)) + ".AAAA";
            check(token);
        }
    }

    private static int indexOf(byte[] bytes, byte wanted) {
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == wanted) {
                return i;
            }
        }
        return -1;
    }

    private static void check(String token) {
        if (!(UnverifiedToken.parseUnverified(token) instanceof UnverifiedToken.Jws jws)) {
            return;
        }
        require(jws.compact().equals(token), "is what was presented", token);
        require(jws.equals(UnverifiedToken.parseUnverified(token)), "is read in one way", token);
        var parts = token.split("\\.", -1);
        require(parts.length == 3, "has three parts", token);
        for (var part : parts) {
            require(
                    BASE64URL
                            .encodeToString(Base64.getUrlDecoder().decode(part))
                            .equals(part),
                    "is canonical",
                    token);
        }
        var header = StrictJson.parseObject(Base64.getUrlDecoder().decode(parts[0]));
        require(header != null && jws.algorithm().equals(header.get("alg")), "has one algorithm", token);
        var denied = new HashSet<>(header == null ? List.of() : header.keySet());
        denied.retainAll(UnverifiedToken.DENIED_MEMBERS);
        require(denied.isEmpty(), "chooses no key", token);
    }

    private static void json(byte[] input) {
        var object = StrictJson.parseObject(input);
        if (object == null) {
            return;
        }
        var text = new StringBuilder();
        require(write(object, text) <= StrictJson.MAX_DEPTH, "is not deep", text.toString());
        var again = StrictJson.parseObject(text.toString().getBytes(StandardCharsets.UTF_8));
        require(object.equals(again), "is the same when written again", text.toString());
    }

    /** Writes the value as JSON and returns how deep it is. */
    private static int write(Object value, StringBuilder out) {
        switch (value) {
            case Map<?, ?> map -> {
                int depth = 0;
                var separator = "{";
                for (var member : map.entrySet()) {
                    out.append(separator);
                    write(member.getKey(), out);
                    out.append(':');
                    depth = Math.max(depth, write(member.getValue(), out));
                    separator = ",";
                }
                out.append(map.isEmpty() ? "{}" : "}");
                return depth + 1;
            }
            case List<?> list -> {
                int depth = 0;
                var separator = "[";
                for (var element : list) {
                    out.append(separator);
                    depth = Math.max(depth, write(element, out));
                    separator = ",";
                }
                out.append(list.isEmpty() ? "[]" : "]");
                return depth + 1;
            }
            case String string -> {
                out.append('"');
                string.chars().forEach(c -> out.append("\\u%04x".formatted(c)));
                out.append('"');
            }
            case StrictJson.Null _ -> out.append("null");
            default -> out.append(value);
        }
        return 0;
    }

    private static void require(boolean holds, String property, String text) {
        if (!holds) {
            throw new AssertionError("\"%s\" (expected: %s)".formatted(text, property));
        }
    }
}
