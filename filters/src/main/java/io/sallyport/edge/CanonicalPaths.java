// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.decision.Reason;
import io.sallyport.pipeline.CanonicalPath;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads the path of a request target into the one spelling that it has here, or refuses it. Canonical (RFC 3986 section 6.2.2)
 * means: percent-encodings in upper case, and none of a character that needs none; everything else stays as it was sent.
 * Nothing is removed or resolved: a path that would need that is refused.
 *
 * <p>Malformed is what RFC 3986 section 3.3 does not allow, and encoded bytes that are no UTF-8 or are control characters.
 * Ambiguous is what some reader splits, cuts or resolves and another does not: encoded slashes and backslashes, NUL, empty
 * segments, dot segments, {@code ;} with or without parameters, each of these plain, encoded, encoded twice, or as a
 * character that Unicode compatibility (NFKC) folds into it.
 *
 * <p>{@code canonical(canonical(x)) = canonical(x)}, and decoding it once gives what decoding it twice gives.
 */
public final class CanonicalPaths {

    /** What a target's path was read as. */
    sealed interface Reading {
        record Canonical(CanonicalPath path) implements Reading {}

        record Refused(Reason reason) implements Reading {}
    }

    private static final Reading MALFORMED = new Reading.Refused(Reason.EDGE_PATH_MALFORMED);
    private static final Reading AMBIGUOUS = new Reading.Refused(Reason.EDGE_PATH_AMBIGUOUS);

    private static final byte NOT_ALLOWED = 0;
    private static final byte UNRESERVED = 1;
    private static final byte OTHER_ALLOWED = 2;
    private static final byte SLASH = 3;
    private static final byte DOT = 4;
    private static final byte PERCENT = 5;
    private static final byte SEMICOLON = 6;
    private static final byte BACKSLASH = 7;

    private static final byte[] KIND = new byte[128];

    static {
        Arrays.fill(KIND, '0', '9' + 1, UNRESERVED);
        Arrays.fill(KIND, 'a', 'z' + 1, UNRESERVED);
        Arrays.fill(KIND, 'A', 'Z' + 1, UNRESERVED);
        KIND['-'] = UNRESERVED;
        KIND['_'] = UNRESERVED;
        KIND['~'] = UNRESERVED;
        for (char c : "!$&'()*+,=:@".toCharArray()) {
            KIND[c] = OTHER_ALLOWED;
        }
        KIND['/'] = SLASH;
        KIND['.'] = DOT;
        KIND['%'] = PERCENT;
        KIND[';'] = SEMICOLON;
        KIND['\\'] = BACKSLASH;
    }

    private static final String UPPER_HEX = "0123456789ABCDEF";

    private CanonicalPaths() {}

    /**
     * Reads {@code target[from, to)}, which begins with a slash.
     *
     * @return never throws, whatever the characters are
     */
    static Reading read(String target, int from, int to) {
        int segment = from + 1;
        boolean onlyDots = true;
        for (int i = from + 1; i < to; i++) {
            char c = target.charAt(i);
            switch (c < 128 ? KIND[c] : NOT_ALLOWED) {
                case UNRESERVED, OTHER_ALLOWED -> onlyDots = false;
                case DOT -> {}
                case SLASH -> {
                    if (i == segment || (onlyDots && i - segment <= 2)) {
                        return AMBIGUOUS;
                    }
                    segment = i + 1;
                    onlyDots = true;
                }
                case PERCENT -> {
                    return new Decoding(target, from, to).read();
                }
                case SEMICOLON -> {
                    return AMBIGUOUS;
                }
                default -> {
                    return MALFORMED;
                }
            }
        }
        if (onlyDots && to > segment && to - segment <= 2) {
            return AMBIGUOUS;
        }
        return new Reading.Canonical(new CanonicalPath(target.substring(from, to)));
    }

    /** Whether that path is the one spelling of itself: what {@code edge} would have made of it. */
    public static boolean isCanonical(String path) {
        return path.startsWith("/")
                && read(path, 0, path.length()) instanceof Reading.Canonical(CanonicalPath(var canonical))
                && canonical.equals(path);
    }

