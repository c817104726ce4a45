// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.denylist;

import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Changes the deny-list. A stage completes when the change has taken effect and is as durable as this store makes it, never
 * exceptionally, on a thread of the store's: what is attached to it must not block.
 */
public interface DenyListStore {

    /** What became of a change. */
    sealed interface Change {
        /** A new entry. */
        record Added(DenyListEntry entry) implements Change {}

        /** There was one for the key; this is what both make together, see {@link DenyListEntry#merge}. */
        record Merged(DenyListEntry entry) implements Change {}

        /** Gone. */
        record Removed(DenyListEntry entry) implements Change {}

        /** There is no such entry. */
        record Absent() implements Change {}

        /** The list holds as many entries as it may, and none of them has expired. */
        record Full(int maxEntries) implements Change {}

        /** Not done: it could not be made durable, or the store is behind or closed. */
        record Failed(String why) implements Change {}
    }

    CompletionStage<Change> add(DenyListEntry entry);

    CompletionStage<Change> remove(DenyListKey key);

    /** Every entry that has not expired, in no order. */
    List<DenyListEntry> entries();

    /** Whether an acknowledged change outlives the process. */
    boolean isDurable();

    /** Why the list could not be read back, or the last change not be made durable, for health; null if all is well. */
    @Nullable
    String problem();
}
