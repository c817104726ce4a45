// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Where the authorities come from that an upstream's certificate is judged by: {@code upstream.tls.ca}.
 *
 * @param file PEM; null for the authorities that come with the Java runtime
 */
public record CaSource(@Nullable Path file) {
    private static final String RUNTIME = "system";
    private static final int KEY_USAGE_KEY_CERT_SIGN = 5;

    /**
     * Reads the key's value.
     *
     * @param base the folder that a relative path begins at
     */
    public static CaSource parse(String text, Path base) {
        return new CaSource(text.equals(RUNTIME) ? null : base.resolve(text).normalize());
    }

    /**
     * Reads the authorities. Blocks.
     *
     * @throws GeneralSecurityException if there are none, or one of the certificates is no authority's
     */
    Set<TrustAnchor> read() throws IOException, GeneralSecurityException {
        if (file == null) {
            return anchors(ofRuntime());
        }
        var certificates = certificatesIn(file);
        if (certificates.isEmpty()) {
            throw new CertificateException("there is no certificate in the file");
        }
        for (var certificate : certificates) {
            if (!mayVouch(certificate)) {
                throw new CertificateException("a certificate in the file is no authority's (CA:TRUE, keyCertSign)");
            }
        }
        return anchors(certificates);
    }

    // PKIX asks of an anchor nothing but its key.
    private static boolean mayVouch(X509Certificate certificate) {
        var usage = certificate.getKeyUsage();
        return certificate.getBasicConstraints() != -1 && (usage == null || usage[KEY_USAGE_KEY_CERT_SIGN]);
    }

    /** The certificates of a PEM file, in their order. */
    static List<X509Certificate> certificatesIn(Path file) throws IOException, GeneralSecurityException {
        // Not UTF-8: a file that is no text at all is for the parser to refuse.
        var pem = Files.readString(file, StandardCharsets.ISO_8859_1);
        return CertificateFactory.getInstance("X.509")
                .generateCertificates(new ByteArrayInputStream(pem.getBytes(StandardCharsets.ISO_8859_1)))
                .stream()
                .map(X509Certificate.class::cast)
                .toList();
    }

    private static List<X509Certificate> ofRuntime() throws GeneralSecurityException {
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init((KeyStore) null);
        return Arrays.stream(factory.getTrustManagers())
                .filter(X509TrustManager.class::isInstance)
                .flatMap(manager -> Arrays.stream(((X509TrustManager) manager).getAcceptedIssuers()))
                .filter(CaSource::mayVouch)
                .toList();
    }

    private static Set<TrustAnchor> anchors(Collection<X509Certificate> authorities) {
        return authorities.stream()
                .map(authority -> new TrustAnchor(authority, null))
                .collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public String toString() {
        return file == null ? RUNTIME : file.toString();
    }
}
