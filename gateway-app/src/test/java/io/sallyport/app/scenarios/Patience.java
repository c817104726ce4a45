// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import java.time.Duration;

/** Waits for what other processes do in their own time. */
final class Patience {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration PAUSE = Duration.ofMillis(50);

    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }

    private Patience() {}

    /** Returns when it holds; an error after a minute. */
    static void until(String what, Condition condition) throws InterruptedException {
        var deadline = System.nanoTime() + LIMIT.toNanos();
        while (!holds(what, condition)) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within %d s: %s".formatted(LIMIT.toSeconds(), what));
            }
            Thread.sleep(PAUSE);
        }
    }

    private static boolean holds(String what, Condition condition) throws InterruptedException {
        try {
            return condition.holds();
        } catch (InterruptedException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(what, e);
        }
    }
}
