// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jose;

import java.util.Locale;

/** The {@code typ} and {@code cty} of a JOSE header: media types, of which {@code application/} may be left out. */
public final class MediaType {
    private static final String APPLICATION = "application/";
    /** Of an access token (RFC 9068 section 2.1), normalized. */
    public static final String ACCESS_TOKEN = "at+jwt";

    private MediaType() {}

    /** The form in which two of them are the same if and only if RFC 7515 section 4.1.9 says so: lower case, prefix left out. */
    public static String normalized(String type) {
        var lower = type.toLowerCase(Locale.ROOT);
        return lower.startsWith(APPLICATION) && lower.indexOf('/', APPLICATION.length()) < 0
                ? lower.substring(APPLICATION.length())
                : lower;
    }

    /** Whether it is that of an access token (RFC 9068 section 2.1). */
    public static boolean isAccessToken(String type) {
        return normalized(type).equals(ACCESS_TOKEN);
    }

    /** Whether it says that the content is another JWT (RFC 7519 section 5.2). */
    public static boolean isNestedToken(String contentType) {
        return normalized(contentType).equals("jwt");
    }
}
