// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.jose.MediaType;
import io.sallyport.authenticate.jose.StrictJson;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
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

    /**
     * Why a token is not looked at any further.
     *
     * @param evidence what is wrong with it, for the operator's record; no part of the token
     */
    record Refused(Reason reason, Evidence evidence) implements UnverifiedToken {
        static final Refused NOT_THREE_PARTS = malformed("the token is not three parts with dots between them");
        static final Refused HEADER_UNREADABLE =
                malformed("the token's header is not base64url of a JSON object with unique members");
        static final Refused PAYLOAD_UNREADABLE = malformed("the token's payload is not base64url");
        static final Refused SIGNATURE_UNREADABLE = malformed("the token's signature is not base64url");
        static final Refused MEMBER_UNREADABLE =
                malformed("the token's header has no alg, or a member that is of another type than RFC 7515 says");
        static final Refused NESTED = malformed("the token holds another token (cty)");
        static final Refused ENCRYPTED =
                refused(Reason.AUTHENTICATE_JWT_ENCRYPTED, "the token is encrypted (enc in its header)");
        static final Refused CLAIMS_UNREADABLE = refused(
                Reason.AUTHENTICATE_JWT_CLAIMS_MALFORMED,
                "the token's payload is not a JSON object with unique members");

        private static Refused malformed(String what) {
            return refused(Reason.AUTHENTICATE_JWT_MALFORMED, what);
        }

        private static Refused refused(Reason reason, String what) {
            return new Refused(reason, Evidence.NONE.with(Evidence.Key.DETAIL, what));
        }

        /** One that asks by that member of its header for something that is never done for a token. */
        private static Refused denied(String member) {
            return refused(Reason.AUTHENTICATE_JWT_HEADER_DENIED, member + " in the token's header");
        }
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
            return CompactJws.fault(compact);
        }
        var refused = refuse(jws.header());
        if (refused != null) {
            return refused;
        }
        var claims = jws.claims();
        if (!(jws.header().get("alg") instanceof String algorithm)) {
            return Refused.MEMBER_UNREADABLE;
        }
        if (claims == null) {
            return Refused.CLAIMS_UNREADABLE;
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
                return Refused.denied(name);
            }
        }
        if (header.containsKey("enc")) {
            return Refused.ENCRYPTED;
        }
        if (header.get("cty") instanceof String content && MediaType.isNestedToken(content)) {
            return Refused.NESTED;
        }
        var fits = header.get("alg") instanceof String
                && isStringOrAbsent(header, "kid")
                && isStringOrAbsent(header, "typ")
                && isStringOrAbsent(header, "cty")
                && isStringOrAbsent(header, "x5t")
                && isStringOrAbsent(header, "x5t#S256");
        return fits ? null : Refused.MEMBER_UNREADABLE;
    }

    private static boolean isStringOrAbsent(Map<String, Object> header, String name) {
        var value = header.get(name);
        return value == null || value instanceof String;
    }
}
