// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.decision.Reason;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Judges the query of a request target, which is forwarded as it came. Allowed is what RFC 3986 section 3.4 allows, and
 * brackets, which half of the world's forms send; everything else has to be percent-encoded.
 */
final class QueryCheck {
    private static final String TOKEN_PARAMETER = "access_token";

    private static final boolean[] ALLOWED = new boolean[128];

    static {
        Arrays.fill(ALLOWED, '0', '9' + 1, true);
        Arrays.fill(ALLOWED, 'a', 'z' + 1, true);
        Arrays.fill(ALLOWED, 'A', 'Z' + 1, true);
        for (char c : "-._~!$&'()*+,;=:@/?[]%".toCharArray()) {
            ALLOWED[c] = true;
        }
    }

    private QueryCheck() {}

    /** Why the query {@code target[from, end)} is refused, or null. */
    static @Nullable Reason refusalOf(String target, int from) {
        boolean startOfName = true;
        for (int i = from; i < target.length(); i++) {
            char c = target.charAt(i);
            if (c >= 128 || !ALLOWED[c]) {
                return Reason.EDGE_PATH_MALFORMED;
            }
            if (c == '%' && CanonicalPaths.byteAt(target, i, target.length()) < 0) {
                return Reason.EDGE_PATH_MALFORMED;
            }
            if (startOfName && isToken(target, i)) {
                return Reason.EDGE_CREDENTIAL_IN_QUERY;
            }
            // Some servers separate parameters at semicolons too.
            startOfName = c == '&' || c == ';' || c == '?';
        }
        return null;
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
