// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import java.util.Locale;

/** How long something has taken so far, for a human. */
final class Stopwatch {
    private final long started = System.nanoTime();

    private Stopwatch() {}

    static Stopwatch start() {
        return new Stopwatch();
    }

    /** In seconds with one decimal: {@code 4.2 s}. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.1f s", (System.nanoTime() - started) / 1e9);
    }
}
