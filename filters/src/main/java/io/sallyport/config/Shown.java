// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.util.regex.Pattern;

/**
 * How a value of the file is shown in a finding, which ends in logs, health and tickets: on one line, cut where it is long,
 * and not at all where it may be a secret that was put where none belongs.
 */
final class Shown {
    static final String HIDDEN = "(hidden: it looks like a secret)";
    private static final int MAX_LENGTH = 200;

    private static final Pattern SECRET_KEY = Pattern.compile(
            "(?:password|passwd|passphrase|secret|credentials?|api-?key|private-?key|bearer|authorization)$",
            Pattern.CASE_INSENSITIVE);
    private static final Pattern PEM = Pattern.compile("-----BEGIN ");
    private static final Pattern JWS = Pattern.compile("eyJ[A-Za-z0-9_-]{8,}\\.");
    private static final Pattern USER_INFO = Pattern.compile("://[^/?#@\\s]*:[^/?#@\\s]*@");
    // 32 and more characters of one random-looking word;
    // a host, a path or a SPIFFE ID has dots, slashes or colons in it.
    private static final Pattern RANDOM_WORD = Pattern.compile(
            "(?<![\\w+/=.:-])(?=[A-Za-z_-]*\\d)(?=[\\d_-]*[A-Za-z])[A-Za-z0-9+_-]{32,}={0,2}(?![\\w+/=.:-])");

    private Shown() {}

    static String value(String path, String value) {
        return SECRET_KEY.matcher(path).find() && !value.startsWith("(") && !value.equals(RecordBinder.UNKNOWN_KEY)
                ? HIDDEN
                : text(value);
    }

    static String text(String text) {
        if (looksSecret(text)) {
            return HIDDEN;
        }
        var shown = new StringBuilder(Math.min(text.length(), MAX_LENGTH) + 3);
        text.codePoints()
                .limit(MAX_LENGTH)
                // A finding is one line, in a terminal too: no control or format characters of the file's choosing.
                .map(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT ? ' ' : c)
                .forEach(shown::appendCodePoint);
        return text.codePointCount(0, text.length()) > MAX_LENGTH ? shown + "..." : shown.toString();
    }

    private static boolean looksSecret(String text) {
        return PEM.matcher(text).find()
                || JWS.matcher(text).find()
                || USER_INFO.matcher(text).find()
                || RANDOM_WORD.matcher(text).find();
    }
}
