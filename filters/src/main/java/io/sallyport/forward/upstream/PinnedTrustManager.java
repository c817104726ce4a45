// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.identity.ExpectedIds;
import io.sallyport.identity.PeerTrustManager;
import io.sallyport.identity.TrustBundles;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;

/**
 * Verifies the peer of one pin: {@link TrustBundles} judge its SVID; only then, the ID that it proves is compared with the pin. So
 * {@code identity_mismatch} is only ever said of an identity that was proven.
 */
final class PinnedTrustManager extends PeerTrustManager {
    private final TrustBundles bundles;
    private final ExpectedIds expected;
    private final CandidatePin candidate;
    private final InstantSource clock;

    /** @param bundles they are fixed for this trust manager's life */
    PinnedTrustManager(TrustBundles bundles, ExpectedIds expected, CandidatePin candidate, InstantSource clock) {
        super(TrustBundles.Role.SERVER);
        this.bundles = bundles;
        this.expected = expected;
        this.candidate = candidate;
        this.clock = clock;
    }

    @Override
    protected void check(List<X509Certificate> chain) throws PeerRefused {
        switch (bundles.judge(chain, TrustBundles.Role.SERVER, clock.instant())) {
            case TrustBundles.Untrusted(var why, var claimed, var cause) ->
                throw PeerRefused.untrusted(why, claimed, cause);
            case TrustBundles.Proven proven -> {
                if (!expected.match(proven.id())) {
                    throw PeerRefused.mismatch(expected, proven.id());
                }
                candidate.judge(proven.id());
            }
        }
    }
}
