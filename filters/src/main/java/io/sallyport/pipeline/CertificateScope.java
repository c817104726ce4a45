// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.util.List;

/**
 * What a connection may be used for by the certificate that it was shown.
 *
 * @param shown the names of that certificate
 * @param others those of the certificates that other connections are shown
 */
public record CertificateScope(CertificateNames shown, List<CertificateNames> others) {
    public CertificateScope {
        others = List.copyOf(others);
    }

    /** Whether a connection that had asked for this host would have been shown a certificate that covers it, and this one was not. */
    public boolean isAnothers(String host) {
        return !shown.cover(host) && others.stream().anyMatch(names -> names.cover(host));
    }
}
