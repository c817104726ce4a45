// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import reactor.util.concurrent.Queues;

/**
 * Records on their way from the event loops to the writer: bounded, and without a lock that could make a loop wait, as that of an
 * {@code ArrayBlockingQueue} could.
 */
final class DecisionQueue {
    private final int capacity;
    private final Queue<DecisionRecord> records =
            Queues.<DecisionRecord>unboundedMultiproducer().get();
    private final AtomicInteger size = new AtomicInteger();
    private volatile @Nullable Thread waiting;
    private volatile boolean woken;

    DecisionQueue(int capacity) {
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

    /** The next record, or null. One thread only. */
    @Nullable
    DecisionRecord poll() {
        var record = records.poll();
        if (record != null) {
            size.decrementAndGet();
        }
        return record;
    }

    /** Waits until there may be something to do, at most that long. The same thread as {@link #poll}'s. */
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
