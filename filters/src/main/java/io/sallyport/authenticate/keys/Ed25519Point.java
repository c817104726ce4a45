// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import java.math.BigInteger;
import java.util.Set;

/**
 * Whether 32 bytes are a public key of Ed25519 (RFC 8032 section 5.1.3). Asked here because not every provider asks before it
 * verifies, and none of them minds a point of small order, under which a signature can be made for any text without a secret.
 */
final class Ed25519Point {
    private static final BigInteger P = BigInteger.TWO.pow(255).subtract(BigInteger.valueOf(19));
    private static final BigInteger D = BigInteger.valueOf(-121_665)
            .multiply(BigInteger.valueOf(121_666).modInverse(P))
            .mod(P);

    /** The y of the eight points whose order divides 8: of orders 4, 1 and 2, then the two of order 8. */
    private static final Set<BigInteger> SMALL_ORDER = Set.of(
            BigInteger.ZERO,
            BigInteger.ONE,
            P.subtract(BigInteger.ONE),
            new BigInteger("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826", 16),
            new BigInteger("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7", 16));

    private Ed25519Point() {}

    /** @param encoded y in little-endian order, the lowest bit of x in its highest bit */
    static boolean isUsable(byte[] encoded) {
        var bigEndian = new byte[encoded.length];
        for (int i = 0; i < encoded.length; i++) {
            bigEndian[i] = encoded[encoded.length - 1 - i];
        }
        bigEndian[0] &= 0x7f;
        var y = new BigInteger(1, bigEndian);
        return y.compareTo(P) < 0 && !SMALL_ORDER.contains(y) && hasX(y);
    }

    /** Whether x^2 = (y^2 - 1) / (d y^2 + 1) has a solution: whether the right side is a square (Euler's criterion). */
    private static boolean hasX(BigInteger y) {
        var y2 = y.multiply(y).mod(P);
        var denominator = D.multiply(y2).add(BigInteger.ONE).modInverse(P);
        var x2 = y2.subtract(BigInteger.ONE).multiply(denominator).mod(P);
        return x2.modPow(P.subtract(BigInteger.ONE).shiftRight(1), P).equals(BigInteger.ONE);
    }
}
