// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.forward.WebSocketPlan;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/** Section {@code websocket} of a route: that its requests may become WebSockets, and which pages may ask for that. */
public record WebSocketConfig(
        @Setting(
                "The origins of the pages that may open one: https://app.example.org. Exact, no wildcard. [] for none: then only"
                        + " callers that are no browser, and send no Origin.")
        List<Origin> origins,

        @Setting(
                value = "The longest frame, in either direction; 1KB to 16MB. A longer one is closed with 1009.",
                byDefault = "1MB")
        DataSize maxFrame,

        @Setting(
                value =
                        "How often it is looked whether a frame has passed since, a ping being one; one that has seen none is closed with"
                                + " 1001. 1s to 24h.",
                byDefault = "5m")
        Duration idleTimeout) {

    public WebSocketConfig {
        origins = List.copyOf(origins);
        if (maxFrame.compareTo(DataSize.ofKilobytes(1)) < 0 || maxFrame.compareTo(DataSize.ofMegabytes(16)) > 0) {
            throw new InvalidSetting("max-frame", maxFrame, "1KB to 16MB");
        }
        if (idleTimeout.compareTo(Duration.ofSeconds(1)) < 0 || idleTimeout.compareTo(Duration.ofDays(1)) > 0) {
            throw new InvalidSetting("idle-timeout", idleTimeout, "1s to 24h");
        }
    }

    /**
     * Compiles the section, or adds findings at its place and returns null.
     *
     * @param methods those of the route
     */
    public static @Nullable WebSocketPlan compile(WebSocketConfig config, Set<HttpMethod> methods, Findings.Place at) {
        if (!methods.contains(HttpMethod.GET)) {
            at.reject(
                    "(a section)", "nothing, because the route does not match GET, by which a WebSocket is asked for");
            return null;
        }
        return new WebSocketPlan(
                config.origins.stream().map(Origin::value).collect(Collectors.toSet()),
                Math.toIntExact(config.maxFrame.toBytes()),
                config.idleTimeout);
    }
}
