// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.denylist;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;

/**
 * What an entry of the deny-list denies.
 *
 * @param issuer the exact {@code iss}
 * @param value the claim's exact value
 */
public record DenyListKey(Kind kind, String issuer, String value) {

    /** Which claim is named. */
    public enum Kind {
        /** One token. */
        JTI("jti"),
        /** Every token of one session. */
        SID("sid"),
        /** The tokens of one subject, up to a time of issue. */
        SUB("sub"),
        /** The tokens of one client, up to a time of issue. */
        CLIENT_ID("client_id");

        private final String claim;

        Kind(String claim) {
            this.claim = claim;
        }

        public String claim() {
            return claim;
        }

        /** Whether an entry of this kind spares tokens that were issued later. */
        public boolean hasNotBefore() {
            return this == SUB || this == CLIENT_ID;
        }
    }

    /** The same for equal keys, and fit for a URL: 22 characters of base64url. */
    public String id() {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            digest.update(kind.claim().getBytes(StandardCharsets.UTF_8));
            digest.update((byte) 0);
            digest.update(issuer.getBytes(StandardCharsets.UTF_8));
            digest.update((byte) 0);
            digest.update(value.getBytes(StandardCharsets.UTF_8));
            return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest.digest(), 16));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
