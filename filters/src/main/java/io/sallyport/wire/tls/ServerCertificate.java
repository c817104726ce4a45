// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.sallyport.identity.KeyPairPem;
import io.sallyport.identity.UnusableKeyPair;
import io.sallyport.pipeline.CertificateNames;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.time.Instant;
import java.util.List;

/**
 * A certificate that can be shown to clients: the key is the leaf's, and of a kind that they accept.
 *
 * @param chain the leaf first
 * @param names what the leaf is good for
 */
record ServerCertificate(List<X509Certificate> chain, PrivateKey key, CertificateNames names) {
    private static final int LEAST_RSA_BITS = 2_048;

    ServerCertificate {
        chain = List.copyOf(chain);
    }

    /**
     * Reads one.
     *
     * @param chain PEM, the leaf first
     * @param key PEM, not encrypted
     * @throws UnusableKeyPair if the two cannot be used
     * @throws GeneralSecurityException if clients could not use them
     */
    static ServerCertificate parse(String chain, String key) throws GeneralSecurityException {
        var pair = KeyPairPem.parse(chain, key);
        return of(pair.chain(), pair.key());
    }

    static ServerCertificate of(List<X509Certificate> chain, PrivateKey key) throws GeneralSecurityException {
        if (!isOfAKindThatClientsAccept(key)) {
            throw new GeneralSecurityException("an RSA key of less than %d bits".formatted(LEAST_RSA_BITS));
        }
        return new ServerCertificate(chain, key, CertificateNames.of(chain.getFirst()));
    }

    private static boolean isOfAKindThatClientsAccept(PrivateKey key) {
        return !(key instanceof RSAKey rsa) || rsa.getModulus().bitLength() >= LEAST_RSA_BITS;
    }

    /** Whether it answers a handshake that asks for that kind of key: to TLS 1.2 an Ed25519 key is one of EC (RFC 8422 section 5.4). */
    boolean isOf(String keyType) {
        var algorithm = key.getAlgorithm();
        return algorithm.equals(keyType) || (algorithm.equals("EdDSA") && keyType.equals("EC"));
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
