// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** Mints request ids: UUID version 7 (RFC 9562 section 5.7), so that records sort by time. Ids identify, they do not protect. */
public final class RequestIds {
    private static final long VERSION_7 = 0x7000L;
    private static final long VARIANT_IETF = 0x8000_0000_0000_0000L;

    private RequestIds() {}

    /** A new id whose 48-bit timestamp is {@code epochMillis}. */
    public static UUID mint(long epochMillis) {
        var random = ThreadLocalRandom.current();
        long high = (epochMillis << 16) | VERSION_7 | (random.nextLong() & 0xfffL);
        long low = VARIANT_IETF | (random.nextLong() >>> 2);
        return new UUID(high, low);
    }

    /**
     * Whether a request belongs to a sample of one in {@code n}. The random part of its id decides: no number is drawn, and all that
     * is sampled is of the same requests.
     */
    public static boolean isOneIn(int n, UUID id) {
        return (id.getLeastSignificantBits() & Long.MAX_VALUE) % n == 0;
    }
}
