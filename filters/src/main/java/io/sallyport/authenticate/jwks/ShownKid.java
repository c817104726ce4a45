// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import org.jspecify.annotations.Nullable;

/** A {@code kid} as it may be written to a log: a stranger chose it, or an issuer, and it can be anything that a string can be. */
final class ShownKid {
    private static final int MAX_LENGTH = 64;

    private ShownKid() {}

    /** At most {@value #MAX_LENGTH} characters of printable ASCII, a question mark for every other one. */
    static @Nullable String of(@Nullable String kid) {
        if (kid == null) {
            return null;
        }
        var shown = new StringBuilder(Math.min(kid.length(), MAX_LENGTH) + 3);
        for (int i = 0; i < Math.min(kid.length(), MAX_LENGTH); i++) {
            char c = kid.charAt(i);
            shown.append(c >= 0x20 && c < 0x7f ? c : '?');
        }
        return kid.length() > MAX_LENGTH ? shown.append("...").toString() : shown.toString();
    }
}
