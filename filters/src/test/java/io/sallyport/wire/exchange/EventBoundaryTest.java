// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventBoundaryTest {
    private final EventBoundary boundary = new EventBoundary();

    private boolean isReachedAfter(String... parts) {
        for (var part : parts) {
            boundary.pass(Unpooled.copiedBuffer(part, StandardCharsets.UTF_8));
        }
        return boundary.isReached();
    }

    @Test
    void a_stream_that_has_not_begun_is_between_events() {
        assertThat(boundary.isReached()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data: 1\n\n",
                "data: 1\r\n\r\n",
                "data: 1\r\r",
                "data: 1\n\r",
                "data: 1\r\n\n",
                "\n",
                ": ping\n\n"
            })
    void an_empty_line_ends_an_event(String event) {
        assertThat(isReachedAfter(event)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"data", "data: 1\n", "data: 1\r\n", "data: 1\r", "data: 1\n\ndata: 2", "data: 1\n\ndata: 2\n"})
    void within_an_event_no_end_is_reached(String begun) {
        assertThat(isReachedAfter(begun)).isFalse();
    }

    @Test
    void it_does_not_matter_how_the_stream_is_cut() {
        assertThat(isReachedAfter("data: 1\r", "\n", "\r", "\n")).isTrue();
        assertThat(isReachedAfter("d", "ata: 2", "\n")).isFalse();
        assertThat(isReachedAfter("\n")).isTrue();
    }
}
