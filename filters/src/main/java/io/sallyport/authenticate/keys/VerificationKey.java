// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.util.Base64URL;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One public key of an issuer and the algorithms that it may be used with: never one of another key type, and only the one
 * that its {@code alg} names if it has one. Equal if kid, key and algorithms are.
 *
 * <p>It is handed what was read of a token, algorithm included, and reads nothing of the token itself: so what is
 * verified, and how, cannot be another thing than what is believed afterwards.
 */
public final class VerificationKey {
    private final @Nullable String kid;
    private final byte[] encoded;
    private final Map<SignatureAlgorithm, Verifier> verifiers;

    private VerificationKey(@Nullable String kid, byte[] encoded, Map<SignatureAlgorithm, Verifier> verifiers) {
        this.kid = kid;
        this.encoded = encoded;
        this.verifiers = verifiers;
    }

    /**
     * Makes the verifiers of a key: none is made for a token.
     *
     * @param algorithms at least one, all for this type of key
     * @throws GeneralSecurityException if the key is not one that the crypto provider can verify with
     */
    static VerificationKey of(
            @Nullable String kid, PublicKey key, Set<SignatureAlgorithm> algorithms, CryptoProvider crypto)
            throws GeneralSecurityException {
        var prepared = crypto.prepared(key);
        var verifiers = new EnumMap<SignatureAlgorithm, Verifier>(SignatureAlgorithm.class);
        for (var algorithm : algorithms) {
            verifiers.put(algorithm, new Verifier(new JWSHeader(algorithm.jose()), verifier(prepared, crypto)));
        }
        return new VerificationKey(kid, key.getEncoded(), verifiers);
    }

    private static JWSVerifier verifier(PublicKey key, CryptoProvider crypto) throws GeneralSecurityException {
        try {
            var verifier = switch (key) {
                case RSAPublicKey rsa -> new RSASSAVerifier(rsa);
                case ECPublicKey ec -> new ECDSAVerifier(ec);
                // Nimbus' own needs Tink.
                case PublicKey other -> new Ed25519Verifier(other, crypto);
            };
            if (crypto.orNull() != null) {
                verifier.getJCAContext().setProvider(crypto.orNull());
            }
            return verifier;
        } catch (JOSEException e) {
            throw new GeneralSecurityException(e);
        }
    }

    /**
     * Whether the token's signature is this key's (RFC 7515 section 5.2, steps 7 and 8). Pure arithmetic, 25 to 60 microseconds with
     * the native provider.
     *
     * @param algorithm of the token's header; false for one that the key does not {@linkplain #suits suit}
     * @param compact a compact JWS that was read without a fault
     */
    public boolean verifies(SignatureAlgorithm algorithm, String compact) {
        var verifier = verifiers.get(algorithm);
        if (verifier == null) {
            return false;
        }
        try {
            int end = compact.lastIndexOf('.');
            var input = compact.substring(0, end).getBytes(StandardCharsets.US_ASCII);
            return verifier.by().verify(verifier.header(), input, new Base64URL(compact.substring(end + 1)));
        } catch (JOSEException | RuntimeException _) {
            // The one place where a library's exception becomes a value: whatever it says, nothing was verified.
            return false;
        }
    }

    /** The name that tokens call it by, or null. Only ever a lookup key. */
    public @Nullable String kid() {
        return kid;
    }

    /** Whether it may verify that algorithm. */
    public boolean suits(SignatureAlgorithm algorithm) {
        return verifiers.containsKey(algorithm);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other
                || (other instanceof VerificationKey that
                        && Objects.equals(kid, that.kid)
                        && verifiers.keySet().equals(that.verifiers.keySet())
                        && Arrays.equals(encoded, that.encoded));
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(encoded);
    }

    @Override
    public String toString() {
        return "kid %s for %s".formatted(kid, verifiers.keySet());
    }

    /** @param header one that says the algorithm and no more: all that the library has to know of a token's */
    private record Verifier(JWSHeader header, JWSVerifier by) {}
}
