// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.denylist;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One entry of the deny-list.
 *
 * @param notBefore tokens issued up to and including this moment are denied; there for the kinds that have one, and only for those
 * @param expiresAt the entry counts for nothing from then on
 * @param reason why, in an operator's words; goes into records, never to a client
 * @param addedAt when it was acknowledged first
 */
public record DenyListEntry(
        DenyListKey key, @Nullable Instant notBefore, Instant expiresAt, String reason, Instant addedAt) {

    public DenyListEntry {
        if ((notBefore != null) != key.kind().hasNotBefore()) {
            throw new IllegalArgumentException(
                    "not-before of a %s entry: %s".formatted(key.kind().claim(), notBefore));
        }
    }

    /** Whether a token issued then is denied at this moment. Allocates nothing. */
    boolean denies(Instant issuedAt, Instant now) {
        return now.isBefore(expiresAt) && (notBefore == null || !issuedAt.isAfter(notBefore));
    }

    /** Both entries' denials: the later of each time, and the other's reason. */
    public DenyListEntry merge(DenyListEntry other) {
        return new DenyListEntry(
                key, later(notBefore, other.notBefore), latest(expiresAt, other.expiresAt), other.reason, addedAt);
    }

    private static @Nullable Instant later(@Nullable Instant one, @Nullable Instant other) {
        return one == null || other == null ? one : latest(one, other);
    }

    private static Instant latest(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }
}
