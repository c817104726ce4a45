// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.denylist;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What is denied, answered from memory on event loops, without blocking or allocating. */
public interface DenyList {
    /**
     * The entry that denies what this claim names, or null.
     *
     * @param issuer the token's exact {@code iss}
     * @param issuedAt the token's {@code iat}
     */
    @Nullable
    DenyListEntry find(DenyListKey.Kind kind, String issuer, String value, Instant issuedAt, Instant now);

    /** Whether everything that was ever acknowledged is in memory. False while, or after, it could not be read back. */
    boolean isComplete();
}
