// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import java.math.BigInteger;
import java.util.stream.IntStream;

/**
 * Recognizes RSA keys of the Infineon library whose primes are k * M + (65537^a mod M), which makes them factorable: "The Return
 * of Coppersmith's Attack" (Nemec and others, 2017; CVE-2017-15361). The modulus of such a key is a power of 65537 modulo each
 * small prime; that of another key is so with a chance of less than one in a hundred million.
 */
final class RocaFingerprint {
    private static final BigInteger GENERATOR = BigInteger.valueOf(65_537);
    private static final int LARGEST_PRIME = 167;

    private static final BigInteger[] PRIMES = IntStream.rangeClosed(3, LARGEST_PRIME)
            .mapToObj(BigInteger::valueOf)
            .filter(candidate -> candidate.isProbablePrime(50))
            .toArray(BigInteger[]::new);
    private static final boolean[][] POWERS = new boolean[PRIMES.length][];

    static {
        for (int i = 0; i < PRIMES.length; i++) {
            POWERS[i] = powers(PRIMES[i]);
        }
    }

    private RocaFingerprint() {}

    /** The residues that a power of 65537 can have modulo that prime. */
    private static boolean[] powers(BigInteger prime) {
        var powers = new boolean[prime.intValue()];
        for (var power = BigInteger.ONE;
                !powers[power.intValue()];
                power = power.multiply(GENERATOR).mod(prime)) {
            powers[power.intValue()] = true;
        }
        return powers;
    }

    static boolean matches(BigInteger modulus) {
        for (int i = 0; i < PRIMES.length; i++) {
            if (!POWERS[i][modulus.mod(PRIMES[i]).intValue()]) {
                return false;
            }
        }
        return true;
    }
}
