// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.reactor.bulkhead.operator.BulkheadOperator;
import java.time.Duration;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * The deadline and the bulkhead of one adapter, for what it returns as {@link Answer.Later}. A call beyond the bulkhead fails at once; no
 * call waits for another. Safe for use by any thread.
 */
public final class BoundedCalls {
    private final Bulkhead bulkhead;
    private final Duration deadline;
    private final Scheduler timers;

    /**
     * Creates the bounds of one adapter.
     *
     * @param name of the adapter or of what it calls, for messages
     * @param maxConcurrent how many calls are under way at most
     * @param deadline how long one call takes at most
     * @param timers where the deadline fires; not an event loop
     */
    public BoundedCalls(String name, int maxConcurrent, Duration deadline, Scheduler timers) {
        this.bulkhead = Bulkhead.of(
                name,
                BulkheadConfig.custom()
                        .maxConcurrentCalls(maxConcurrent)
                        .maxWaitDuration(Duration.ZERO)
                        .build());
        this.deadline = deadline;
        this.timers = timers;
    }

    /**
     * Bounds a call, each time that it is subscribed to. A call that has failed, is late or is cancelled leaves its place to the next.
     *
     * @param call fails or completes on any thread, or never
     * @return fails with {@link NoAnswer} if the call is late or completes empty, and with a {@link
     *     io.github.resilience4j.bulkhead.BulkheadFullException} if too many are under way
     */
    public <T> Mono<T> bound(Mono<T> call) {
        return call.transformDeferred(BulkheadOperator.of(bulkhead))
                .timeout(deadline, Mono.error(() -> new NoAnswer("no answer within " + deadline)), timers)
                .switchIfEmpty(Mono.error(() -> new NoAnswer("an empty answer")));
    }

    /** The called service did not answer. */
    public static final class NoAnswer extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NoAnswer(String message) {
            // No stack trace: it would name timers, and a service may be down for hours.
            super(message, null, false, false);
        }
    }
}
