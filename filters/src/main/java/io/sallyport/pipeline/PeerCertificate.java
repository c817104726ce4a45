// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.identity.TrustBundles;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A certificate that a TLS client proved to hold the key of: one object for each connection, which also remembers what was found
 * out about it. Safe for use by any thread.
 */
public final class PeerCertificate {
    private final List<X509Certificate> chain;
    private volatile @Nullable Judged last;

    private record Judged(TrustBundles by, TrustBundles.Judgement judgement) {}

    /** @param chain as shown, leaf first, at least one */
    public PeerCertificate(List<X509Certificate> chain) {
        this.chain = List.copyOf(chain);
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("peer certificate chain: empty (expected: the leaf first)");
        }
    }

    public List<X509Certificate> chain() {
        return chain;
    }

    /**
     * What these bundles say of it as a client's X509-SVID. The arithmetic is done once, and again only when the bundles are other
     * ones: for a handshake that was resumed proved nothing of today's authorities. Whether it has expired since is not said.
     */
    public TrustBundles.Judgement judgedBy(TrustBundles bundles, Instant now) {
        var known = last;
        if (known == null || !known.by().equals(bundles)) {
            known = new Judged(bundles, bundles.judge(chain, TrustBundles.Role.CLIENT, now));
            last = known;
        }
        return known.judgement();
    }
}
