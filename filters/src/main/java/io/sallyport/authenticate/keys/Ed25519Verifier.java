// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.jca.JCAContext;
import com.nimbusds.jose.util.Base64URL;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.Set;

/** Verifies {@code EdDSA} with an Ed25519 key (RFC 8037 section 3.1) over the Java platform's own {@code Signature}. */
final class Ed25519Verifier implements JWSVerifier {
    private static final int SIGNATURE_BYTES = 64;

    private final PublicKey key;
    private final CryptoProvider crypto;
    private final JCAContext jca = new JCAContext();

    /** @throws GeneralSecurityException if the provider does not take the key */
    Ed25519Verifier(PublicKey key, CryptoProvider crypto) throws GeneralSecurityException {
        this.key = key;
        this.crypto = crypto;
        crypto.signature("Ed25519").initVerify(key);
    }

    @Override
    public boolean verify(JWSHeader header, byte[] signingInput, Base64URL signature) {
        var bytes = signature.decode();
        if (bytes.length != SIGNATURE_BYTES) {
            return false;
        }
        try {
            var verification = crypto.signature("Ed25519");
            verification.initVerify(key);
            verification.update(signingInput);
            return verification.verify(bytes);
        } catch (GeneralSecurityException _) {
            return false;
        }
    }

    @Override
    public Set<JWSAlgorithm> supportedJWSAlgorithms() {
        return Set.of(JWSAlgorithm.EdDSA);
    }

    @Override
    public JCAContext getJCAContext() {
        return jca;
    }
}
