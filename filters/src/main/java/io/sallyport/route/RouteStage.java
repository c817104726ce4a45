// SPDX-License-Identifier: Apache-2.0
package io.sallyport.route;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import java.time.Duration;

/** Leases a place at the route's upstream, or refuses while its breaker is open or its bulkhead full. */
public final class RouteStage implements Stage {
    private static final Verdict.Deny SATURATED =
            new Verdict.Deny(new Denial.Unavailable(Reason.ROUTE_SATURATED, Duration.ofSeconds(1)));

    private final UpstreamHealth health;

    public RouteStage(UpstreamHealth health) {
        this.health = health;
    }

    @Override
    public StageName name() {
        return StageName.ROUTE;
    }

    @Override
    public Verdict evaluate(RequestContext context) {
        var capacity = context.requireRoute().settings(StageName.ROUTE, UpstreamCapacity.class);
        if (capacity == null) {
            // The gateway answers itself, or nothing limits the upstream.
            return Verdict.Pass.PASS;
        }
        var guards = health.of(capacity);
        var breaker = guards.breaker();
        var bulkhead = guards.bulkhead();
        // The bulkhead first: a full one must not use up the few calls that try a half-open breaker.
        if (bulkhead != null && !bulkhead.tryAcquirePermission()) {
            return SATURATED.with(Evidence.Key.DETAIL, capacity.upstream());
        }
        if (breaker != null && !breaker.tryAcquirePermission()) {
            if (bulkhead != null) {
                bulkhead.releasePermission();
            }
            return guards.circuitOpen();
        }
        context.lease(new Lease(breaker, bulkhead));
        return Verdict.Pass.PASS;
    }
}
