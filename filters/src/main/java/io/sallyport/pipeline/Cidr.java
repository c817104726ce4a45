// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * A block of addresses (RFC 4632, RFC 4291 section 2.3), for example {@code 10.0.0.0/8}. Never a name and never a pattern:
 * what an operator trusts by address is written as addresses.
 *
 * @param network the first address of the block, its host bits all zero
 * @param prefixLength 0 to 32, or to 128 for IPv6
 */
public record Cidr(InetAddress network, int prefixLength) {
    private static final String EXPECTED =
            "an address block such as 10.0.0.0/8 or 2001:db8::/32, host bits zero, or one address";

    public Cidr {
        int bits = network.getAddress().length * Byte.SIZE;
        if (prefixLength < 0 || prefixLength > bits || !isFirstOf(network.getAddress(), prefixLength)) {
            throw new IllegalArgumentException(
                    "address block: %s/%d (expected: %s)".formatted(network.getHostAddress(), prefixLength, EXPECTED));
        }
    }

    /**
     * Reads {@code address/length}, or one address. Nothing is ever looked up.
     *
     * @throws IllegalArgumentException if it is neither
     */
    public static Cidr parse(String text) {
        int slash = text.indexOf('/');
        var bytes = NetUtil.createByteArrayFromIpAddressString(slash < 0 ? text : text.substring(0, slash));
        if (bytes == null || text.indexOf('%') >= 0) {
            throw malformed(text);
        }
        try {
            var network = InetAddress.getByAddress(bytes);
            // Not bytes.length: Java makes an IPv4 address of an IPv4-mapped one.
            int bits = network.getAddress().length * Byte.SIZE;
            return new Cidr(network, slash < 0 ? bits : parseLength(text, slash + 1));
        } catch (UnknownHostException e) {
            throw malformed(text);
        }
    }

    private static int parseLength(String text, int from) {
        var digits = text.substring(from);
        if (digits.isEmpty() || digits.length() > 3 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw malformed(text);
        }
        return Integer.parseInt(digits);
    }

    private static IllegalArgumentException malformed(String text) {
        return new IllegalArgumentException("address block: %s (expected: %s)".formatted(text, EXPECTED));
    }

    private static boolean isFirstOf(byte[] address, int prefixLength) {
        for (int bit = prefixLength; bit < address.length * Byte.SIZE; bit++) {
            if ((address[bit >> 3] & (0x80 >> (bit & 7))) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Whether that address is in this block; an IPv4 address never is in a block of IPv6. */
    public boolean contains(InetAddress address) {
        var mine = network.getAddress();
        var other = address.getAddress();
        if (mine.length != other.length) {
            return false;
        }
        int whole = prefixLength >> 3;
        for (int i = 0; i < whole; i++) {
            if (mine[i] != other[i]) {
                return false;
            }
        }
        int rest = prefixLength & 7;
        return rest == 0 || ((mine[whole] ^ other[whole]) & (0xff00 >> rest) & 0xff) == 0;
    }

    @Override
    public String toString() {
        return network.getHostAddress() + "/" + prefixLength;
    }
}
