// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.InvalidKeySpecException;

/**
 * Key pairs of the curve P-256: the public key is computed, because the file of a private key need not have it. Takes milliseconds, and not the same for each key:
 * for start-up and for files, on no thread of a request.
 */
public final class P256 {
    private static final BigInteger THREE = BigInteger.valueOf(3);

    private P256() {}

    /**
     * The key pair of a private key.
     *
     * @param pem a private key that is not encrypted: PKCS #8 or SEC 1
     * @throws GeneralSecurityException if there is none, or one of another curve
     */
    public static KeyPair keyPair(String pem) throws GeneralSecurityException {
        var curve = curve();
        // A SEC 1 key may leave the curve to its owner: here it is known.
        var key = PemPrivateKey.parse(pem, publicKey(curve.getGenerator(), curve));
        if (!(key instanceof ECPrivateKey ofCurve)
                || !ofCurve.getParams().getCurve().equals(curve.getCurve())) {
            throw new InvalidKeySpecException("another kind of key (expected: one of the curve P-256)");
        }
        return new KeyPair(publicKey(multiple(ofCurve.getS(), curve), curve), key);
    }

    private static PublicKey publicKey(ECPoint point, ECParameterSpec curve) throws GeneralSecurityException {
        return KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(point, curve));
    }

    private static ECParameterSpec curve() throws GeneralSecurityException {
        var parameters = AlgorithmParameters.getInstance("EC");
        parameters.init(new ECGenParameterSpec("secp256r1"));
        return parameters.getParameterSpec(ECParameterSpec.class);
    }

    private static ECPoint multiple(BigInteger factor, ECParameterSpec curve) {
        var prime = ((ECFieldFp) curve.getCurve().getField()).getP();
        var a = curve.getCurve().getA();
        var sum = ECPoint.POINT_INFINITY;
        for (int bit = factor.bitLength() - 1; bit >= 0; bit--) {
            sum = added(sum, sum, a, prime);
            if (factor.testBit(bit)) {
                sum = added(sum, curve.getGenerator(), a, prime);
            }
        }
        return sum;
    }

    // SEC 1 section 2.2.1, for points of which none is the other's inverse: no multiple below the order is.
    private static ECPoint added(ECPoint one, ECPoint other, BigInteger a, BigInteger prime) {
        if (one.equals(ECPoint.POINT_INFINITY)) {
            return other;
        }
        if (other.equals(ECPoint.POINT_INFINITY)) {
            return one;
        }
        var x = one.getAffineX();
        var y = one.getAffineY();
        var slope = one.equals(other)
                ? x.multiply(x).multiply(THREE).add(a).multiply(y.add(y).modInverse(prime))
                : other.getAffineY()
                        .subtract(y)
                        .multiply(other.getAffineX().subtract(x).modInverse(prime));
        var sumX =
                slope.multiply(slope).subtract(x).subtract(other.getAffineX()).mod(prime);
        var sumY = slope.multiply(x.subtract(sumX)).subtract(y).mod(prime);
        return new ECPoint(sumX, sumY);
    }
}
