// SPDX-License-Identifier: Apache-2.0
package io.sallyport.flood;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SlidingMinuteTest {
    private static final long T = 1_800_000_000L;

    private final SlidingMinute minute = new SlidingMinute();

    @Test
    void an_event_counts_for_the_minute_that_its_five_seconds_begin() {
        minute.add(T);

        assertThat(minute.count(T)).isEqualTo(1);
        assertThat(minute.count(T + 59)).isEqualTo(1);
        assertThat(minute.count(T + 60)).isZero();
    }

    @Test
    void events_leave_as_they_came() {
        minute.add(T);
        minute.add(T + 30);
        minute.add(T + 31);

        assertThat(minute.count(T + 59)).isEqualTo(3);
        assertThat(minute.count(T + 60)).isEqualTo(2);
        assertThat(minute.count(T + 89)).isEqualTo(2);
        assertThat(minute.count(T + 90)).isZero();
    }

    @Test
    void the_wait_ends_when_enough_have_left() {
        minute.add(T);
        minute.add(T + 20);
        minute.add(T + 20);

        assertThat(minute.secondsUntilBelow(4, T + 21)).isZero();
        assertThat(minute.secondsUntilBelow(3, T + 21)).isEqualTo(39);
        assertThat(minute.secondsUntilBelow(2, T + 21)).isEqualTo(59);
        assertThat(minute.secondsUntilBelow(1, T + 21)).isEqualTo(59);
    }

    @Test
    void one_that_is_told_late_counts_where_it_belongs() {
        minute.add(T + 50);
        minute.add(T);

        assertThat(minute.count(T + 50)).isEqualTo(2);
        assertThat(minute.count(T + 60)).isEqualTo(1);
    }

    @Test
    void one_that_is_told_a_minute_late_counts_no_more() {
        minute.add(T + 60);
        minute.add(T);

        assertThat(minute.count(T + 60)).isEqualTo(1);
    }

    @Test
    void a_clock_that_is_set_back_by_an_hour_does_not_throttle_for_an_hour() {
        minute.add(T + 3600);
        minute.add(T);

        assertThat(minute.count(T)).isEqualTo(1);
        assertThat(minute.count(T + 60)).isZero();
    }

    @Test
    void a_count_long_after_the_last_is_nothing() {
        minute.add(T);

        assertThat(minute.count(T + 1_000_000)).isZero();
        assertThat(minute.secondsUntilBelow(1, T + 1_000_000)).isZero();
    }
}
