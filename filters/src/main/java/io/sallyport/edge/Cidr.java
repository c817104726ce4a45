// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.config.InvalidSetting;
import java.net.InetAddress;

/**
 * A range of IP addresses (RFC 4632, RFC 4291 section 2.3), and never a pattern: {@code 10.0.0.0/8}, {@code 2001:db8::/32},
 * or one address. A range holds addresses of its own family only ({@code ::/0} trusts no IPv4); an IPv4-mapped IPv6
 * address counts as IPv4.
 *
 * @param network the first address of the range
 * @param prefixLength leading bits that an address must share, 0 to 32 or 0 to 128
 */
public record Cidr(InetAddress network, int prefixLength) {
    private static final String EXPECTED =
            "an IPv4 or IPv6 address or range such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32";

    public Cidr {
        network = IpLiteral.withoutMapping(network);
        var bytes = network.getAddress();
        if (prefixLength < 0 || prefixLength > bytes.length * 8) {
            throw new InvalidSetting(
                    "", network.getHostAddress() + "/" + prefixLength, "a prefix length from 0 to " + bytes.length * 8);
        }
        var first = firstOf(bytes, prefixLength);
        if (!first.equals(network)) {
            throw new InvalidSetting(
                    "",
                    network.getHostAddress() + "/" + prefixLength,
                    "the first address of the range: " + first.getHostAddress() + "/" + prefixLength);
        }
    }

    /**
     * Reads {@code address/length}, or one address.
     *
     * @throws InvalidSetting if it is neither, or if bits after the prefix are set
     */
    public static Cidr parse(String text) {
        int slash = text.indexOf('/');
        var bytes = IpLiteral.parseBytes(slash < 0 ? text : text.substring(0, slash));
        if (bytes == null || IpLiteral.isMapped(bytes)) {
            throw new InvalidSetting("", text, EXPECTED);
        }
        int length = slash < 0 ? bytes.length * 8 : parseLength(text, text.substring(slash + 1));
        return new Cidr(IpLiteral.addressOf(bytes), length);
    }

    private static int parseLength(String text, String length) {
        if (length.isEmpty()
                || length.length() > 3
                || !length.chars().allMatch(c -> c >= '0' && c <= '9')
                || (length.length() > 1 && length.charAt(0) == '0')) {
            throw new InvalidSetting("", text, EXPECTED);
        }
        return Integer.parseInt(length);
    }

    private static InetAddress firstOf(byte[] bytes, int prefixLength) {
        var first = bytes.clone();
        for (int i = 0; i < first.length; i++) {
            first[i] = (byte) (first[i] & maskOf(prefixLength - i * 8));
        }
        return IpLiteral.addressOf(first);
    }

    private static int maskOf(int bits) {
        return bits >= 8 ? 0xff : bits <= 0 ? 0 : 0xff00 >> bits;
    }

    /** Whether the address lies in this range. */
    public boolean contains(InetAddress address) {
        return contains(IpLiteral.bytesOf(address));
    }

    /** As {@link #contains(InetAddress)}, for {@link IpLiteral#bytesOf}. */
    boolean contains(byte[] address) {
        var first = network.getAddress();
        if (first.length != address.length) {
            return false;
        }
        for (int i = 0; i * 8 < prefixLength; i++) {
            if (((first[i] ^ address[i]) & maskOf(prefixLength - i * 8)) != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return network.getHostAddress() + "/" + prefixLength;
    }
}
