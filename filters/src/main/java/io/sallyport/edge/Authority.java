// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The value of {@code Host}, of {@code :authority}, and of the authority in an absolute-form target: {@code uri-host [":"
 * port]} (RFC 9110 section 7.2), narrowed to what has one spelling. A host is a DNS name, an IPv4 address, or an IPv6
 * address in brackets; there is no user information, no percent-encoding, no underscore and no final dot, because readers
 * differ about each of them. A port is 1 to 65535, without leading zeros.
 */
final class Authority {
    private static final int MAX_NAME = 253;
    private static final int MAX_LABEL = 63;
    private static final int MAX_PORT = 65_535;

    private Authority() {}

    /**
     * The host in lower case without the port, or null if the authority is malformed. Returns its argument where that is
     * already the answer.
     */
    static @Nullable String hostOf(String authority) {
        int end = endOfHost(authority);
        if (end <= 0 || !isPort(authority, end)) {
            return null;
        }
        boolean wellFormed = authority.charAt(0) == '[' ? isIpv6(authority, end) : isHostName(authority, 0, end);
        return wellFormed ? lowerCase(end == authority.length() ? authority : authority.substring(0, end)) : null;
    }

    private static int endOfHost(String authority) {
        if (authority.isEmpty()) {
            return 0;
        }
        if (authority.charAt(0) == '[') {
            return authority.indexOf(']') + 1;
        }
        int colon = authority.indexOf(':');
        return colon < 0 ? authority.length() : colon;
    }

    private static boolean isPort(String authority, int start) {
        if (start == authority.length()) {
            return true;
        }
        int digits = authority.length() - start - 1;
        if (authority.charAt(start) != ':' || digits < 1 || digits > 5 || authority.charAt(start + 1) == '0') {
            return false;
        }
        int port = 0;
        for (int i = start + 1; i < authority.length(); i++) {
            char c = authority.charAt(i);
            if (c < '0' || c > '9') {
                return false;
            }
            port = port * 10 + (c - '0');
        }
        return port <= MAX_PORT;
    }

    private static boolean isIpv6(String authority, int end) {
        var bytes = IpLiteral.parseBytes(authority.subSequence(1, end - 1));
        return bytes != null && bytes.length == 16;
    }

    /** Whether that part of the text is a DNS name or an IPv4 address, in either case. */
    static boolean isHostName(String text, int start, int end) {
        if (end == start || end - start > MAX_NAME) {
            return false;
        }
        int label = start;
        for (int i = start; i <= end; i++) {
            if (i == end || text.charAt(i) == '.') {
                int length = i - label;
                if (length == 0 || length > MAX_LABEL || text.charAt(label) == '-' || text.charAt(i - 1) == '-') {
                    return false;
                }
                label = i + 1;
            } else if (!isLetterDigitDash(text.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isLetterDigitDash(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    }

    /** For text that was found to be ASCII; the argument itself if there is nothing to do. */
    static String lowerCase(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
