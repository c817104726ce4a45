// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.shedding;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** How the share of requests that are refused follows the lag of an event loop, whose time is the test's. */
class LoopLoadTest {
    private static final Duration LIMIT = Duration.ofMillis(100);

    private long now;
    private long due;
    private @Nullable Runnable timer;
    private long held;
    private boolean memoryIsShort;

    private final LoopLoad load = new LoopLoad(
            (task, delay, unit) -> {
                timer = task;
                due = now + unit.toNanos(delay);
            },
            () -> now,
            LIMIT,
            () -> held,
            () -> memoryIsShort);

    @Test
    void a_loop_in_time_refuses_nothing() {
        for (int i = 0; i < 100; i++) {
            assertThat(refusedOf256()).isZero();
            look(LIMIT);
        }
    }

    @Test
    void what_has_been_held_back_for_longer_than_the_limit_is_lag_of_a_loop_in_time() {
        refusedOf256();
        held = LIMIT.toNanos() + 1;
        for (int i = 0; i < 10; i++) {
            look(Duration.ZERO);
        }

        assertThat(refusedOf256()).isPositive();
        assertThat(load.lag()).isEqualTo(held);
    }

    @Test
    void one_pause_or_two_are_no_load() {
        refusedOf256();
        look(Duration.ofSeconds(5));
        look(Duration.ofSeconds(5));

        assertThat(refusedOf256()).isZero();
        look(Duration.ZERO);
        assertThat(refusedOf256()).isZero();
    }

    @Test
    void a_loop_that_is_late_again_and_again_refuses_more_and_more_but_never_all() {
        refusedOf256();
        look(LIMIT.plusMillis(1));
        look(LIMIT.plusMillis(1));
        look(LIMIT.plusMillis(1));
        int first = refusedOf256();
        look(LIMIT.plusMillis(1));
        int second = refusedOf256();

        assertThat(first).isPositive();
        assertThat(second).isGreaterThan(first);
        for (int i = 0; i < 100; i++) {
            look(Duration.ofSeconds(1));
        }
        assertThat(refusedOf256()).isEqualTo(240);
    }

    @Test
    void the_later_it_is_the_faster_it_gives_way() {
        refusedOf256();
        look(LIMIT.multipliedBy(3));
        look(LIMIT.multipliedBy(3));
        look(LIMIT.multipliedBy(3));

        assertThat(refusedOf256()).isEqualTo(48);
    }

    @Test
    void it_takes_more_again_when_it_is_in_time_and_all_in_the_end() {
        refusedOf256();
        for (int i = 0; i < 5; i++) {
            look(Duration.ofSeconds(1));
        }
        int most = refusedOf256();
        look(Duration.ZERO);

        assertThat(refusedOf256()).isBetween(1, most - 1);
        for (int i = 0; i < 100; i++) {
            look(Duration.ZERO);
            refusedOf256();
        }
        assertThat(refusedOf256()).isZero();
    }

    @Test
    void while_memory_is_short_nearly_all_is_refused_whatever_the_lag() {
        refusedOf256();
        memoryIsShort = true;
        look(Duration.ZERO);
        assertThat(refusedOf256()).isEqualTo(240);

        memoryIsShort = false;
        look(Duration.ZERO);
        assertThat(refusedOf256()).isZero();
    }

    @Test
    void nothing_is_timed_while_no_requests_come_and_again_from_the_next_on() {
        refusedOf256();
        for (int i = 0; i < 21; i++) {
            assertThat(timer).isNotNull();
            look(Duration.ZERO);
        }
        assertThat(timer).isNull();

        refusedOf256();
        assertThat(timer).isNotNull();
    }

    @Test
    void the_lag_is_the_last_that_was_seen() {
        refusedOf256();
        look(Duration.ofMillis(7));

        assertThat(load.lag()).isEqualTo(Duration.ofMillis(7).toNanos());
    }

    private int refusedOf256() {
        return (int) IntStream.range(0, 256).filter(load::sheds).count();
    }

    private void look(Duration late) {
        var task = Objects.requireNonNull(timer);
        timer = null;
        now = due + late.toNanos();
        task.run();
    }
}
