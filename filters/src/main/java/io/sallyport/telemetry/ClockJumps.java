// SPDX-License-Identifier: Apache-2.0
package io.sallyport.telemetry;

import java.time.Duration;
import java.time.InstantSource;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs that the wall clock was set while the process ran: tokens, SVIDs and the deny-list are judged by it, so a jump explains refusals that
 * nothing else does. For one thread.
 */
public final class ClockJumps {
    private static final Logger log = LoggerFactory.getLogger(ClockJumps.class);

    /** More than a time service slews between two looks. */
    private static final Duration TOLERATED = Duration.ofSeconds(2);

    private final InstantSource clock;
    private final LongSupplier nanos;
    private long lastMillis;
    private long lastNanos;

    /** @param nanos a clock that nobody can set, in nanoseconds */
    public ClockJumps(InstantSource clock, LongSupplier nanos) {
        this.clock = clock;
        this.nanos = nanos;
        this.lastMillis = clock.millis();
        this.lastNanos = nanos.getAsLong();
    }

    /** Compares both clocks with what they said at the last look. */
    public void look() {
        long millis = clock.millis();
        long now = nanos.getAsLong();
        var jump = Duration.ofMillis(millis - lastMillis).minusNanos(now - lastNanos);
        lastMillis = millis;
        lastNanos = now;
        if (jump.abs().compareTo(TOLERATED) > 0) {
            log.atWarn()
                    .addKeyValue("seconds", jump.toMillis() / 1000.0)
                    .log(
                            "the clock jumped {} by {} s: tokens and certificates are judged by it",
                            jump.isNegative() ? "back" : "forward",
                            jump.abs().toMillis() / 1000.0);
        }
    }
}
