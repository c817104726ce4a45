// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.decision.Reason;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads the query of a request target. Allowed is what RFC 3986 section 3.4 allows, and brackets, which half of the world's forms
 * send; it stays as it came. Encoded is what browsers send although it is not allowed (the URL standard's query state), and a percent
 * sign that begins no encoding. Everything else has to come encoded.
 */
final class QueryCheck {
    private static final String TOKEN_PARAMETER = "access_token";
    private static final String UPPER_HEX = "0123456789ABCDEF";

    private static final byte NOT_ALLOWED = 0;
    private static final byte ALLOWED = 1;
    private static final byte ENCODED_HERE = 2;
    private static final byte PERCENT = 3;

    private static final byte[] KIND = new byte[128];

    static {
        Arrays.fill(KIND, '0', '9' + 1, ALLOWED);
        Arrays.fill(KIND, 'a', 'z' + 1, ALLOWED);
        Arrays.fill(KIND, 'A', 'Z' + 1, ALLOWED);
        for (char c : "-._~!$&'()*+,;=:@/?[]".toCharArray()) {
            KIND[c] = ALLOWED;
        }
        for (char c : "\"<>^`{|}\\".toCharArray()) {
            KIND[c] = ENCODED_HERE;
        }
        KIND['%'] = PERCENT;
    }

    private QueryCheck() {}

    /** Why a query is refused, and where in the target. */
    record Refusal(Reason reason, int at) {}

    /** Why the query {@code target[from, end)} is refused, or null. */
    static @Nullable Refusal refusalOf(String target, int from) {
        boolean startOfName = true;
        for (int i = from; i < target.length(); i++) {
            char c = target.charAt(i);
            if (c >= 128 || KIND[c] == NOT_ALLOWED) {
                return new Refusal(Reason.EDGE_QUERY_MALFORMED, i);
            }
            if (startOfName && isToken(target, i)) {
                return new Refusal(Reason.EDGE_CREDENTIAL_IN_QUERY, i);
            }
            // Some servers separate parameters at semicolons too.
            startOfName = c == '&' || c == ';' || c == '?';
        }
        return null;
    }

    /** The query {@code target[from, end)}, which is not refused, as it is authorized and forwarded. */
    static String read(String target, int from) {
        for (int i = from; i < target.length(); i++) {
            if (isEncodedHere(target, i)) {
                return encoded(target, from, i);
            }
        }
        return target.substring(from);
    }

    private static boolean isEncodedHere(String target, int at) {
        byte kind = KIND[target.charAt(at)];
        return kind == ENCODED_HERE || (kind == PERCENT && CanonicalPaths.byteAt(target, at, target.length()) < 0);
    }

    private static String encoded(String target, int from, int first) {
        var encoded = new StringBuilder(target.length() - from + 16).append(target, from, first);
        for (int i = first; i < target.length(); i++) {
            char c = target.charAt(i);
            if (isEncodedHere(target, i)) {
                encoded.append('%').append(UPPER_HEX.charAt(c >> 4)).append(UPPER_HEX.charAt(c & 0xf));
            } else {
                encoded.append(c);
            }
        }
        return encoded.toString();
    }

    /** Whether a parameter {@code access_token} begins here, however it is encoded. */
    private static boolean isToken(String target, int from) {
        int at = from;
        for (int i = 0; i < TOKEN_PARAMETER.length(); i++) {
            if (at >= target.length()) {
                return false;
            }
            int c = target.charAt(at);
            if (c == '%') {
                c = CanonicalPaths.byteAt(target, at, target.length());
                at += 2;
            }
            at++;
            if (lowerCase(c) != TOKEN_PARAMETER.charAt(i)) {
                return false;
            }
        }
        return at == target.length() || "=&;%[".indexOf(target.charAt(at)) >= 0;
    }

    private static int lowerCase(int c) {
        return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    }
}
