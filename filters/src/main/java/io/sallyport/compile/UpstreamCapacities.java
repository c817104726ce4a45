// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Findings;
import io.sallyport.forward.upstream.UpstreamConfig;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.route.UpstreamCapacity;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the upstreams of one file can take. Routes with one upstream share its breaker and bulkhead, so they must agree. */
final class UpstreamCapacities {
    private record Said(String route, UpstreamCapacity capacity) {}

    private final Map<String, Said> byUpstream = new HashMap<>();

    /** What a route says of its upstream. */
    static UpstreamCapacity of(UpstreamConfig config, UpstreamTarget target) {
        return new UpstreamCapacity(nameOf(target), breaker(config), config.maxConcurrent());
    }

    /**
     * Notes what a route says of its upstream, or adds a finding if another route says otherwise.
     *
     * @param at the route's section {@code upstream}
     * @return equal, and the same object for all routes of the upstream
     */
    UpstreamCapacity agree(String route, UpstreamCapacity capacity, Findings.Place at) {
        var said = byUpstream.putIfAbsent(capacity.upstream(), new Said(route, capacity));
        if (said == null) {
            return capacity;
        }
        if (!said.capacity().equals(capacity)) {
            at.reject(
                    "another circuit-breaker or max-concurrent",
                    "the same as route %s, whose upstream is %s too".formatted(said.route(), capacity.upstream()));
        }
        return said.capacity();
    }

    // Always with the port: the scheme's own is another one for http than for https. And with the identities: a
    // pin that nobody there can prove must not open the breaker of a route whose pin is right.
    private static String nameOf(UpstreamTarget target) {
        var host = target.host().indexOf(':') < 0 ? target.host() : "[" + target.host() + "]";
        var address = host + ":" + target.port();
        return target.tls() ? address + " as " + target.peer().proof().text() : address;
    }

    private static UpstreamCapacity.@Nullable Breaker breaker(UpstreamConfig config) {
        var breaker = config.circuitBreaker();
        return breaker == null
                ? null
                : new UpstreamCapacity.Breaker(
                        breaker.failureRate(), breaker.minimumCalls(), breaker.openFor(), breaker.trials());
    }
}
