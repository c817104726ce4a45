// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.shedding;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * What share of its requests one event loop has to refuse so that the rest is answered in time. A timer that comes late says how
 * long everything waits that the loop has to do; each time it is too late again the share grows, by more the later it is, and
 * each time it is not the share shrinks. So it settles where the loop is just about in time: a loop that refused all until it
 * has caught up would swing between too much and nothing.
 *
 * <p>On its event loop alone, except for {@link #lag}. Its timer stops when no requests come.
 */
final class LoopLoad implements Runnable {
    /** Of so many requests. */
    static final int ALL = 256;

    /** Never all of them: who refuses everything does not see that it has become better. */
    private static final int MOST = ALL - ALL / 16;

    private static final long INTERVAL = Duration.ofMillis(50).toNanos();
    private static final int STEP_UP = ALL / 16;
    private static final int LARGEST_STEP_UP = ALL / 4;
    private static final int STEP_DOWN = ALL / 64;
    private static final int LATE_LOOKS = 3;
    private static final int IDLE_LOOKS = 20;

    /** Runs something on the event loop later. */
    @FunctionalInterface
    interface Timer {
        void runIn(Runnable task, long delay, TimeUnit unit);
    }

    private final Timer timer;
    private final LongSupplier nanoTime;
    private final long limit;
    private final LongSupplier longestWait;
    private final BooleanSupplier memoryIsShort;

    private boolean running;
    private int looksWithoutRequests;
    private long due;
    private int lateInARow;
    private int share;
    private int shed;
    private volatile long lag;

    /**
     * @param limit of the lag
     * @param longestWait nanoseconds for which something has been held back so far because the loop is behind; that is lag, too
     */
    LoopLoad(
            Timer timer,
            LongSupplier nanoTime,
            Duration limit,
            LongSupplier longestWait,
            BooleanSupplier memoryIsShort) {
        this.timer = timer;
        this.nanoTime = nanoTime;
        this.limit = limit.toNanos();
        this.longestWait = longestWait;
        this.memoryIsShort = memoryIsShort;
    }

    /**
     * Whether a request that has just come is to be refused.
     *
     * @param random its lowest 8 bits are
     */
    boolean sheds(long random) {
        looksWithoutRequests = 0;
        if (!running) {
            running = true;
            schedule();
        }
        return (random & (ALL - 1)) < shed;
    }

    private void schedule() {
        due = nanoTime.getAsLong() + INTERVAL;
        timer.runIn(this, INTERVAL, TimeUnit.NANOSECONDS);
    }

    @Override
    public void run() {
        long late = Math.max(longestWait.getAsLong(), nanoTime.getAsLong() - due);
        lag = late;
        adjust(late);
        // Fewer connections do not help against what is held already; fewer requests do.
        shed = memoryIsShort.getAsBoolean() ? MOST : share;
        looksWithoutRequests++;
        if (looksWithoutRequests > IDLE_LOOKS && share == 0) {
            running = false;
            shed = 0;
            lag = 0;
            lateInARow = 0;
            return;
        }
        schedule();
    }

    private void adjust(long late) {
        if (late <= limit) {
            lateInARow = 0;
            share = Math.max(0, share - STEP_DOWN);
            return;
        }
        // Once or twice is a pause, of the collector or of the machine; under load it is late again.
        if (++lateInARow >= LATE_LOOKS) {
            share = Math.min(MOST, share + (int) Math.min(LARGEST_STEP_UP, STEP_UP * late / limit));
        }
    }

    /** How late the event loop was when it was looked at last, in nanoseconds. Any thread. */
    long lag() {
        return lag;
    }
}
