// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.config.Findings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The certificate authorities of {@code issuers.<name>.ca}, which vouch for an issuer's endpoints.
 *
 * @param certificates none if the platform's own authorities do
 * @param tls what trusts them alone; null for the platform's
 */
public record IssuerAuthorities(
        List<X509Certificate> certificates, @Nullable SslContext tls) {

    /** Reads those of an issuer; null, with a finding, if its file cannot be used. */
    public static @Nullable IssuerAuthorities of(IssuerConfig config, Findings.Place at) {
        if (config.ca() == null) {
            return new IssuerAuthorities(List.of(), null);
        }
        try {
            var certificates = read(config.ca());
            return new IssuerAuthorities(
                    certificates,
                    SslContextBuilder.forClient().trustManager(certificates).build());
        } catch (IOException | CertificateException e) {
            at.child("ca").reject(config.ca(), "a readable PEM file with at least one CA certificate");
            return null;
        }
    }

    private static List<X509Certificate> read(Path pem) throws IOException, CertificateException {
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
