// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jose;

import org.jspecify.annotations.Nullable;

/** Text of a token or a key set as it may be written to a log: a stranger chose it, and it can be anything that a string can be. */
public final class ShownText {
    private static final int MAX_LENGTH = 200;
    private static final int MAX_KID = 64;

    private ShownText() {}

    /** At most 200 characters of printable ASCII, a question mark for every other one. */
    public static String of(String text) {
        return of(text, MAX_LENGTH);
    }

    /** A {@code kid}, cut after 64 characters; {@code null} for none. */
    public static String kid(@Nullable String kid) {
        return kid == null ? "null" : of(kid, MAX_KID);
    }

    private static String of(String text, int most) {
        var shown = new StringBuilder(Math.min(text.length(), most) + 3);
        for (int i = 0; i < Math.min(text.length(), most); i++) {
            char c = text.charAt(i);
            shown.append(c >= 0x20 && c < 0x7f ? c : '?');
        }
        return text.length() > most ? shown.append("...").toString() : shown.toString();
    }
}
