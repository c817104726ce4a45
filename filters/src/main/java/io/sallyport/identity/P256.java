// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.InvalidKeySpecException;

/**
 * The public key of a private key of the curve P-256, which its file need not have. Takes milliseconds, and not the same for each key:
 * for start-up and for files, on no thread of a request.
 */
public final class P256 {
    private static final BigInteger THREE = BigInteger.valueOf(3);

    private P256() {}

    /**
     * The public key.
     *
     * @throws InvalidKeySpecException if the private key is of another curve
     */
    public static ECPublicKey publicKeyOf(ECPrivateKey key) throws GeneralSecurityException {
        var curve = curve();
        if (!key.getParams().getCurve().equals(curve.getCurve())) {
            throw new InvalidKeySpecException("a key of another curve (expected: P-256)");
        }
        return (ECPublicKey)
                KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(multiple(key.getS(), curve), curve));
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
