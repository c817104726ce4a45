// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.sallyport.identity.P256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.SecureRandom;
import java.security.interfaces.ECPublicKey;
import java.security.spec.InvalidKeySpecException;
import org.jspecify.annotations.Nullable;

/** One key that the gateway signs with: ES256. Safe for use by every event loop at once. */
final class SigningKey {
    // Of the runtime's own arithmetic: the usual source reads a device, which an event loop must not wait for.
    private static final SecureRandom RANDOM = random();

    private final ECKey published;
    private final JWSSigner signer;

    private SigningKey(ECKey published, JWSSigner signer) {
        this.published = published;
        this.signer = signer;
    }

    private static SecureRandom random() {
        try {
            var random = SecureRandom.getInstance("DRBG");
            random.nextBytes(new byte[32]);
            return random;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has DRBG", e);
        }
    }

    /**
     * Reads a key from a PEM file. Blocks.
     *
     * @param crypto does the arithmetic; null for the JDK's own, which takes several times as long
     * @throws GeneralSecurityException if there is none, or one of another kind
     */
    static SigningKey read(Path file, @Nullable Provider crypto) throws IOException, GeneralSecurityException {
        // Not UTF-8: a file that is no text at all is for the parser to refuse.
        var pair = P256.keyPair(Files.readString(file, StandardCharsets.ISO_8859_1));
        try {
            var published = new ECKey.Builder(Curve.P_256, (ECPublicKey) pair.getPublic())
                    .keyUse(KeyUse.SIGNATURE)
                    .algorithm(JWSAlgorithm.ES256)
                    .keyIDFromThumbprint()
                    .build();
            var signer = new ECDSASigner(prepared(pair.getPrivate(), crypto), Curve.P_256);
            signer.getJCAContext().setProvider(crypto);
            signer.getJCAContext().setSecureRandom(RANDOM);
            return new SigningKey(published, signer);
        } catch (JOSEException e) {
            throw new InvalidKeySpecException("the key in %s cannot sign: %s".formatted(file, e.getMessage()), e);
        }
    }

    /** The same key as an object of that provider, so that it is not converted for each signature. */
    private static PrivateKey prepared(PrivateKey key, @Nullable Provider crypto) throws GeneralSecurityException {
        return crypto != null && KeyFactory.getInstance("EC", crypto).translateKey(key) instanceof PrivateKey translated
                ? translated
                : key;
    }

    /** The {@code kid}: the key's thumbprint (RFC 7638). */
    String id() {
        return published.getKeyID();
    }

    /** The public key. */
    ECKey published() {
        return published;
    }

    /** A compact JWS of these claims. Takes tens of microseconds of arithmetic, and waits for nobody. */
    String sign(String type, JWTClaimsSet claims) {
        try {
            var token = new SignedJWT(
                    new JWSHeader.Builder(JWSAlgorithm.ES256)
                            .type(new JOSEObjectType(type))
                            .keyID(id())
                            .build(),
                    claims);
            token.sign(signer);
            return token.serialize();
        } catch (JOSEException e) {
            throw new IllegalStateException("signing with key " + id(), e);
        }
    }
}
