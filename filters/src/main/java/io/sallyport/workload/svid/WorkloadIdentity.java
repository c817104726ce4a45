// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.svid;

import io.sallyport.identity.TrustBundles;
import io.spiffe.spiffeid.SpiffeId;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;

/**
 * Who the gateway is, and whom it trusts, at one moment: its X509-SVID and the bundles that it judges peers by. Immutable; an
 * update of either is another value with another generation.
 *
 * @param chain the SVID, leaf first, at least one
 * @param generation grows with each change of the SVID or of a bundle; TLS contexts and connection pools are keyed by it
 */
public record WorkloadIdentity(
        SpiffeId id, List<X509Certificate> chain, PrivateKey key, TrustBundles bundles, long generation) {

    public WorkloadIdentity {
        chain = List.copyOf(chain);
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("chain of %s: empty (expected: the leaf first)".formatted(id));
        }
    }

    /** End of validity of the SVID; from then on no upstream is connected to under it. */
    public Instant expiresAt() {
        return chain.getFirst().getNotAfter().toInstant();
    }

    public boolean isExpiredAt(Instant now) {
        return !now.isBefore(expiresAt());
    }

    /** The same but for the generation. */
    boolean saysTheSameAs(WorkloadIdentity other) {
        return chain.equals(other.chain) && bundles.equals(other.bundles);
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "%s (generation %d, until %s, bundles of %s)".formatted(id, generation, expiresAt(), bundles);
    }
}
