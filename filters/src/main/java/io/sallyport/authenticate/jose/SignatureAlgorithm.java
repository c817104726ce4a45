// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jose;

import com.nimbusds.jose.JWSAlgorithm;
import io.sallyport.config.InvalidSetting;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The signature algorithms that an issuer may use (RFC 7518 section 3.1, RFC 8037, RFC 9864). All are asymmetric: {@code none} and the
 * HMAC family have no name here, so that no list can contain them.
 */
public enum SignatureAlgorithm {
    RS256("RS256", "RSA", null),
    RS384("RS384", "RSA", null),
    RS512("RS512", "RSA", null),
    PS256("PS256", "RSA", null),
    PS384("PS384", "RSA", null),
    PS512("PS512", "RSA", null),
    ES256("ES256", "EC", "P-256"),
    ES384("ES384", "EC", "P-384"),
    ES512("ES512", "EC", "P-521"),
    /** Ed25519 alone, which RFC 9864 calls {@code Ed25519}: two names of one algorithm. Ed448 is not supported. */
    EDDSA("EdDSA", "OKP", "Ed25519");

    private static final String FULLY_SPECIFIED = "Ed25519";

    private static final Map<String, SignatureAlgorithm> BY_NAME = Arrays.stream(values())
            .collect(Collectors.toUnmodifiableMap(algorithm -> algorithm.joseName, Function.identity()));

    private final String joseName;
    private final String keyType;
    private final @Nullable String curve;

    SignatureAlgorithm(String joseName, String keyType, @Nullable String curve) {
        this.joseName = joseName;
        this.keyType = keyType;
        this.curve = curve;
    }

    /** Reads the JOSE name, which is case-sensitive: {@code ES256}, {@code EdDSA}. */
    public static SignatureAlgorithm parse(String name) {
        var algorithm = named(name);
        if (algorithm == null) {
            throw new InvalidSetting(
                    "", name, "one of " + Arrays.toString(values()) + "; symmetric algorithms are never accepted");
        }
        return algorithm;
    }

    /** The algorithm of that JOSE name, or null for {@code none}, HMAC and whatever else is not asymmetric or unknown. */
    public static @Nullable SignatureAlgorithm named(String name) {
        return name.equals(FULLY_SPECIFIED) ? EDDSA : BY_NAME.get(name);
    }

    /** The same, as the library calls it. */
    public JWSAlgorithm jose() {
        return JWSAlgorithm.parse(joseName);
    }

    /** Whether a key of that type and curve is made for this algorithm: algorithm and key are bound together. */
    public boolean suits(String keyType, @Nullable String curve) {
        return this.keyType.equals(keyType) && (this.curve == null || this.curve.equals(curve));
    }

    /** The JOSE name, as in the configuration file. */
    @Override
    public String toString() {
        return joseName;
    }
}
