// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;

/** Whether a private key is the one of a certificate: between two writes of a rotation, files belong to different certificates. */
public final class KeyPairCheck {
    private static final SecureRandom RANDOM = new SecureRandom();

    private KeyPairCheck() {}

    public static boolean belongTogether(PrivateKey key, PublicKey publicKey) throws GeneralSecurityException {
        if (!key.getAlgorithm().equals(publicKey.getAlgorithm())) {
            return false;
        }
        var probe = new byte[32];
        RANDOM.nextBytes(probe);
        var algorithm = switch (key.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EdDSA" -> "EdDSA";
            default -> "SHA256withECDSA";
        };
        var signer = Signature.getInstance(algorithm);
        signer.initSign(key);
        signer.update(probe);
        var signature = signer.sign();
        var verifier = Signature.getInstance(algorithm);
        verifier.initVerify(publicKey);
        verifier.update(probe);
        return verifier.verify(signature);
    }
}
