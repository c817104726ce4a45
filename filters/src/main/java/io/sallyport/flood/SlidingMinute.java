// SPDX-License-Identifier: Apache-2.0
package io.sallyport.flood;

import java.util.Arrays;

/**
 * Counts what happened within the last minute, in twelve steps of five seconds: an event leaves the count when its step is a
 * minute old, so after 55 to 60 seconds. Safe for use by several threads.
 */
final class SlidingMinute {
    private static final int STEPS = 12;
    private static final int STEP_SECONDS = 5;

    private final int[] counts = new int[STEPS];
    private long newestStep = Long.MIN_VALUE;

    /** @param epochSecond when it happened; may be a little out of order */
    synchronized void add(long epochSecond) {
        long step = Math.floorDiv(epochSecond, STEP_SECONDS);
        advanceTo(step);
        if (step > newestStep - STEPS) {
            counts[slot(step)]++;
        }
    }

    synchronized int count(long epochSecond) {
        advanceTo(Math.floorDiv(epochSecond, STEP_SECONDS));
        return sum();
    }

    /** How long until fewer than {@code limit} are left, if nothing is added: 0 to 60 seconds, 0 if it is so now. */
    synchronized int secondsUntilBelow(int limit, long epochSecond) {
        advanceTo(Math.floorDiv(epochSecond, STEP_SECONDS));
        int left = sum();
        if (left < limit) {
            return 0;
        }
        for (long step = newestStep - STEPS + 1; step <= newestStep; step++) {
            left -= counts[slot(step)];
            if (left < limit) {
                long leaves = (step + STEPS) * STEP_SECONDS;
                // At most a minute: a request that waited long enough to be judged late still gets a sane answer.
                return Math.clamp(leaves - epochSecond, 1, STEPS * STEP_SECONDS);
            }
        }
        return STEPS * STEP_SECONDS;
    }

    private void advanceTo(long step) {
        // A step far in the past means that the clock was set back: what was counted before says nothing about now.
        if (step >= newestStep + STEPS || step <= newestStep - STEPS * 2L) {
            Arrays.fill(counts, 0);
            newestStep = step;
            return;
        }
        while (newestStep < step) {
            newestStep++;
            counts[slot(newestStep)] = 0;
        }
    }

    private int sum() {
        int sum = 0;
        for (int count : counts) {
            sum += count;
        }
        return sum;
    }

    private static int slot(long step) {
        return (int) Math.floorMod(step, (long) STEPS);
    }
}
