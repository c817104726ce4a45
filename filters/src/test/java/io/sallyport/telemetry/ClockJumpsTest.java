// SPDX-License-Identifier: Apache-2.0
package io.sallyport.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class ClockJumpsTest {
    private Instant wall = Instant.parse("2026-11-22T12:00:00Z");
    private long nanos = 5;

    @Test
    void a_clock_that_was_set_is_logged_with_the_direction_and_how_far() {
        var jumps = new ClockJumps(() -> wall, () -> nanos);
        try (var logged = Logged.of(ClockJumps.class)) {
            pass(Duration.ofSeconds(1), Duration.ofSeconds(1));
            jumps.look();
            pass(Duration.ofSeconds(-3599), Duration.ofSeconds(1));
            jumps.look();
            pass(Duration.ofSeconds(61), Duration.ofSeconds(1));
            jumps.look();

            assertThat(logged.lines())
                    .containsExactly(
                            "WARN the clock jumped back by 3600.0 s: tokens and certificates are judged by it",
                            "WARN the clock jumped forward by 60.0 s: tokens and certificates are judged by it");
        }
    }

    @Test
    void a_process_that_stood_still_has_seen_no_jump() {
        var jumps = new ClockJumps(() -> wall, () -> nanos);
        try (var logged = Logged.of(ClockJumps.class)) {
            pass(Duration.ofMinutes(5), Duration.ofMinutes(5));
            jumps.look();

            assertThat(logged.lines()).isEmpty();
        }
    }

    private void pass(Duration onTheWall, Duration inTruth) {
        wall = wall.plus(onTheWall);
        nanos += inTruth.toNanos();
    }
}
