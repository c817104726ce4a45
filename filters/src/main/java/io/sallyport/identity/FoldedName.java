// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

/**
 * Names of header fields as the most forgiving reader compares them: letters in any case, and each run of dashes as one. What such
 * a reader takes for one field must not be two here.
 */
public final class FoldedName {
    private FoldedName() {}

    /** The spelling that stands for all that are the same: lower case, each run of dashes as one. */
    public static String of(String name) {
        var folded = new StringBuilder(name.length());
        for (int i = 0; i < name.length(); i++) {
            char c = lower(name.charAt(i));
            if (c != '-' || i == 0 || name.charAt(i - 1) != '-') {
                folded.append(c);
            }
        }
        return folded.toString();
    }

    /** Whether a name is that one. Makes nothing. */
    public static boolean isSame(String folded, CharSequence name) {
        return begins(name, folded, true);
    }

    /** Whether a name begins so. Makes nothing. */
    static boolean beginsWith(CharSequence name, String folded) {
        return begins(name, folded, false);
    }

    private static boolean begins(CharSequence name, String folded, boolean whole) {
        int at = 0;
        char before = 0;
        for (int i = 0; i < name.length(); i++) {
            char c = lower(name.charAt(i));
            if (c == '-' && before == '-') {
                continue;
            }
            if (at == folded.length()) {
                return !whole;
            }
            if (c != folded.charAt(at++)) {
                return false;
            }
            before = c;
        }
        return at == folded.length();
    }

    /** A hash that is the same for all spellings: of the two characters that folding leaves where they are. */
    public static int hash(CharSequence name) {
        return name.isEmpty() ? 0 : 31 * lower(name.charAt(0)) + lower(name.charAt(name.length() - 1));
    }

    /** Of a letter of ASCII; any other character as it is. */
    static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
    }
}
