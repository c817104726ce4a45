// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;

/** The certificate authorities of {@code issuers.<name>.ca}, which vouch for an issuer's endpoints. */
public final class IssuerAuthorities {
    private IssuerAuthorities() {}

    /** Reads a PEM file with at least one certificate. */
    public static List<X509Certificate> read(Path pem) throws IOException, CertificateException {
        try (var in = Files.newInputStream(pem)) {
            var certificates = CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
                    .map(X509Certificate.class::cast)
                    .toList();
            if (certificates.isEmpty()) {
                throw new CertificateException("no certificate");
            }
            return certificates;
        }
    }
}
