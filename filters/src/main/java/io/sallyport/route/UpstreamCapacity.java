// SPDX-License-Identifier: Apache-2.0
package io.sallyport.route;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a route's upstream can take; hangs on the route under {@code route}. Two routes with one upstream share its breaker and
 * bulkhead, and so have to say the same of it.
 *
 * @param upstream names the upstream in metrics, and is what state is kept by: its authority, and the identities expected of it
 * @param breaker null for none
 * @param maxConcurrent how many requests may be under way at once; null for any number
 */
public record UpstreamCapacity(
        String upstream,
        @Nullable Breaker breaker,
        @Nullable Integer maxConcurrent) {

    /** Whether it limits anything. */
    public boolean limits() {
        return breaker != null || maxConcurrent != null;
    }

    /**
     * When to stop asking.
     *
     * @param failureRate percent of the latest calls, 1 to 100
     * @param minimumCalls how many calls the share is taken of
     * @param openFor how long to ask nothing then
     * @param trials how many calls try the upstream again
     */
    public record Breaker(int failureRate, int minimumCalls, Duration openFor, int trials) {}
}
