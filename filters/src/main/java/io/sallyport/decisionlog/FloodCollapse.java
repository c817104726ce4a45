// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import io.sallyport.decision.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Thins the records of a flood and keeps their number: of equal ones, the first few of each minute are written one by one, and
 * the rest becomes one record with their exact count. A record for which there is no place in the queue is counted in the same
 * way instead of lost.
 *
 * <p>Event loops add, without a lock; one writer closes windows. Each addition lands in exactly one window: a closed one refuses
 * it, and it goes to the next.
 */
final class FloodCollapse {
    private static final Duration WINDOW = Duration.ofMinutes(1);
    // Bounds memory: some 10 MB. A flood from more callers than this is told apart by reason and route alone.
    private static final int MOST_CALLERS = 10_000;

    private final int threshold;
    private final int mostCallers;
    private final Predicate<DecisionRecord> queue;
    private final ConcurrentHashMap<Key, Window> byCaller = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Key, Window> byReason = new ConcurrentHashMap<>();

    /**
     * @param threshold how many equal records are written one by one in a minute
     * @param queue takes a record to be written, or says that it has no place
     */
    FloodCollapse(int threshold, Predicate<DecisionRecord> queue) {
        this(threshold, MOST_CALLERS, queue);
    }

    FloodCollapse(int threshold, int mostCallers, Predicate<DecisionRecord> queue) {
        this.threshold = threshold;
        this.mostCallers = mostCallers;
        this.queue = queue;
    }

    /** Queues the record, or counts it. Any thread; never blocks. */
    void add(DecisionRecord record) {
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
            if (window.admit(threshold) && queue.test(record)) {
                return;
            }
            if (window.count(record.at())) {
                return;
            }
            // Closed between our finding it and counting in it.
            windows.remove(key, window);
        }
    }

    /** Writes the counts of the minutes that are over. The writer's thread. */
    void closeOver(Instant now, Consumer<DecisionRecord> write) {
        closeOpenedBefore(now.minus(WINDOW), byCaller, write);
        closeOpenedBefore(now.minus(WINDOW), byReason, write);
    }

    /** Writes every count, at the end. The writer's thread. */
    void closeAll(Consumer<DecisionRecord> write) {
        closeOpenedBefore(Instant.MAX, byCaller, write);
        closeOpenedBefore(Instant.MAX, byReason, write);
    }

    private static void closeOpenedBefore(
            Instant limit, ConcurrentHashMap<Key, Window> windows, Consumer<DecisionRecord> write) {
        for (var entry : windows.entrySet()) {
            var window = entry.getValue();
            if (!window.first.at().isAfter(limit)) {
                long count = window.close();
                windows.remove(entry.getKey(), window);
                if (count > 0) {
                    write.accept(window.first.repeated(new DecisionRecord.Repeats(count, window.last())));
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
        boolean count(Instant at) {
            // Before counting: who closes the window then sees at least this time.
            lastMillis.accumulateAndGet(at.toEpochMilli(), Math::max);
            return counted.incrementAndGet() > 0;
        }

        long close() {
            return counted.getAndSet(CLOSED);
        }

        Instant last() {
            return Instant.ofEpochMilli(lastMillis.get());
        }
    }
}
