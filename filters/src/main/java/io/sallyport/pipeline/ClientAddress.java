// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.net.InetAddress;

/**
 * The address of the client: the transport peer's, or the last untrusted hop that trusted proxies vouch for.
 *
 * @param viaTrustedProxy whether it was read from a trusted proxy's {@code X-Forwarded-For}
 */
public record ClientAddress(InetAddress address, boolean viaTrustedProxy) {
    private static final int IPV4_LENGTH = 4;
    /** The high half of {@code 64:ff9b::/96} (RFC 6052): IPv4 clients behind a translator, one each in the low 32 bits. */
    private static final long NAT64 = 0x0064_ff9b_0000_0000L;
    /** Keeps IPv4 addresses apart from IPv6 networks: 0000::/8 is reserved and never a client's. */
    private static final long IPV4 = 1L << 32;

    /** What is counted as one party: see {@link #networkOf}. */
    public long network() {
        return networkOf(address);
    }

    /**
     * What is counted as one party when clients are counted by address: an IPv4 address, or an IPv6 /64, because whoever has one
     * IPv6 address has the whole /64 to choose from.
     *
     * @return equal for two addresses exactly if they are of one party
     */
    public static long networkOf(InetAddress address) {
        var bytes = address.getAddress();
        if (bytes.length == IPV4_LENGTH) {
            return IPV4 | int32(bytes, 0);
        }
        long high = (int32(bytes, 0) << 32) | int32(bytes, 4);
        return high == NAT64 && int32(bytes, 8) == 0 ? IPV4 | int32(bytes, 12) : high;
    }

    private static long int32(byte[] bytes, int from) {
        return (bytes[from] & 0xffL) << 24
                | (bytes[from + 1] & 0xffL) << 16
                | (bytes[from + 2] & 0xffL) << 8
                | (bytes[from + 3] & 0xffL);
    }
}
