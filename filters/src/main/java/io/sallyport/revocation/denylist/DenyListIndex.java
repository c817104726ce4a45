// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.denylist;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The deny-list in memory: by issuer, then by kind, then by value, so that a look-up builds no key. Read by every event loop; changed by
 * one store, which sees to it that changes do not overlap.
 */
public final class DenyListIndex implements DenyList {
    private final ConcurrentHashMap<String, Map<DenyListKey.Kind, ConcurrentHashMap<String, DenyListEntry>>> byIssuer =
            new ConcurrentHashMap<>();
    private final AtomicInteger size = new AtomicInteger();
    private volatile boolean complete;

    public DenyListIndex(MeterRegistry meters) {
        Gauge.builder("sallyport.revocation.entries", size, AtomicInteger::get)
                .description("Entries of the deny-list, expired ones that were not swept yet included")
                .register(meters);
    }

    @Override
    public @Nullable DenyListEntry find(
            DenyListKey.Kind kind, String issuer, String value, Instant issuedAt, Instant now) {
        var kinds = byIssuer.get(issuer);
        if (kinds == null) {
            return null;
        }
        var values = kinds.get(kind);
        var entry = values == null ? null : values.get(value);
        return entry != null && entry.denies(issuedAt, now) ? entry : null;
    }

    @Override
    public boolean isComplete() {
        return complete;
    }

    /** Says that everything that was ever acknowledged has been put. */
    public void complete() {
        complete = true;
    }

    /** The entry of exactly this key, expired or not. */
    public @Nullable DenyListEntry get(DenyListKey key) {
        var kinds = byIssuer.get(key.issuer());
        var values = kinds == null ? null : kinds.get(key.kind());
        return values == null ? null : values.get(key.value());
    }

    /** Puts the entry in the place of one with its key. */
    public void put(DenyListEntry entry) {
        var key = entry.key();
        var values = byIssuer.computeIfAbsent(key.issuer(), _ -> emptyKinds()).get(key.kind());
        if (values != null && values.put(key.value(), entry) == null) {
            size.incrementAndGet();
        }
    }

    // Complete from the start and never changed after, so that it may be read without a lock.
    private static Map<DenyListKey.Kind, ConcurrentHashMap<String, DenyListEntry>> emptyKinds() {
        var kinds = new EnumMap<DenyListKey.Kind, ConcurrentHashMap<String, DenyListEntry>>(DenyListKey.Kind.class);
        for (var kind : DenyListKey.Kind.values()) {
            kinds.put(kind, new ConcurrentHashMap<>());
        }
        return kinds;
    }

    public void remove(DenyListKey key) {
        var kinds = byIssuer.get(key.issuer());
        var values = kinds == null ? null : kinds.get(key.kind());
        if (values != null && values.remove(key.value()) != null) {
            size.decrementAndGet();
        }
    }

    /** Removes what has expired. */
    public void sweep(Instant now) {
        for (var kinds : byIssuer.values()) {
            for (var values : kinds.values()) {
                values.values().removeIf(entry -> {
                    boolean expired = !now.isBefore(entry.expiresAt());
                    if (expired) {
                        size.decrementAndGet();
                    }
                    return expired;
                });
            }
        }
    }

    /** How many entries there are, expired ones that were not swept yet included. */
    public int size() {
        return size.get();
    }

    /** Every entry that has not expired, in no order. */
    public List<DenyListEntry> entries(Instant now) {
        var entries = new ArrayList<DenyListEntry>(size());
        for (var kinds : byIssuer.values()) {
            for (var values : kinds.values()) {
                for (var entry : values.values()) {
                    if (now.isBefore(entry.expiresAt())) {
                        entries.add(entry);
                    }
                }
            }
        }
        return entries;
    }
}
