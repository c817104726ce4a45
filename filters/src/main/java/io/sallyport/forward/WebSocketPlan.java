// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import java.time.Duration;
import java.util.Set;

/**
 * On what terms requests of a route may become WebSockets.
 *
 * @param origins the pages that may open one, as browsers write them in {@code Origin}; none of them for callers that are no
 *     browser, and send none
 * @param maxFrame bytes of one frame's payload, in either direction
 * @param idleTimeout how often it is looked whether a frame has passed since; one that has seen none is closed
 */
public record WebSocketPlan(Set<String> origins, int maxFrame, Duration idleTimeout) {
    public WebSocketPlan {
        origins = Set.copyOf(origins);
    }
}
