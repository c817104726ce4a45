// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.pipeline.ClientAddress;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which address a request comes from. {@code X-Forwarded-For} is a list that each proxy appends its own peer to, so it is
 * read from its end, and only as long as the one who wrote an entry is trusted: what stands before is whatever a client
 * liked to send, and is not even looked at.
 */
final class ForwardedFor {
    static final String NAME = "X-Forwarded-For";

    private ForwardedFor() {}

    static boolean isTrusted(InetAddress address, List<Cidr> trustedProxies) {
        if (trustedProxies.isEmpty()) {
            return false;
        }
        var bytes = IpLiteral.bytesOf(address);
        for (var proxy : trustedProxies) {
            if (proxy.contains(bytes)) {
                return true;
            }
        }
        return false;
    }

    /**
     * The last address that no trusted proxy has, or the first of all if every one is trusted.
     *
     * @param proxy the trusted transport peer
     * @param lines the values of the field in the order of their lines
     * @return null if an entry that had to be read is no address
     */
    static @Nullable ClientAddress read(InetAddress proxy, List<String> lines, List<Cidr> trustedProxies) {
        var client = new ClientAddress(proxy, false);
        for (var line : lines.reversed()) {
            int end = line.length();
            while (end >= 0) {
                int comma = line.lastIndexOf(',', end - 1);
                var address =
                        parseEntry(HeaderScan.trimmed(line, comma + 1, end).toString());
                if (address == null) {
                    return null;
                }
                client = new ClientAddress(address, true);
                if (!isTrusted(address, trustedProxies)) {
                    return client;
                }
                end = comma;
            }
        }
        return client;
    }

    /** An address; some proxies add the port, and IPv6 then stands in brackets (RFC 7239 section 6). */
    private static @Nullable InetAddress parseEntry(String entry) {
        if (entry.startsWith("[")) {
            int bracket = entry.indexOf(']');
            return bracket > 0 && entry.indexOf(':') < bracket && isPort(entry, bracket + 1)
                    ? IpLiteral.parse(entry.substring(1, bracket))
                    : null;
        }
        int colon = entry.indexOf(':');
        if (colon > 0 && colon == entry.lastIndexOf(':')) {
            return isPort(entry, colon) ? IpLiteral.parse(entry.substring(0, colon)) : null;
        }
        return IpLiteral.parse(entry);
    }

    private static boolean isPort(String entry, int from) {
        if (from == entry.length()) {
            return true;
        }
        int digits = entry.length() - from - 1;
        return entry.charAt(from) == ':'
                && digits >= 1
                && digits <= 5
                && entry.chars().skip(from + 1L).allMatch(c -> c >= '0' && c <= '9');
    }
}
