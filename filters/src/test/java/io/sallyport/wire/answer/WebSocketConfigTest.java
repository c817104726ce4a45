// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.forward.WebSocketPlan;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.springframework.util.unit.DataSize;

class WebSocketConfigTest {
    private static final DataSize MAX_FRAME = DataSize.ofKilobytes(64);
    private static final Duration IDLE = Duration.ofMinutes(5);

    private final Findings findings = new Findings();

    @Test
    void a_right_section_becomes_a_plan() {
        var config = new WebSocketConfig(List.of(new Origin("https://app.example.org")), MAX_FRAME, IDLE);

        assertThat(WebSocketConfig.compile(config, Set.of(HttpMethod.GET), findings.at("websocket")))
                .isEqualTo(new WebSocketPlan(Set.of("https://app.example.org"), 64 * 1024, IDLE));
        assertThat(findings.isEmpty()).isTrue();
    }

    @Test
    void a_route_that_does_not_match_GET_cannot_have_one() {
        var config = new WebSocketConfig(List.of(), MAX_FRAME, IDLE);

        assertThat(WebSocketConfig.compile(config, Set.of(HttpMethod.POST), findings.at("websocket")))
                .isNull();
        assertThat(findings.isEmpty()).isFalse();
    }

    @Test
    void sizes_and_times_have_bounds() {
        assertInvalid(DataSize.ofBytes(1023), IDLE, "max-frame: 1023B (expected: 1KB to 16MB)");
        assertInvalid(DataSize.ofMegabytes(17), IDLE, "max-frame: 17825792B (expected: 1KB to 16MB)");
        assertInvalid(MAX_FRAME, Duration.ofMillis(999), "idle-timeout: PT0.999S (expected: 1s to 24h)");
        assertInvalid(MAX_FRAME, Duration.ofHours(25), "idle-timeout: PT25H (expected: 1s to 24h)");
    }

    private static void assertInvalid(DataSize maxFrame, Duration idleTimeout, String message) {
        assertThatThrownBy(() -> new WebSocketConfig(List.of(), maxFrame, idleTimeout))
                .isInstanceOf(InvalidSetting.class)
                .hasMessage(message);
    }
}
