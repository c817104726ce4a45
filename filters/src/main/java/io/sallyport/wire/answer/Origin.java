// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import io.sallyport.config.InvalidSetting;
import java.net.URI;
import java.util.Locale;

/**
 * A web origin as browsers write it in {@code Origin} (RFC 6454 section 6.2), compared character by character.
 *
 * @param value scheme, host in lower case, and the port where it is not the scheme's own: {@code https://app.example.org}
 */
public record Origin(String value) {
    private static final String EXPECTED =
            "an origin as browsers send it: https://app.example.org, in lower case, without a path, a slash at the end or the usual port";

    public Origin {
        if (!value.equals(canonical(value))) {
            throw new InvalidSetting("", value, EXPECTED);
        }
    }

    /**
     * Reads an origin; {@code *} and {@code null} are none.
     *
     * @throws InvalidSetting if a browser would write it differently
     */
    public static Origin parse(String text) {
        return new Origin(text);
    }

    /** The one way to write it, or an empty string if it is no origin at all. */
    private static String canonical(String text) {
        URI uri;
        try {
            uri = URI.create(text);
        } catch (IllegalArgumentException _) {
            return "";
        }
        var scheme = uri.getScheme();
        var host = uri.getHost();
        if (host == null || !("https".equals(scheme) || "http".equals(scheme))) {
            return "";
        }
        int usualPort = scheme.equals("https") ? 443 : 80;
        var port = uri.getPort() < 0 || uri.getPort() == usualPort ? "" : ":" + uri.getPort();
        return scheme + "://" + host.toLowerCase(Locale.ROOT) + port;
    }

    @Override
    public String toString() {
        return value;
    }
}
