// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.denylist;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Changes of a deny-list that were decided on and have not taken effect yet: each sees those before it. A store writes down what they
 * come to, and then applies it. For one thread.
 */
public final class DenyListChanges {
    private final DenyListIndex index;
    private final int maxEntries;
    private final Instant now;
    private final Map<DenyListKey, @Nullable DenyListEntry> net = new LinkedHashMap<>();
    private int added;

    public DenyListChanges(DenyListIndex index, int maxEntries, Instant now) {
        this.index = index;
        this.maxEntries = maxEntries;
        this.now = now;
    }

    /** Adds an entry, or makes the one with its key stricter; refuses it if the list is full of entries that still count. */
    public DenyListStore.Change add(DenyListEntry entry) {
        var present = present(entry.key());
        if (present != null && now.isBefore(present.expiresAt())) {
            var merged = present.merge(entry);
            if (!merged.equals(present)) {
                net.put(entry.key(), merged);
            }
            return new DenyListStore.Change.Merged(merged);
        }
        if (present == null) {
            if (index.size() + added >= maxEntries) {
                index.sweep(now);
            }
            if (index.size() + added >= maxEntries) {
                return new DenyListStore.Change.Full(maxEntries);
            }
            added++;
        }
        net.put(entry.key(), entry);
        return new DenyListStore.Change.Added(entry);
    }

    public DenyListStore.Change remove(DenyListKey key) {
        var present = present(key);
        if (present == null) {
            return new DenyListStore.Change.Absent();
        }
        net.put(key, null);
        added--;
        return new DenyListStore.Change.Removed(present);
    }

    private @Nullable DenyListEntry present(DenyListKey key) {
        return net.containsKey(key) ? net.get(key) : index.get(key);
    }

    /** By key, what it is to become; null if it is to go. */
    public Map<DenyListKey, @Nullable DenyListEntry> net() {
        return Collections.unmodifiableMap(net);
    }

    /** Lets the changes take effect. */
    public void apply() {
        net.forEach((key, entry) -> {
            if (entry == null) {
                index.remove(key);
            } else {
                index.put(entry);
            }
        });
    }
}
