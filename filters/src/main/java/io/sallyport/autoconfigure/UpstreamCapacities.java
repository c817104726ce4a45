// SPDX-License-Identifier: Apache-2.0
package io.sallyport.autoconfigure;

import io.sallyport.config.Findings;
import io.sallyport.forward.UpstreamConfig;
import io.sallyport.forward.UpstreamTarget;
import io.sallyport.route.UpstreamCapacity;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the upstreams of one file can take. Routes with one upstream share its breaker and bulkhead, so they must agree. */
final class UpstreamCapacities {
    private record Said(String route, UpstreamCapacity capacity) {}

    private final Map<String, Said> byUpstream = new HashMap<>();

    /**
     * Compiles what a route says of its upstream.
     *
     * @param at the route's section {@code upstream}
     * @return null if nothing limits the upstream, or with a finding if another route says otherwise
     */
    @Nullable
    UpstreamCapacity compile(String route, UpstreamConfig config, UpstreamTarget target, Findings.Place at) {
        var capacity = new UpstreamCapacity(nameOf(target), breaker(config), config.maxConcurrent());
        var said = byUpstream.putIfAbsent(capacity.upstream(), new Said(route, capacity));
        if (said != null && !said.capacity().equals(capacity)) {
            at.reject(
                    "another circuit-breaker or max-concurrent",
                    "the same as route %s, whose upstream is %s too".formatted(said.route(), capacity.upstream()));
            return null;
        }
        return capacity.breaker() == null && capacity.maxConcurrent() == null ? null : capacity;
    }

    // Always with the port: the scheme's own is another one for http than for https. And with the identities: a
    // pin that nobody there can prove must not open the breaker of a route whose pin is right.
    private static String nameOf(UpstreamTarget target) {
        var host = target.host().indexOf(':') < 0 ? target.host() : "[" + target.host() + "]";
        var address = host + ":" + target.port();
        return target.tls() ? address + " as " + target.expectedIds() : address;
    }

    private static UpstreamCapacity.@Nullable Breaker breaker(UpstreamConfig config) {
        var breaker = config.circuitBreaker();
        return breaker == null
                ? null
                : new UpstreamCapacity.Breaker(
                        breaker.failureRate(), breaker.minimumCalls(), breaker.openFor(), breaker.trials());
    }
}
