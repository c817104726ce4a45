// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import io.sallyport.authenticate.jose.Base64Url;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.jose.StrictJson;
import io.sallyport.authenticate.keys.JwkSetDocument.Cause;
import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a key of one JWK (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2), or says why not. Done here, before any
 * library sees the set: one key that the library does not know would cost the whole set.
 */
final class JwkReader {
    private static final Set<String> PRIVATE_MEMBERS = Set.of("d", "p", "q", "dp", "dq", "qi", "oth", "k");
    private static final int MIN_RSA_BITS = 2048;
    // Verifying grows with the square of the length; 8192 is the longest that anybody uses.
    private static final int MAX_RSA_BITS = 8192;
    private static final int MAX_EXPONENT_BITS = 32;
    /** SubjectPublicKeyInfo of an Ed25519 key up to the 32 bytes themselves (RFC 8410 section 4). */
    private static final byte[] ED25519_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

    private static final int ED25519_BYTES = 32;

    private final Map<?, ?> jwk;

    private JwkReader(Map<?, ?> jwk) {
        this.jwk = jwk;
    }

    /** What became of one JWK. */
    sealed interface Read {}

    record Usable(VerificationKey key) implements Read {}

    record Unusable(Cause cause) implements Read {}

    /**
     * Reads one element of {@code keys}, as {@link StrictJson} read it.
     *
     * @param uses what a key that says its {@code use} may be for
     */
    static Read read(@Nullable Object element, Set<String> uses, CryptoProvider crypto) {
        if (!(element instanceof Map<?, ?> jwk)) {
            return new Unusable(Cause.MALFORMED);
        }
        try {
            return new JwkReader(jwk).read(uses, crypto);
        } catch (GeneralSecurityException _) {
            // What our own checks let through and the provider still refuses.
            return new Unusable(Cause.MALFORMED);
        }
    }

    private Read read(Set<String> uses, CryptoProvider crypto) throws GeneralSecurityException {
        if (!(jwk.get("kty") instanceof String keyType)
                || isOtherThanString("kid")
                || isOtherThanString("alg")
                || isOtherThanString("use")
                || isOtherThanString("crv")) {
            return new Unusable(Cause.MALFORMED);
        }
        if (!keyType.equals("RSA") && !keyType.equals("EC") && !keyType.equals("OKP")) {
            return new Unusable(Cause.TYPE_UNSUPPORTED);
        }
        if (PRIVATE_MEMBERS.stream().anyMatch(jwk::containsKey)) {
            return new Unusable(Cause.PRIVATE_PART_PUBLISHED);
        }
        if (!isForSignatures(uses)) {
            return new Unusable(Cause.NOT_FOR_SIGNATURES);
        }
        var possible = algorithmsFor(keyType, string("crv"));
        if (possible.isEmpty()) {
            return new Unusable(Cause.TYPE_UNSUPPORTED);
        }
        var algorithms = string("alg") == null ? possible : only(string("alg"), possible);
        if (algorithms.isEmpty()) {
            return new Unusable(Cause.ALGORITHM_UNSUPPORTED);
        }
        return switch (keyType) {
            case "RSA" -> rsa(algorithms, crypto);
            case "EC" -> ec(algorithms, crypto);
            default -> ed25519(algorithms, crypto);
        };
    }

    private boolean isOtherThanString(String member) {
        return jwk.containsKey(member) && !(jwk.get(member) instanceof String);
    }

    private @Nullable String string(String member) {
        return jwk.get(member) instanceof String text ? text : null;
    }

    private boolean isForSignatures(Set<String> uses) {
        var use = string("use");
        if (use != null && !uses.contains(use)) {
            return false;
        }
        return !jwk.containsKey("key_ops")
                || (jwk.get("key_ops") instanceof List<?> operations && operations.contains("verify"));
    }

    private static EnumSet<SignatureAlgorithm> algorithmsFor(String keyType, @Nullable String curve) {
        var algorithms = EnumSet.noneOf(SignatureAlgorithm.class);
        for (var algorithm : SignatureAlgorithm.values()) {
            if (algorithm.suits(keyType, curve)) {
                algorithms.add(algorithm);
            }
        }
        return algorithms;
    }

