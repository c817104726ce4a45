// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Records on their way from the event loops to one sink's writer: bounded, and without a lock that could make a loop wait, as that
 * of an {@code ArrayBlockingQueue} could.
 */
final class RecordQueue {
    private final int capacity;
    // Whoever stops waiting for a writer empties its queue, so polling by two threads must be safe.
    private final Queue<DecisionRecord> records = new ConcurrentLinkedQueue<>();
    private final AtomicInteger size = new AtomicInteger();
    private volatile @Nullable Thread waiting;
    private volatile boolean woken;

    RecordQueue(int capacity) {
        this.capacity = capacity;
    }

    /** False if there is no place. Any thread; never blocks. */
    boolean offer(DecisionRecord record) {
        if (size.incrementAndGet() > capacity) {
            size.decrementAndGet();
            return false;
        }
        records.add(record);
        wakeUp();
        return true;
    }

    /** The next record, or null. Any thread. */
    @Nullable
    DecisionRecord poll() {
        var record = records.poll();
        if (record != null) {
            size.decrementAndGet();
        }
        return record;
    }

    /** How many records wait. Any thread. */
    int size() {
        return Math.min(size.get(), capacity);
    }

    /** Waits until there may be something to do, at most that long. The writer's thread only. */
    void await(long nanos) {
        waiting = Thread.currentThread();
        // After it is known who waits: a call that came before is seen here, one that comes after unparks.
        if (!woken) {
            LockSupport.parkNanos(this, nanos);
        }
        waiting = null;
        woken = false;
    }

    /** Ends an {@link #await}, this one or the next. */
    void wakeUp() {
        woken = true;
        var thread = waiting;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }
}
