// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jca.JCAContext;
import com.nimbusds.jose.proc.JWSVerifierFactory;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWT;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.security.oauth2.core.OAuth2TokenValidatorResult;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;

/**
 * One public key of an issuer and the algorithms that it may be used with: never one of another key type, and only the one
 * that its {@code alg} names if it has one. Equal if kid, key and algorithms are.
 *
 * <p>Each key has a {@link NimbusJwtDecoder} of its own that knows nothing but this key. So which key verifies is decided
 * before, by lookup in the issuer's set, and cannot change between that lookup and the verification.
 */
public final class VerificationKey {
    private static final Map<String, Object> NO_CLAIMS = Map.of("verified", true);

    private final @Nullable String kid;
    private final Set<SignatureAlgorithm> algorithms;
    private final byte[] encoded;
    private final NimbusJwtDecoder decoder;

    private VerificationKey(
            @Nullable String kid, Set<SignatureAlgorithm> algorithms, byte[] encoded, NimbusJwtDecoder decoder) {
        this.kid = kid;
        this.algorithms = algorithms;
        this.encoded = encoded;
        this.decoder = decoder;
    }

    /**
     * Makes the verifiers of a key.
     *
     * @param algorithms at least one, all for this type of key
     * @throws GeneralSecurityException if the key is not one that the crypto provider can verify with
     */
    static VerificationKey of(
            @Nullable String kid, PublicKey key, Set<SignatureAlgorithm> algorithms, CryptoProvider crypto)
            throws GeneralSecurityException {
        var prepared = crypto.prepared(key);
        var verifiers = new EnumMap<SignatureAlgorithm, JWSVerifier>(SignatureAlgorithm.class);
        for (var algorithm : algorithms) {
            verifiers.put(algorithm, verifier(prepared, crypto));
        }
        var copy = Set.copyOf(EnumSet.copyOf(algorithms));
        return new VerificationKey(kid, copy, key.getEncoded(), decoder(prepared, verifiers));
    }

    private static JWSVerifier verifier(PublicKey key, CryptoProvider crypto) throws GeneralSecurityException {
        try {
            var verifier =
                    switch (key) {
                        case RSAPublicKey rsa -> new RSASSAVerifier(rsa);
                        case ECPublicKey ec -> new ECDSAVerifier(ec);
                        // Nimbus' own needs Tink, and its default factory knows no OKP key.
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

    private static NimbusJwtDecoder decoder(PublicKey key, Map<SignatureAlgorithm, JWSVerifier> verifiers) {
        var processor = new SignatureOnly();
        processor.setJWSKeySelector(
                (header, _) -> verifierFor(header, verifiers) == null ? List.of() : List.<Key>of(key));
        processor.setJWSVerifierFactory(new FixedVerifiers(verifiers));
        processor.setJWSTypeVerifier((_, _) -> {});
        processor.setJWTClaimsSetVerifier(null);
        var decoder = new NimbusJwtDecoder(processor);
        decoder.setClaimSetConverter(_ -> NO_CLAIMS);
        decoder.setJwtValidator(_ -> OAuth2TokenValidatorResult.success());
        return decoder;
    }

    private static @Nullable JWSVerifier verifierFor(JWSHeader header, Map<SignatureAlgorithm, JWSVerifier> verifiers) {
        var algorithm = SignatureAlgorithm.named(header.getAlgorithm().getName());
        return algorithm == null ? null : verifiers.get(algorithm);
    }

    /**
     * Whether the token's signature is this key's. Pure arithmetic, 25 to 60 microseconds with the native provider.
     *
     * @param compact a compact JWS that {@link UnverifiedToken} has read
     */
    boolean verifies(String compact) {
        try {
            decoder.decode(compact);
            return true;
        } catch (JwtException _) {
            // The one place where the library's exception becomes a value. Whatever it says, the signature was not
            // verified.
            return false;
        }
    }

    /** The name that tokens call it by, or null. Only ever a lookup key. */
    public @Nullable String kid() {
        return kid;
    }

    /** Whether it may verify that algorithm. */
    public boolean suits(SignatureAlgorithm algorithm) {
        return algorithms.contains(algorithm);
    }

    /** Whether some algorithm could be verified with both, so that a kid that both have would name neither. */
    boolean overlaps(VerificationKey other) {
        return algorithms.stream().anyMatch(other::suits);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other
                || (other instanceof VerificationKey that
                        && Objects.equals(kid, that.kid)
                        && algorithms.equals(that.algorithms)
                        && Arrays.equals(encoded, that.encoded));
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(encoded);
    }

    @Override
    public String toString() {
        return "kid %s for %s".formatted(kid, algorithms);
    }

    /** Verifies and leaves the claims alone: they are read once, by our own strict parser, and judged by our own rules. */
    private static final class SignatureOnly extends DefaultJWTProcessor<SecurityContext> {
        private static final JWTClaimsSet UNREAD = new JWTClaimsSet.Builder().build();

        @Override
        protected JWTClaimsSet extractJWTClaimsSet(JWT jwt) {
            return UNREAD;
        }
    }

    /** The verifiers that were made with the key: none is made for a token. */
    private static final class FixedVerifiers implements JWSVerifierFactory {
        private final Map<SignatureAlgorithm, JWSVerifier> verifiers;
        private final JCAContext unused = new JCAContext();

        FixedVerifiers(Map<SignatureAlgorithm, JWSVerifier> verifiers) {
            this.verifiers = verifiers;
        }

        @Override
        public JWSVerifier createJWSVerifier(JWSHeader header, Key key) throws JOSEException {
            var verifier = verifierFor(header, verifiers);
            if (verifier == null) {
                throw new JOSEException("no verifier for the algorithm");
            }
            return verifier;
        }

        @Override
        public Set<JWSAlgorithm> supportedJWSAlgorithms() {
            return verifiers.keySet().stream().map(SignatureAlgorithm::jose).collect(Collectors.toUnmodifiableSet());
        }

        @Override
        public JCAContext getJCAContext() {
            return unused;
        }
    }
}
