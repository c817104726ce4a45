// SPDX-License-Identifier: Apache-2.0
package io.sallyport.route;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.micrometer.tagged.TaggedBulkheadMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedCircuitBreakerMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * The breaker and bulkhead of each upstream, by its name. They live as long as the process while their settings stay the same:
 * a reload neither closes an open breaker nor forgets who is under way. Safe for any thread.
 */
public final class UpstreamHealth {
    private final CircuitBreakerRegistry breakers = CircuitBreakerRegistry.ofDefaults();
    private final BulkheadRegistry bulkheads = BulkheadRegistry.ofDefaults();
    private final ConcurrentMap<String, Guards> guards = new ConcurrentHashMap<>();
    private final Clock clock;

    /** Binds its metrics; {@code clock} decides when an open breaker tries again. */
    public UpstreamHealth(MeterRegistry meters, Clock clock) {
        this.clock = clock;
        TaggedCircuitBreakerMetrics.ofCircuitBreakerRegistry(breakers).bindTo(meters);
        TaggedBulkheadMetrics.ofBulkheadRegistry(bulkheads).bindTo(meters);
    }

    /** What guards that upstream now; requests under way keep the guards that they began with. */
    Guards of(UpstreamCapacity capacity) {
        var known = guards.get(capacity.upstream());
        return known != null && known.capacity.equals(capacity)
                ? known
                : guards.compute(
                        capacity.upstream(),
                        (_, current) ->
                                current != null && current.capacity.equals(capacity) ? current : replace(capacity));
    }

    private Guards replace(UpstreamCapacity capacity) {
        breakers.remove(capacity.upstream());
        bulkheads.remove(capacity.upstream());
        return new Guards(capacity, breaker(capacity), bulkhead(capacity), circuitOpen(capacity));
    }

    private @Nullable CircuitBreaker breaker(UpstreamCapacity capacity) {
        var policy = capacity.breaker();
        if (policy == null) {
            return null;
        }
        var config = CircuitBreakerConfig.custom()
                .slidingWindow(
                        policy.minimumCalls(),
                        policy.minimumCalls(),
                        CircuitBreakerConfig.SlidingWindowType.COUNT_BASED)
                .failureRateThreshold(policy.failureRate())
                .waitDurationInOpenState(policy.openFor())
                .permittedNumberOfCallsInHalfOpenState(policy.trials())
                .clock(clock)
                .build();
        return breakers.circuitBreaker(capacity.upstream(), config);
    }

    private @Nullable Bulkhead bulkhead(UpstreamCapacity capacity) {
        if (capacity.maxConcurrent() == null) {
            return null;
        }
        var config = BulkheadConfig.custom()
                .maxConcurrentCalls(capacity.maxConcurrent())
                // An event loop never waits for a place.
                .maxWaitDuration(Duration.ZERO)
                .build();
        return bulkheads.bulkhead(capacity.upstream(), config);
    }

    private static Verdict circuitOpen(UpstreamCapacity capacity) {
        var breaker = capacity.breaker();
        var retryAfter = breaker == null ? Duration.ofSeconds(1) : breaker.openFor();
        return new Verdict.Deny(new Denial.Unavailable(Reason.ROUTE_CIRCUIT_OPEN, retryAfter)
                .with(Evidence.Key.DETAIL, capacity.upstream()));
    }

    /**
     * The guards of one upstream under one set of limits.
     *
     * @param circuitOpen the refusal while the breaker is open, made once
     */
    record Guards(
            UpstreamCapacity capacity,
            @Nullable CircuitBreaker breaker,
            @Nullable Bulkhead bulkhead,
            Verdict circuitOpen) {}
}
