// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.jose.MediaType;
import io.sallyport.authenticate.jose.StrictJson;
import io.sallyport.identity.StrictSpiffeId;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a presented token says of itself. Nothing of it may be believed before its signature is verified. */
sealed interface UnverifiedToken {
    /**
     * A compact JWS of canonical base64url over two JSON objects.
     *
     * @param compact as presented
     * @param algorithm {@code alg} of the header, whatever it names
     * @param kid of the header; only ever a lookup key, never part of a path or query
     * @param type {@code typ} of the header, normalized
     * @param plain whether the header has no other member than these
     * @param claims as {@link StrictJson} reads them
     */
    record Jws(
            String compact,
            String algorithm,
            @Nullable String kid,
            @Nullable String type,
            boolean plain,
            Map<String, Object> claims)
            implements UnverifiedToken {

        /** The {@code iss}, to choose by it whose keys may verify, or null if there is none that is a string. */
        @Nullable
        String issuer() {
            return claims.get("iss") instanceof String iss ? iss : null;
        }

        /** The SPIFFE ID of the trust domain whose workload is its {@code sub}, or null if that is none's. */
        @Nullable
        String trustDomain() {
            var id = claims.get("sub") instanceof String sub ? StrictSpiffeId.parseWorkload(sub) : null;
            return id == null ? null : id.getTrustDomain().toIdString();
        }
    }

    /** Why a token is not looked at any further. */
    enum Refused implements UnverifiedToken {
        /** Not a compact JWS of canonical base64url under a JSON object with unique members, or too long, encrypted or nested. */
        MALFORMED,
        /** A JWS, but of something else than a JSON object with unique members. */
        CLAIMS_MALFORMED,
        /** The header asks for something that is never done for a token. */
        HEADER_DENIED
    }

    /**
     * Members of a header that would let the token choose its key, or change what is signed: RFC 7515 sections 4.1.2 to 4.1.6 and
     * 4.1.11, RFC 7797, and the compression of RFC 7516. We implement no extension, so every {@code crit} asks for an unknown one.
     */
    Set<String> DENIED_MEMBERS = Set.of("crit", "b64", "zip", "jku", "x5u", "x5c", "jwk");

    /** All that the header of a JWT-SVID may have (JWT-SVID section 2). */
    Set<String> PLAIN_MEMBERS = Set.of("alg", "kid", "typ");

    /** Reads without verifying: in linear time, without an exception for any input. */
    static UnverifiedToken parseUnverified(String compact) {
        var jws = CompactJws.parse(compact);
        if (jws == null) {
            return Refused.MALFORMED;
        }
        var refused = refuse(jws.header());
        if (refused != null) {
            return refused;
        }
        var claims = jws.claims();
        if (!(jws.header().get("alg") instanceof String algorithm)) {
            return Refused.MALFORMED;
        }
        if (claims == null) {
            return Refused.CLAIMS_MALFORMED;
        }
        return new Jws(
                compact,
                algorithm,
                jws.header().get("kid") instanceof String kid ? kid : null,
                jws.header().get("typ") instanceof String type ? MediaType.normalized(type) : null,
                PLAIN_MEMBERS.containsAll(jws.header().keySet()),
                claims);
    }

    /** What is wrong with a header, or null. */
    static @Nullable Refused refuse(Map<String, Object> header) {
        for (var name : header.keySet()) {
            if (DENIED_MEMBERS.contains(name)) {
                return Refused.HEADER_DENIED;
            }
        }
        var fits = header.get("alg") instanceof String
                && !header.containsKey("enc")
                && isStringOrAbsent(header, "kid")
                && isStringOrAbsent(header, "typ")
                && isStringOrAbsent(header, "cty")
                && isStringOrAbsent(header, "x5t")
                && isStringOrAbsent(header, "x5t#S256")
                && !(header.get("cty") instanceof String content && MediaType.isNestedToken(content));
        return fits ? null : Refused.MALFORMED;
    }

    private static boolean isStringOrAbsent(Map<String, Object> header, String name) {
        var value = header.get(name);
        return value == null || value instanceof String;
    }
}
