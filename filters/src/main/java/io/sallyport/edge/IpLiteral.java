// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * Reads IP addresses the one way that every reader agrees on, and never asks DNS.
 *
 * <p>IPv4 is four decimal numbers without leading zeros (some readers take them for octal); IPv6 is RFC 4291 section 2.2,
 * without a zone. An IPv4-mapped IPv6 address is the IPv4 address that it stands for, so that one client has one address
 * whichever socket it came over.
 */
final class IpLiteral {
    private static final int V4_BYTES = 4;
    private static final int V6_BYTES = 16;
    private static final int MAPPED_PREFIX_BYTES = 12;
    private static final int LONGEST = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length();

    private IpLiteral() {}

    /** The address, or null if the text is none. */
    static @Nullable InetAddress parse(CharSequence text) {
        var bytes = parseBytes(text);
        return bytes == null ? null : addressOf(bytes);
    }

    /** 4 or 16 bytes as written: an IPv4-mapped address keeps its 16. Null if the text is no address. */
    static byte @Nullable [] parseBytes(CharSequence text) {
        if (text.isEmpty() || text.length() > LONGEST) {
            return null;
        }
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == ':') {
                return parseV6(text);
            }
        }
        var bytes = new byte[V4_BYTES];
        return parseV4(text, 0, bytes, 0) ? bytes : null;
    }

    private static boolean parseV4(CharSequence text, int start, byte[] into, int at) {
        int index = start;
        for (int part = 0; part < V4_BYTES; part++) {
            int first = index;
            int value = 0;
            while (index < text.length() && index - first < 3 && isDigit(text.charAt(index))) {
                value = value * 10 + (text.charAt(index) - '0');
                index++;
            }
            int digits = index - first;
            if (digits == 0 || value > 255 || (digits > 1 && text.charAt(first) == '0')) {
                return false;
            }
            into[at + part] = (byte) value;
            if (part < V4_BYTES - 1) {
                if (index == text.length() || text.charAt(index) != '.') {
                    return false;
                }
                index++;
            }
        }
        return index == text.length();
    }

    private static byte @Nullable [] parseV6(CharSequence text) {
        var bytes = new byte[V6_BYTES];
        int length = text.length();
        int written = 0;
        int gap = -1;
        int index = 0;
        if (text.charAt(0) == ':') {
            if (length < 2 || text.charAt(1) != ':') {
                return null;
            }
            gap = 0;
            index = 2;
        }
        while (index < length) {
            int first = index;
            int value = 0;
            while (index < length && index - first < 4 && hexDigit(text.charAt(index)) >= 0) {
                value = (value << 4) | hexDigit(text.charAt(index));
                index++;
            }
            if (index < length && text.charAt(index) == '.') {
                if (written > V6_BYTES - V4_BYTES || !parseV4(text, first, bytes, written)) {
                    return null;
                }
                written += V4_BYTES;
                break;
            }
            if (index == first || written == V6_BYTES) {
                return null;
            }
            bytes[written++] = (byte) (value >> 8);
            bytes[written++] = (byte) value;
            if (index == length) {
                break;
            }
            if (text.charAt(index++) != ':' || index == length) {
                return null;
            }
            if (text.charAt(index) == ':') {
                if (gap >= 0) {
                    return null;
                }
                gap = written;
                index++;
            }
        }
        return spread(bytes, written, gap);
    }

    /** Puts the zeros that {@code ::} stands for where it stood: at least one group of them. */
    private static byte @Nullable [] spread(byte[] bytes, int written, int gap) {
        if (gap < 0) {
            return written == V6_BYTES ? bytes : null;
        }
        if (written > V6_BYTES - 2) {
            return null;
        }
        var spread = new byte[V6_BYTES];
        System.arraycopy(bytes, 0, spread, 0, gap);
        System.arraycopy(bytes, gap, spread, V6_BYTES - (written - gap), written - gap);
        return spread;
    }

    /** The same address, an IPv4-mapped one as IPv4 and without a zone. */
    static InetAddress withoutMapping(InetAddress address) {
        return address instanceof Inet6Address && isMapped(address.getAddress())
                ? addressOf(address.getAddress())
                : address;
    }

    /** 4 bytes for IPv4, IPv4-mapped included, else 16. */
    static byte[] bytesOf(InetAddress address) {
        var bytes = address.getAddress();
        return isMapped(bytes) ? unmapped(bytes) : bytes;
    }

    static boolean isMapped(byte[] bytes) {
        if (bytes.length != V6_BYTES || bytes[10] != -1 || bytes[11] != -1) {
            return false;
        }
        for (int i = 0; i < 10; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }

    private static byte[] unmapped(byte[] bytes) {
        return java.util.Arrays.copyOfRange(bytes, MAPPED_PREFIX_BYTES, V6_BYTES);
    }

    static InetAddress addressOf(byte[] bytes) {
        try {
            return InetAddress.getByAddress(isMapped(bytes) ? unmapped(bytes) : bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("address of %d bytes (expected: 4 or 16)".formatted(bytes.length), e);
        }
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static int hexDigit(char c) {
        return c > 0x7f ? -1 : Character.digit(c, 16);
    }
}
