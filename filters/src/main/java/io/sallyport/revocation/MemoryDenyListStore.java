// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation;

import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Changes the index and nothing else: a restart forgets every entry. */
public final class MemoryDenyListStore implements DenyListStore {
    private final DenyListIndex index;
    private final int maxEntries;
    private final InstantSource clock;

    /** @param index empty; complete from now on */
    public MemoryDenyListStore(DenyListIndex index, int maxEntries, InstantSource clock) {
        this.index = index;
        this.maxEntries = maxEntries;
        this.clock = clock;
        index.complete();
    }

    @Override
    public synchronized CompletionStage<Change> add(DenyListEntry entry) {
        var present = index.get(entry.key());
        if (present != null) {
            var merged = present.merge(entry);
            index.put(merged);
            return CompletableFuture.completedStage(new Change.Merged(merged));
        }
        if (index.size() >= maxEntries) {
            index.sweep(clock.instant());
        }
        if (index.size() >= maxEntries) {
            return CompletableFuture.completedStage(new Change.Full(maxEntries));
        }
        index.put(entry);
        return CompletableFuture.completedStage(new Change.Added(entry));
    }

    @Override
    public synchronized CompletionStage<Change> remove(DenyListKey key) {
        var present = index.get(key);
        if (present == null) {
            return CompletableFuture.completedStage(new Change.Absent());
        }
        index.remove(key);
        return CompletableFuture.completedStage(new Change.Removed(present));
    }

    @Override
    public List<DenyListEntry> entries() {
        return index.entries(clock.instant());
    }

    @Override
    public boolean isDurable() {
        return false;
    }
}
