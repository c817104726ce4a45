// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

/** The value of an {@code Authorization} field as RFC 6750 section 2.1 writes it: {@code "Bearer" 1*SP b64token}. */
final class BearerCredential {
    private static final String SCHEME = "Bearer";

    private BearerCredential() {}

    /** Whether the scheme, which is case-insensitive (RFC 9110 section 11.1), is ours. */
    static boolean hasScheme(String authorization) {
        return authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                && (authorization.length() == SCHEME.length()
                        || !isTokenCharacter(authorization.charAt(SCHEME.length())));
    }

    /** Whether that character would be part of the scheme's name (RFC 9110 section 5.6.2). */
    private static boolean isTokenCharacter(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || "!#$%&'*+-.^_`|~".indexOf(c) >= 0;
    }

    /**
     * Whether the token has the form of a compact JWS: three parts of base64url, of which the last may be empty. Whoever issues such a
     * token issues JWTs.
     */
    static boolean isJws(String authorization, int start) {
        int dots = 0;
        for (int i = start; i < authorization.length(); i++) {
            char c = authorization.charAt(i);
            if (c == '.') {
                dots++;
            } else if (!isBase64Url(c)) {
                return false;
            }
        }
        return dots == 2 && authorization.charAt(start) != '.';
    }

    private static boolean isBase64Url(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }

    /** Whether it is a {@code b64token} (RFC 6750 section 2.1), so that it may be asked about. */
    static boolean isToken(String authorization, int start) {
        int end = authorization.length();
        while (end > start && authorization.charAt(end - 1) == '=') {
            end--;
        }
        for (int i = start; i < end; i++) {
            char c = authorization.charAt(i);
            if (!isBase64Url(c) && "._~+/".indexOf(c) < 0) {
                return false;
            }
        }
        return end > start;
    }

    /** Where the token begins in it, or -1 if there is none, or no blank before it. */
    static int tokenStart(String authorization) {
        int start = SCHEME.length();
        while (start < authorization.length() && authorization.charAt(start) == ' ') {
            start++;
        }
        return start == SCHEME.length() || start == authorization.length() ? -1 : start;
    }

    /** Whether a second credential follows after a comma, as some make one field of two. For text that holds no token. */
    static boolean isList(String authorization, int start) {
        int i = authorization.indexOf(',', start) + 1;
        if (i == 0) {
            return false;
        }
        while (i < authorization.length() && authorization.charAt(i) == ' ') {
            i++;
        }
        int scheme = i;
        while (i < authorization.length() && isTokenCharacter(authorization.charAt(i))) {
            i++;
        }
        return i > scheme && i < authorization.length() && authorization.charAt(i) == ' ';
    }
}
