// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.security.cert.X509Certificate;
import java.util.List;

/**
 * A certificate that a TLS peer proved to hold the key of.
 *
 * @param chain leaf first, verified, at least one
 */
public record PeerCertificate(List<X509Certificate> chain) {
    public PeerCertificate {
        chain = List.copyOf(chain);
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("peer certificate chain: empty (expected: the leaf first)");
        }
    }

    public X509Certificate leaf() {
        return chain.getFirst();
    }
}
