// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.decision.Reason;

/**
 * Counts the TLS handshakes with one upstream by their result: {@code sallyport.upstream.handshake}. {@code verified} says that
 * the peer proved an expected identity.
 */
final class HandshakeMetrics {
    private final Counter verified;
    private final Counter peerUntrusted;
    private final Counter identityMismatch;
    private final Counter failed;

    HandshakeMetrics(String upstream, MeterRegistry registry) {
        this.verified = counter(upstream, "verified", registry);
        this.peerUntrusted = counter(upstream, "peer_untrusted", registry);
        this.identityMismatch = counter(upstream, "identity_mismatch", registry);
        this.failed = counter(upstream, "failed", registry);
    }

    private static Counter counter(String upstream, String result, MeterRegistry registry) {
        return Counter.builder("sallyport.upstream.handshake")
                .description("TLS handshakes with upstreams, by result")
                .tag("upstream", upstream)
                .tag("result", result)
                .register(registry);
    }

    void verified() {
        verified.increment();
    }

    void refused(Reason reason) {
        (reason == Reason.FORWARD_IDENTITY_MISMATCH ? identityMismatch : peerUntrusted).increment();
    }

    /** It failed for another reason than the peer's identity. */
    void failed() {
        failed.increment();
    }
}