    /** The characters that {@code path[from, to)} stands for. */
    static String decode(String canonical, int from, int to) {
        int percent = canonical.indexOf('%', from);
        if (percent < 0 || percent >= to) {
            return canonical.substring(from, to);
        }
        var bytes = new byte[to - from];
        int length = 0;
        for (int i = from; i < to; i++) {
            char c = canonical.charAt(i);
            if (c == '%') {
                bytes[length++] = (byte) byteAt(canonical, i, to);
                i += 2;
            } else {
                bytes[length++] = (byte) c;
            }
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    /** The byte that is encoded at {@code text[index]}, a percent sign, or -1 if it is no encoding. */
    static int byteAt(String text, int index, int to) {
        if (index + 2 >= to) {
            return -1;
        }
        int high = hexDigit(text.charAt(index + 1));
        int low = hexDigit(text.charAt(index + 2));
        return high < 0 || low < 0 ? -1 : (high << 4) | low;
    }

    private static int hexDigit(int c) {
        return c < 128 ? Character.digit(c, 16) : -1;
    }

    /** The path with percent-encodings in it: rare, so it may allocate. */
    private static final class Decoding {
        private static final int AFTER_PERCENT = 1;
        private static final int AFTER_DIGIT = 2;
        private static final int ENCODED_TWICE = 3;
        private static final int AFTER_U = 4;

        private final String target;
        private final int to;
        private final StringBuilder canonical;
        private int at;

        // Of the current segment.
        private boolean empty = true;
        private int dots;
        private boolean onlyDots = true;
        // How much of something that decodes again is there: of %2f, or of the %u002f of some servers.
        private int secondEncoding;

        Decoding(String target, int from, int to) {
            this.target = target;
            this.to = to;
            this.at = from;
            this.canonical = new StringBuilder(to - from);
        }

        Reading read() {
            canonical.append('/');
            at++;
            while (at < to) {
                var refused = target.charAt(at) == '/' ? slash() : character();
                if (refused != null) {
                    return refused;
                }
            }
            // An empty last segment is a slash at the end.
            return isDotSegment() ? AMBIGUOUS : new Reading.Canonical(new CanonicalPath(canonical.toString()));
        }

        private @Nullable Reading slash() {
            if (empty || isDotSegment()) {
                return AMBIGUOUS;
            }
            empty = true;
            dots = 0;
            onlyDots = true;
            secondEncoding = 0;
            canonical.append('/');
            at++;
            return null;
        }

        private boolean isDotSegment() {
            return onlyDots && (dots == 1 || dots == 2);
        }

        private @Nullable Reading character() {
            empty = false;
            char c = target.charAt(at);
            if (c == '%') {
                return encoded();
            }
            switch (c < 128 ? KIND[c] : NOT_ALLOWED) {
                case UNRESERVED, OTHER_ALLOWED, DOT -> {}
                case SEMICOLON -> {
                    return AMBIGUOUS;
                }
                default -> {
                    return MALFORMED;
                }
            }
            at++;
            canonical.append(c);
            return decoded(c);
        }

        private @Nullable Reading encoded() {
            int b = byteAt(target, at, to);
            if (b < 0) {
                return MALFORMED;
            }
            if (b >= 0x80) {
                return encodedUtf8(b);
            }
            at += 3;
            switch (KIND[b]) {
                case UNRESERVED, DOT -> canonical.append((char) b);
                case SLASH, BACKSLASH, SEMICOLON -> {
                    return AMBIGUOUS;
                }
                default -> {
                    if (b == 0) {
                        return AMBIGUOUS;
                    }
                    if (b < ' ' || b == 0x7f) {
                        return MALFORMED;
                    }
                    appendEncoded(b);
                }
            }
            return decoded(b);
        }

        private @Nullable Reading encodedUtf8(int first) {
            int length = utf8Length(first);
            if (length == 0) {
                return MALFORMED;
            }
            appendEncoded(first);
            int codePoint = first & (0x7f >> length);
            at += 3;
            for (int i = 1; i < length; i++) {
                int b = at < to && target.charAt(at) == '%' ? byteAt(target, at, to) : -1;
                if (b < 0x80 || b > 0xbf) {
                    return MALFORMED;
                }
                appendEncoded(b);
                codePoint = (codePoint << 6) | (b & 0x3f);
                at += 3;
            }
            boolean shortest =
                    length == 2 || (length == 3 && codePoint >= 0x800) || (length == 4 && codePoint >= 0x10000);
            if (!shortest || codePoint > Character.MAX_CODE_POINT || isSurrogate(codePoint)) {
                return MALFORMED;
            }
            return isSeparatorLookalike(codePoint) ? AMBIGUOUS : decoded(codePoint);
        }

        /** Bytes of the character that begins so, or 0 if none does. */
        private static int utf8Length(int first) {
            if (first >= 0xf0) {
                return first <= 0xf4 ? 4 : 0;
            }
            if (first >= 0xe0) {
                return 3;
            }
            return first >= 0xc2 ? 2 : 0;
        }

        private static boolean isSurrogate(int codePoint) {
            return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
        }

        private void appendEncoded(int b) {
            canonical.append('%').append(UPPER_HEX.charAt(b >> 4)).append(UPPER_HEX.charAt(b & 0xf));
        }

        /** Notes a character of the decoded path. */
        private @Nullable Reading decoded(int codePoint) {
            int dotsHere = dotsIn(codePoint);
            dots += dotsHere;
            onlyDots &= dotsHere > 0;
            secondEncoding = secondEncodingAfter(codePoint);
            if (secondEncoding == ENCODED_TWICE) {
                return AMBIGUOUS;
            }
            return null;
        }

        private int secondEncodingAfter(int codePoint) {
            boolean hex = hexDigit(codePoint) >= 0;
            return switch (secondEncoding) {
                case AFTER_PERCENT -> hex ? AFTER_DIGIT : (codePoint | 0x20) == 'u' ? AFTER_U : startOf(codePoint);
                case AFTER_DIGIT -> hex ? ENCODED_TWICE : startOf(codePoint);
                case AFTER_U, AFTER_U + 1, AFTER_U + 2 -> hex ? secondEncoding + 1 : startOf(codePoint);
                case AFTER_U + 3 -> hex ? ENCODED_TWICE : startOf(codePoint);
                default -> startOf(codePoint);
            };
        }

        private static int startOf(int codePoint) {
            return codePoint == '%' ? AFTER_PERCENT : 0;
        }
    }

    /** How many dots that character is to a reader that applies NFKC, if it is nothing else. */
    static int dotsIn(int codePoint) {
        return switch (codePoint) {
            case '.', 0x2024, 0xfe52, 0xff0e -> 1;
            case 0x2025, 0xfe30 -> 2;
            default -> 0;
        };
    }

    /** Whether a reader that applies NFKC finds a slash, backslash, semicolon or percent sign in that character. */
    static boolean isSeparatorLookalike(int codePoint) {
        return switch (codePoint) {
            case 0x037e,
                    0x2100,
                    0x2101,
                    0x2105,
                    0x2106,
                    0xfe14,
                    0xfe54,
                    0xfe68,
                    0xfe6a,
                    0xff05,
                    0xff0f,
                    0xff1b,
                    0xff3c -> true;
            default -> false;
        };
    }
}
