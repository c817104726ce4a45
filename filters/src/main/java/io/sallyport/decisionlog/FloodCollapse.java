// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import io.sallyport.decision.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Thins equal records and keeps their number: the first few of each minute pass one by one, and the rest becomes one record with
 * their exact count.
 *
 * <p>Any thread asks, without a lock; any thread closes windows. Each record lands in exactly one window: a closed one refuses it, and
 * it goes to the next. Each window is closed by one call, however many close at once.
 */
final class FloodCollapse {
    private static final Duration WINDOW = Duration.ofMinutes(1);
    // Bounds memory: some 10 MB. A flood from more callers than this is told apart by reason and route alone.
    private static final int MOST_CALLERS = 10_000;

    private final int threshold;
    private final String mark;
    private final int mostCallers;
    private final ConcurrentHashMap<Key, Window> byCaller = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Key, Window> byReason = new ConcurrentHashMap<>();

    /**
     * @param threshold how many equal records pass one by one in a minute
     * @param mark what the {@code event.id} of a record ends with that stands for others
     */
    FloodCollapse(int threshold, String mark) {
        this(threshold, mark, MOST_CALLERS);
    }

    FloodCollapse(int threshold, String mark, int mostCallers) {
        this.threshold = threshold;
        this.mark = mark;
        this.mostCallers = mostCallers;
    }

    /** Whether the record passes by itself; otherwise it has been counted. Any thread; never blocks. */
    boolean admits(DecisionRecord record) {
        var key = Key.of(record);
        while (true) {
            var windows = byCaller;
            var window = windows.get(key);
            if (window == null && byCaller.mappingCount() >= mostCallers) {
                windows = byReason;
                key = key.withoutCaller();
                window = windows.get(key);
            }
            if (window == null) {
                window = windows.computeIfAbsent(key, _ -> new Window(record));
            }
            if (window.admit(threshold)) {
                return true;
            }
            if (window.count(record)) {
                return false;
            }
            // Closed between our finding it and counting in it.
            windows.remove(key, window);
        }
    }

    /** Hands on the counts of the minutes that are over. Any thread. */
    void closeOver(Instant now, Consumer<DecisionRecord> write) {
        closeOpenedBefore(now.minus(WINDOW), byCaller, write);
        closeOpenedBefore(now.minus(WINDOW), byReason, write);
    }

    /** Hands on every count, at the end. Any thread. */
    void closeAll(Consumer<DecisionRecord> write) {
        closeOpenedBefore(Instant.MAX, byCaller, write);
        closeOpenedBefore(Instant.MAX, byReason, write);
    }

    private void closeOpenedBefore(
            Instant limit, ConcurrentHashMap<Key, Window> windows, Consumer<DecisionRecord> write) {
        for (var entry : windows.entrySet()) {
            var window = entry.getValue();
            if (!window.first.at().isAfter(limit)) {
                long count = window.close();
                windows.remove(entry.getKey(), window);
                if (count > 0) {
                    write.accept(window.first.repeated(count, window.last(), mark));
                }
            }
        }
    }

    /**
     * What makes records equal.
     *
     * @param caller the principal's subject or SPIFFE ID, else the address; null where callers are too many to tell apart
     */
    private record Key(
            DecisionRecord.Kind kind,
            @Nullable Reason reason,
            @Nullable String route,
            @Nullable String issuer,
            @Nullable Object caller) {
        static Key of(DecisionRecord record) {
            var caller = record.caller();
            Object who = caller.source();
            if (caller.subject() != null) {
                who = caller.subject();
            } else if (caller.spiffeId() != null) {
                who = caller.spiffeId();
            }
            return new Key(record.kind(), record.reason(), record.route(), caller.issuer(), who);
        }

        Key withoutCaller() {
            return new Key(kind, reason, route, null, null);
        }
    }

    /** A minute of equal records, beginning with the first. */
    private static final class Window {
        // So far below zero that no flood counts it back up.
        private static final long CLOSED = Long.MIN_VALUE / 2;

        private final DecisionRecord first;
        private final AtomicInteger admitted = new AtomicInteger();
        private final AtomicLong counted = new AtomicLong();
        private final AtomicLong lastMillis;

        private Window(DecisionRecord first) {
            this.first = first;
            this.lastMillis = new AtomicLong(first.at().toEpochMilli());
        }

        /** Whether this record may still be written by itself. */
        boolean admit(int threshold) {
            return admitted.get() < threshold && admitted.getAndIncrement() < threshold;
        }

        /** Counts one record; false if this window is closed and it has to be counted in another. */
        boolean count(DecisionRecord record) {
            // Before counting: who closes the window then sees at least this time.
            lastMillis.accumulateAndGet(record.last().toEpochMilli(), Math::max);
            return counted.addAndGet(record.weight()) > 0;
        }

        long close() {
            return counted.getAndSet(CLOSED);
        }

        Instant last() {
            return Instant.ofEpochMilli(lastMillis.get());
        }
    }
}
