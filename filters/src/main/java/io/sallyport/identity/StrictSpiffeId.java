// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import io.spiffe.spiffeid.SpiffeId;
import org.jspecify.annotations.Nullable;

/**
 * Reads SPIFFE IDs in their one spelling (SPIFFE-ID section 2). java-spiffe folds the case of scheme and trust domain and
 * knows no length; a pin is compared with what a certificate says byte for byte, so nothing is folded here.
 */
public final class StrictSpiffeId {
    private static final int MAX_LENGTH = 2048;
    private static final int MAX_TRUST_DOMAIN_LENGTH = 255;

    private StrictSpiffeId() {}

    /** The ID, or null if the text is not exactly one. It may be that of a trust domain, without a path. */
    public static @Nullable SpiffeId parse(String text) {
        if (text.isEmpty() || text.length() > MAX_LENGTH) {
            return null;
        }
        SpiffeId id;
        try {
            id = SpiffeId.parse(text);
        } catch (RuntimeException e) {
            // java-spiffe declares none and throws several.
            return null;
        }
        return id.toString().equals(text) && id.getTrustDomain().getName().length() <= MAX_TRUST_DOMAIN_LENGTH
                ? id
                : null;
    }

    /** The ID of a workload, which has a path (X509-SVID section 3.1), or null if the text is not exactly one. */
    public static @Nullable SpiffeId parseWorkload(String text) {
        var id = parse(text);
        return id == null || id.getPath().isEmpty() ? null : id;
    }
}
