// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.identity.ExpectedIds;
import io.sallyport.identity.TrustBundles;
import io.spiffe.spiffeid.SpiffeId;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pin that a route is to have next ({@code candidate-expected-ids}): what it would say of each handshake is counted
 * ({@code sallyport.upstream.candidate.pins}), and logged when it changes. It never ends a handshake. Any event loop.
 */
final class CandidatePin {
    private static final Logger log = LoggerFactory.getLogger(CandidatePin.class);

    private final String upstream;
    private final ExpectedIds candidates;
    private final Supplier<@Nullable TrustBundles> bundles;
    private final MeterRegistry meters;
    private volatile String last = "";

    /**
     * @param upstream its host and port
     * @param candidates none if there is no such pin: then nothing is done
     * @param bundles those of now, for a peer that has proven no SPIFFE ID yet
     */
    CandidatePin(
            String upstream, ExpectedIds candidates, Supplier<@Nullable TrustBundles> bundles, MeterRegistry meters) {
        this.upstream = upstream;
        this.candidates = candidates;
        this.bundles = bundles;
        this.meters = meters;
    }

    /** The peer showed that chain, and was let in for another reason than its SPIFFE ID. */
    void judge(List<X509Certificate> chain, Instant now) {
        if (candidates.isEmpty()) {
            return;
        }
        var current = bundles.get();
        if (current == null) {
            tell("untrusted", "there are no trust bundles");
            return;
        }
        switch (current.judge(chain, TrustBundles.Role.SERVER, now)) {
            case TrustBundles.Untrusted untrusted -> tell("untrusted", untrusted.why());
            case TrustBundles.Proven proven -> judge(proven.id());
        }
    }

    /** The peer has proven that ID. */
    void judge(SpiffeId proven) {
        if (!candidates.isEmpty()) {
            tell(candidates.match(proven) ? "match" : "mismatch", proven.toString());
        }
    }

    private void tell(String result, String what) {
        meters.counter("sallyport.upstream.candidate.pins", "upstream", upstream, "result", result)
                .increment();
        var said = result + what;
        if (said.equals(last)) {
            return;
        }
        last = said;
        (result.equals("match") ? log.atInfo() : log.atWarn())
                .addKeyValue("upstream", upstream)
                .addKeyValue("candidates", candidates)
                .addKeyValue("result", result)
                .addKeyValue("peer", what)
                .log("what candidate-expected-ids would say of the upstream");
    }
}
