// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a presented token says of itself. Nothing of it may be believed before its signature is verified. */
sealed interface UnverifiedToken {
    /** No token of ours is longer; RFC 7519 has no limit of its own. */
    int MAX_CHARACTERS = 8 * 1024;

    /**
     * A compact JWS of canonical base64url over two JSON objects.
     *
     * @param compact as presented
     * @param algorithm {@code alg} of the header, whatever it names
     * @param kid of the header; only ever a lookup key, never part of a path or query
     * @param type {@code typ} of the header, normalized
     * @param claims as {@link StrictJson} reads them
     */
    record Jws(
            String compact,
            String algorithm,
            @Nullable String kid,
            @Nullable String type,
            Map<String, Object> claims) implements UnverifiedToken {

        /** The {@code iss}, to choose by it whose keys may verify, or null if there is none that is a string. */
        @Nullable
        String issuer() {
            return claims.get("iss") instanceof String iss ? iss : null;
        }
    }

    /** Why a token is not looked at any further. */
    enum Refused implements UnverifiedToken {
        /** Not a compact JWS of canonical base64url and JSON objects with unique members, or too long, encrypted or nested. */
        MALFORMED,
        /** The header asks for something that is never done for a token. */
        HEADER_DENIED
    }

    /**
     * Members of a header that would let the token choose its key, or change what is signed: RFC 7515 sections 4.1.2 to 4.1.6 and
     * 4.1.11, RFC 7797, and the compression of RFC 7516. We implement no extension, so every {@code crit} asks for an unknown one.
     */
    Set<String> DENIED_MEMBERS = Set.of("crit", "b64", "zip", "jku", "x5u", "x5c", "jwk");

    /** Reads without verifying: in linear time, without an exception for any input. */
    static UnverifiedToken parseUnverified(String compact) {
        int first = compact.indexOf('.');
        int second = compact.indexOf('.', first + 1);
        // Five parts are an encrypted token (JWE); three of which one is empty are unsigned or detached.
        if (compact.length() > MAX_CHARACTERS
                || first <= 0
                || second <= first + 1
                || second == compact.length() - 1
                || compact.indexOf('.', second + 1) >= 0
                || !Base64Url.isCanonical(compact, second + 1, compact.length())) {
            return Refused.MALFORMED;
        }
        var header = object(compact, 0, first);
        var claims = header == null ? null : object(compact, first + 1, second);
        if (header == null || claims == null) {
            return Refused.MALFORMED;
        }
        return of(compact, header, claims);
    }

    private static @Nullable Map<String, Object> object(String compact, int start, int end) {
        var bytes = Base64Url.decode(compact, start, end);
        return bytes == null ? null : StrictJson.parseObject(bytes);
    }

    private static UnverifiedToken of(String compact, Map<String, Object> header, Map<String, Object> claims) {
        for (var name : header.keySet()) {
            if (DENIED_MEMBERS.contains(name)) {
                return Refused.HEADER_DENIED;
            }
        }
        if (!(header.get("alg") instanceof String algorithm)
                || header.containsKey("enc")
                || !isStringOrAbsent(header, "kid")
                || !isStringOrAbsent(header, "typ")
                || !isStringOrAbsent(header, "cty")
                || !isStringOrAbsent(header, "x5t")
                || !isStringOrAbsent(header, "x5t#S256")
                || (header.get("cty") instanceof String content && MediaType.isNestedToken(content))) {
            return Refused.MALFORMED;
        }
        return new Jws(
                compact,
                algorithm,
                header.get("kid") instanceof String kid ? kid : null,
                header.get("typ") instanceof String type ? MediaType.normalized(type) : null,
                claims);
    }

    private static boolean isStringOrAbsent(Map<String, Object> header, String name) {
        var value = header.get(name);
        return value == null || value instanceof String;
    }
}
