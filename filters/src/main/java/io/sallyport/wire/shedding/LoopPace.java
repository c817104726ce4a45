// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.shedding;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * How much one event loop reads of what clients of HTTP/2 ask for. When a turn of it, the work between two looks at what is ready,
 * takes too long, connections wait; one is read in a turn, if so much has ended that what is under way becomes less.
 *
 * <p>Each of these clients may ask for a hundred things at once. If all of it is read as it comes, all of it is under way together:
 * each request outlives a collection of the heap, each wants a connection to its upstream, nothing is in the processor's caches
 * any more, and a loop that is short of time gets half as much done in it. What is not read costs nothing.
 *
 * <p>On its event loop alone.
 */
public final class LoopPace {
    /** In nanoseconds. A loop in time has far less to do in one turn. */
    public static final long LONGEST_TURN = Duration.ofMillis(4).toNanos();

    /** A loop in time reads on, for as long, whatever is under way: that waits for upstreams then, and not for the loop. */
    static final long IN_TIME = Duration.ofMillis(1).toNanos();

    /** Nor does anybody wait longer because nothing ends. */
    static final int MOST_TURNS_WITHOUT = 16;

    private static final long INTERVAL = Duration.ofMillis(1).toNanos();

    private static final FastThreadLocal<LoopPace> HERE = new FastThreadLocal<>();

    private final Executor atEndOfTurn;
    private final LoopLoad.Timer timer;
    private final LongSupplier nanoTime;

    /** In the order of their coming. */
    private final ArrayDeque<PacedReads> waiting = new ArrayDeque<>(0);

    private final Runnable endOfTurn = this::endTurn;
    private boolean inTurn;
    private long turnBegan;
    private boolean scheduled;
    private long due;

    /** Streams, since a connection that had waited was read. */
    private int begun;

    private int ended;
    private int turnsWithout;

    /** @param atEndOfTurn runs what it is given when all that is ready has been dealt with */
    LoopPace(Executor atEndOfTurn, LoopLoad.Timer timer, LongSupplier nanoTime) {
        this.atEndOfTurn = atEndOfTurn;
        this.timer = timer;
        this.nanoTime = nanoTime;
    }

    /** That of the event loop, which is the caller's own. */
    public static LoopPace of(EventLoop eventLoop) {
        var pace = HERE.get();
        if (pace == null) {
            pace = new LoopPace(
                    eventLoop,
                    (task, delay, unit) -> LoadShedding.runIn(eventLoop, task, delay, unit),
                    System::nanoTime);
            HERE.set(pace);
        }
        return pace;
    }

    /** Whether what has just come in may be read; else its connection is to {@link #await} its turn. Nobody overtakes who waits. */
    boolean mayRead() {
        if (!inTurn) {
            inTurn = true;
            turnBegan = now();
            atEndOfTurn.execute(endOfTurn);
        } else if (now() - turnBegan > LONGEST_TURN) {
            return false;
        }
        return waiting.isEmpty();
    }

    /** Has a connection wait until it is told to {@link PacedReads#readOn}. */
    void await(PacedReads connection) {
        waiting.add(connection);
        schedule();
    }

    /** A connection that is gone waits no longer. */
    void forget(PacedReads connection) {
        waiting.remove(connection);
    }

    /** A stream has begun. */
    public void begun() {
        begun++;
    }

    /** A stream has ended. */
    public void ended() {
        ended++;
    }

    /** For how long the first has been waiting, in nanoseconds; zero if nobody is. */
    long longestWait() {
        var first = waiting.peekFirst();
        return first == null ? 0 : now() - first.waitingSince();
    }

    /** The time of the loop, in nanoseconds. */
    long now() {
        return nanoTime.getAsLong();
    }

    private void endTurn() {
        inTurn = false;
    }

    private void schedule() {
        if (!scheduled) {
            scheduled = true;
            due = now() + INTERVAL;
            timer.runIn(this::readNext, INTERVAL, TimeUnit.NANOSECONDS);
        }
    }

    private void readNext() {
        scheduled = false;
        long now = now();
        boolean inTime = now - due < IN_TIME;
        if (inTime || ended >= 2 * begun || ++turnsWithout >= MOST_TURNS_WITHOUT) {
            begun = 0;
            ended = 0;
            turnsWithout = 0;
            do {
                var next = waiting.pollFirst();
                if (next == null) {
                    return;
                }
                next.readOn();
            } while (inTime && now() - now < IN_TIME);
        }
        if (!waiting.isEmpty()) {
            schedule();
        }
    }
}
