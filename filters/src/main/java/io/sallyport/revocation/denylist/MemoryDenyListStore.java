// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.denylist;

import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Changes the index and nothing else: a restart forgets every entry. */
public final class MemoryDenyListStore implements DenyListStore {
    private final DenyListIndex index;
    private final int maxEntries;
    private final InstantSource clock;

    /** Takes an empty index, which is complete from now on. */
    public MemoryDenyListStore(DenyListIndex index, int maxEntries, InstantSource clock) {
        this.index = index;
        this.maxEntries = maxEntries;
        this.clock = clock;
        index.complete();
    }

    @Override
    public CompletionStage<Change> add(DenyListEntry entry) {
        return change(changes -> changes.add(entry));
    }

    @Override
    public CompletionStage<Change> remove(DenyListKey key) {
        return change(changes -> changes.remove(key));
    }

    private synchronized CompletionStage<Change> change(Function<DenyListChanges, Change> decide) {
        var changes = new DenyListChanges(index, maxEntries, clock.instant());
        var change = decide.apply(changes);
        changes.apply();
        return CompletableFuture.completedStage(change);
    }

    @Override
    public List<DenyListEntry> entries() {
        return index.entries(clock.instant());
    }

    @Override
    public boolean isDurable() {
        return false;
    }

    @Override
    public @Nullable String problem() {
        return null;
    }
}
