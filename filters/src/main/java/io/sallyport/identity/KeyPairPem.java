// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;

/**
 * A certificate chain and the private key of its leaf, read from two PEM files: the one reader of such files, so that what loads on one port
 * loads on all of them.
 *
 * @param chain the leaf first, each followed by the one that signed it
 */
public record KeyPairPem(List<X509Certificate> chain, PrivateKey key) {
    private static final String CHAIN =
            "a PEM file with the certificate chain in its order: the leaf, then each certificate followed by the one that signed it";

    public KeyPairPem {
        chain = List.copyOf(chain);
    }

    /**
     * Reads both.
     *
     * @param certificate PEM; what stands around the certificates is ignored
     * @param key PEM
     * @throws UnusableKeyPair if one of them cannot be used, or they do not belong together
     */
    public static KeyPairPem parse(String certificate, String key) throws UnusableKeyPair {
        var chain = certificates(certificate);
        var leaf = chain.getFirst();
        var privateKey = PemPrivateKey.parse(key, leaf.getPublicKey());
        if (!belongTogether(privateKey, leaf)) {
            for (int i = 1; i < chain.size(); i++) {
                if (belongTogether(privateKey, chain.get(i))) {
                    throw UnusableKeyPair.certificate(
                            "the key is that of certificate %d of %d".formatted(i + 1, chain.size()), CHAIN);
                }
            }
            throw UnusableKeyPair.key("the key of another certificate", "the key of the first certificate");
        }
        requireOrder(chain);
        return new KeyPairPem(chain, privateKey);
    }

    private static List<X509Certificate> certificates(String pem) throws UnusableKeyPair {
        try {
            var certificates = new ArrayList<X509Certificate>();
            for (var certificate : CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(pem.getBytes(StandardCharsets.ISO_8859_1)))) {
                certificates.add((X509Certificate) certificate);
            }
            if (certificates.isEmpty()) {
                throw UnusableKeyPair.certificate("no certificate in it", CHAIN);
            }
            return certificates;
        } catch (CertificateException _) {
            throw UnusableKeyPair.certificate("a certificate that cannot be read", CHAIN);
        }
    }

    private static boolean belongTogether(PrivateKey key, X509Certificate certificate) {
        try {
            return KeyPairCheck.belongTogether(key, certificate.getPublicKey());
        } catch (GeneralSecurityException _) {
            return false;
        }
    }

    private static void requireOrder(List<X509Certificate> chain) throws UnusableKeyPair {
        for (int i = 1; i < chain.size(); i++) {
            if (!hasSigned(chain.get(i), chain.get(i - 1))) {
                throw UnusableKeyPair.certificate(
                        "certificate %d of %d has not signed the one before it".formatted(i + 1, chain.size()), CHAIN);
            }
        }
    }

    private static boolean hasSigned(X509Certificate authority, X509Certificate certificate) {
        if (!certificate.getIssuerX500Principal().equals(authority.getSubjectX500Principal())) {
            return false;
        }
        try {
            certificate.verify(authority.getPublicKey());
            return true;
        } catch (GeneralSecurityException _) {
            return false;
        }
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "KeyPairPem[%s]".formatted(chain.getFirst().getSubjectX500Principal());
    }
}
