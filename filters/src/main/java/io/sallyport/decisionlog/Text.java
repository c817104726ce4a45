// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

/** Text of others, made fit for a record. */
final class Text {
    private static final char REPLACEMENT = '\uFFFD';

    private Text() {}

    /** At most that many characters, without cutting a surrogate pair in two. */
    static String truncate(String text, int most) {
        if (text.length() <= most) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(most - 1)) ? most - 1 : most;
        return text.substring(0, end);
    }

    /** With U+FFFD in place of each surrogate that has lost its other half: JSON can spell one, but hardly a reader takes it. */
    static String wellFormed(String text) {
        StringBuilder mended = null;
        for (int i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            if (!Character.isSurrogate(c)) {
                continue;
            }
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            mended = mended == null ? new StringBuilder(text) : mended;
            mended.setCharAt(i, REPLACEMENT);
        }
        return mended == null ? text : mended.toString();
    }
}
