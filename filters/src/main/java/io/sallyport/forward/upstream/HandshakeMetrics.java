// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.decision.Reason;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Counts the TLS handshakes with upstreams by their result and by the route whose request asked for the connection: {@code
 * sallyport.upstream.handshake}. {@code verified} says that the peer proved what the route expects.
 */
public final class HandshakeMetrics {
    private final MeterRegistry registry;
    private final ConcurrentMap<String, OfRoute> routes = new ConcurrentHashMap<>();

    HandshakeMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    /** The peer proved the ID or the name that the route expects. */
    public void verified(String route) {
        of(route).verified.increment();
    }

    /**
     * The peer was refused.
     *
     * @param reason that of a {@link PeerRefused}
     */
    public void refused(String route, Reason reason) {
        var counters = of(route);
        (switch (reason) {
                    case FORWARD_IDENTITY_MISMATCH -> counters.identityMismatch;
                    case FORWARD_NAME_MISMATCH -> counters.nameMismatch;
                    default -> counters.peerUntrusted;
                })
                .increment();
    }

    /** It failed for another reason than the peer's identity. */
    public void failed(String route) {
        of(route).failed.increment();
    }

    private OfRoute of(String route) {
        return routes.computeIfAbsent(
                route,
                name -> new OfRoute(
                        counter(name, "verified"),
                        counter(name, "peer_untrusted"),
                        counter(name, "identity_mismatch"),
                        counter(name, "name_mismatch"),
                        counter(name, "failed")));
    }

    private Counter counter(String route, String result) {
        return Counter.builder("sallyport.upstream.handshake")
                .description("TLS handshakes with upstreams, by result")
                .tag("route", route)
                .tag("result", result)
                .register(registry);
    }

    private record OfRoute(
            Counter verified, Counter peerUntrusted, Counter identityMismatch, Counter nameMismatch, Counter failed) {}
}
