// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.sallyport.identity.KeyPairCheck;
import io.sallyport.pipeline.CertificateNames;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A certificate that can be shown to clients: the key is the leaf's, and of a kind that they accept.
 *
 * @param chain the leaf first
 * @param names what the leaf is good for
 */
record ServerCertificate(List<X509Certificate> chain, PrivateKey key, CertificateNames names) {
    private static final int LEAST_RSA_BITS = 2_048;
    private static final Pattern PRIVATE_KEY =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]*)-----END PRIVATE KEY-----");

    ServerCertificate {
        chain = List.copyOf(chain);
    }

    /**
     * Reads one.
     *
     * @param chain PEM, the leaf first
     * @param key PEM: PKCS #8, not encrypted
     * @throws GeneralSecurityException if it cannot be used
     */
    static ServerCertificate parse(String chain, String key) throws GeneralSecurityException {
        var certificates = CertificateFactory.getInstance("X.509")
                .generateCertificates(new ByteArrayInputStream(chain.getBytes(StandardCharsets.ISO_8859_1)));
        return of(certificates.stream().map(X509Certificate.class::cast).toList(), parseKey(key));
    }

    private static PrivateKey parseKey(String pem) throws GeneralSecurityException {
        var section = PRIVATE_KEY.matcher(pem);
        if (!section.find()) {
            throw new InvalidKeySpecException("there is no private key in the file");
        }
        var encoded = new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(section.group(1)));
        try {
            return KeyFactory.getInstance("RSA").generatePrivate(encoded);
        } catch (InvalidKeySpecException _) {
            return KeyFactory.getInstance("EC").generatePrivate(encoded);
        }
    }

    static ServerCertificate of(List<X509Certificate> chain, PrivateKey key) throws GeneralSecurityException {
        if (chain.isEmpty()) {
            throw new GeneralSecurityException("there is no certificate in the file");
        }
        var leaf = chain.getFirst();
        if (!isOfAKindThatClientsAccept(key)) {
            throw new GeneralSecurityException("the key is neither RSA of at least 2048 bits nor EC");
        }
        if (!KeyPairCheck.belongTogether(key, leaf.getPublicKey())) {
            throw new GeneralSecurityException("the key is not that of the first certificate");
        }
        return new ServerCertificate(chain, key, CertificateNames.of(leaf));
    }

    private static boolean isOfAKindThatClientsAccept(PrivateKey key) {
        return key instanceof RSAKey rsa
                ? rsa.getModulus().bitLength() >= LEAST_RSA_BITS
                : key.getAlgorithm().equals("EC");
    }

    X509Certificate leaf() {
        return chain.getFirst();
    }

    boolean hasExpired(Instant now) {
        return !now.isBefore(leaf().getNotAfter().toInstant());
    }

    @Override
    public String toString() {
        return "%s until %s".formatted(names, leaf().getNotAfter().toInstant());
    }
}