    /** A key that names its algorithm is for that one alone (RFC 8725 section 3.1). */
    private static EnumSet<SignatureAlgorithm> only(@Nullable String name, EnumSet<SignatureAlgorithm> possible) {
        var algorithms = EnumSet.copyOf(possible);
        // ES521 is registered nowhere, but it is how some write ES512;
        // the curve leaves no other algorithm that it could mean.
        var meant = "ES521".equals(name) ? SignatureAlgorithm.ES512 : SignatureAlgorithm.named(String.valueOf(name));
        algorithms.removeIf(algorithm -> algorithm != meant);
        return algorithms;
    }

    private Usable usable(PublicKey key, EnumSet<SignatureAlgorithm> algorithms, CryptoProvider crypto)
            throws GeneralSecurityException {
        return new Usable(VerificationKey.of(string("kid"), key, algorithms, crypto));
    }

    private byte @Nullable [] bytes(String member) {
        var text = string(member);
        var bytes = text == null ? null : Base64Url.decode(text);
        return bytes == null || bytes.length == 0 ? null : bytes;
    }

    private Read rsa(EnumSet<SignatureAlgorithm> algorithms, CryptoProvider crypto) throws GeneralSecurityException {
        var n = bytes("n");
        var e = bytes("e");
        if (n == null || e == null) {
            return new Unusable(Cause.MALFORMED);
        }
        var modulus = new BigInteger(1, n);
        var exponent = new BigInteger(1, e);
        if (modulus.bitLength() < MIN_RSA_BITS
                || modulus.bitLength() > MAX_RSA_BITS
                || !modulus.testBit(0)
                || !exponent.testBit(0)
                || exponent.equals(BigInteger.ONE)
                || exponent.bitLength() > MAX_EXPONENT_BITS) {
            return new Unusable(Cause.WEAK);
        }
        if (RocaFingerprint.matches(modulus)) {
            return new Unusable(Cause.FACTORABLE);
        }
        var key = KeyFactory.getInstance("RSA").generatePublic(new RSAPublicKeySpec(modulus, exponent));
        return usable(key, algorithms, crypto);
    }

    private Read ec(EnumSet<SignatureAlgorithm> algorithms, CryptoProvider crypto) throws GeneralSecurityException {
        var curve = curve(string("crv"));
        var x = bytes("x");
        var y = bytes("y");
        // Both in the full length of the field (RFC 7518 section 6.2.1.2).
        int length = (curve.getCurve().getField().getFieldSize() + 7) / 8;
        if (x == null || y == null || x.length != length || y.length != length) {
            return new Unusable(Cause.MALFORMED);
        }
        var point = new ECPoint(new BigInteger(1, x), new BigInteger(1, y));
        if (!isOnCurve(point, curve)) {
            return new Unusable(Cause.NOT_ON_CURVE);
        }
        return usable(
                KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(point, curve)), algorithms, crypto);
    }

    private static ECParameterSpec curve(@Nullable String name) throws GeneralSecurityException {
        var parameters = AlgorithmParameters.getInstance("EC");
        parameters.init(new ECGenParameterSpec(
                switch (name) {
                    case "P-256" -> "secp256r1";
                    case "P-384" -> "secp384r1";
                    case "P-521" -> "secp521r1";
                    case null, default -> throw new GeneralSecurityException("no curve of ours: " + name);
                }));
        return parameters.getParameterSpec(ECParameterSpec.class);
    }

    /** y^2 = x^3 + ax + b in the curve's field. These curves have cofactor 1, so a point of the curve is one of the group. */
    private static boolean isOnCurve(ECPoint point, ECParameterSpec parameters) {
        var curve = parameters.getCurve();
        var p = ((ECFieldFp) curve.getField()).getP();
        var x = point.getAffineX();
        var y = point.getAffineY();
        if (x.compareTo(p) >= 0 || y.compareTo(p) >= 0) {
            return false;
        }
        var right =
                x.multiply(x).add(curve.getA()).multiply(x).add(curve.getB()).mod(p);
        return y.multiply(y).mod(p).equals(right);
    }

    private Read ed25519(EnumSet<SignatureAlgorithm> algorithms, CryptoProvider crypto)
            throws GeneralSecurityException {
        var x = bytes("x");
        if (x == null || x.length != ED25519_BYTES) {
            return new Unusable(Cause.MALFORMED);
        }
        if (!Ed25519Point.isUsable(x)) {
            return new Unusable(Cause.NOT_ON_CURVE);
        }
        var encoded = Arrays.copyOf(ED25519_PREFIX, ED25519_PREFIX.length + ED25519_BYTES);
        System.arraycopy(x, 0, encoded, ED25519_PREFIX.length, ED25519_BYTES);
        var key = KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
        return usable(key, algorithms, crypto);
    }
}
