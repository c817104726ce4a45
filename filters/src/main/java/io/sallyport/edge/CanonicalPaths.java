// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.decision.Reason;
import io.sallyport.pipeline.CanonicalPath;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads the path of a request target into the one spelling that it has here, or refuses it. Canonical (RFC 3986 section 6.2.2)
 * means: percent-encodings in upper case, and none of a character that needs none; encoded is what browsers send although RFC 3986
 * does not allow it (the URL standard's path state); everything else stays as it was sent. Nothing is resolved: a path that would
 * need that is refused.
 *
 * <p>Malformed is what RFC 3986 section 3.3 does not allow either way, and encoded bytes that are no UTF-8 or are control characters.
 * Ambiguous is what some reader splits, cuts or resolves and another does not: encoded slashes and backslashes, NUL, empty
 * segments, dot segments, {@code ;} with or without parameters, each of these plain, encoded, encoded twice, or as a
 * character that Unicode compatibility (NFKC) folds into it.
 *
 * <p>Two of these a route may let pass ({@link PathRules}), and they are read into {@link Reading.Conditional}: encoded slashes between
 * which there is neither an empty nor a dot segment, and plain {@code ;} with parameters behind a segment that is neither.
 *
 * <p>{@code canonical(canonical(x)) = canonical(x)}, and decoding it once gives what decoding it twice gives.
 */
public final class CanonicalPaths {

    /** What a target's path was read as. */
    sealed interface Reading {
        record Canonical(CanonicalPath path) implements Reading {}

        /**
         * Refused on every route that does not say otherwise.
         *
         * @param path without parameters
         * @param forwarded the path with its parameters
         * @param slashAt where in the target the first encoded slash is, or -1
         * @param parameterAt where the first semicolon is, or -1
         */
        record Conditional(CanonicalPath path, String forwarded, int slashAt, int parameterAt) implements Reading {
            /** What a route has to let pass. */
            boolean isAllowedBy(PathRules rules) {
                return (slashAt < 0 || rules.passesEncodedSlashes()) && (parameterAt < 0 || rules.passesParameters());
            }
        }

        /**
         * Refused on every route.
         *
         * @param at where in the target
         */
        record Refused(Reason reason, int at) implements Reading {}
    }

    /** The encoded slash of canonical paths. */
    static final String ENCODED_SLASH = "%2F";

    private static final byte NOT_ALLOWED = 0;
    private static final byte UNRESERVED = 1;
    private static final byte OTHER_ALLOWED = 2;
    private static final byte SLASH = 3;
    private static final byte DOT = 4;
    private static final byte PERCENT = 5;
    private static final byte SEMICOLON = 6;
    private static final byte BACKSLASH = 7;
    private static final byte ENCODED_HERE = 8;

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
        // What browsers leave as it is.
        for (char c : "\"<>^`{|}[]".toCharArray()) {
            KIND[c] = ENCODED_HERE;
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
                        return ambiguous(segment);
                    }
                    segment = i + 1;
                    onlyDots = true;
                }
                case PERCENT, SEMICOLON, ENCODED_HERE -> {
                    return new Decoding(target, from, to).read();
                }
                default -> {
                    return malformed(i);
                }
            }
        }
        if (onlyDots && to > segment && to - segment <= 2) {
            return ambiguous(segment);
        }
        return new Reading.Canonical(new CanonicalPath(target.substring(from, to)));
    }

    private static Reading malformed(int at) {
        return new Reading.Refused(Reason.EDGE_PATH_MALFORMED, at);
    }

    private static Reading ambiguous(int at) {
        return new Reading.Refused(Reason.EDGE_PATH_AMBIGUOUS, at);
    }

    /** Whether that path is the one spelling of itself: what {@code edge} would have made of it on a route with those rules. */
    public static boolean isCanonical(String path, PathRules rules) {
        return path.startsWith("/")
                && switch (read(path, 0, path.length())) {
                    case Reading.Canonical(CanonicalPath(var canonical)) -> canonical.equals(path);
                    case Reading.Conditional conditional ->
                        conditional.isAllowedBy(rules)
                                && conditional.forwarded().equals(path);
                    case Reading.Refused _ -> false;
                };
    }

    /** How a record names what is wrong with a target: the character, or its encoding, and its place, counted from 0. */
    static String shown(String target, int at) {
        if (at >= target.length()) {
            return "its end";
        }
        char c = target.charAt(at);
        if (c <= ' ' || c >= 0x7f) {
            return "U+%04X at %d".formatted((int) c, at);
        }
        int end = byteAt(target, at, target.length()) >= 0 && c == '%' ? at + 3 : at + 1;
        return "'%s' at %d".formatted(target.substring(at, end), at);
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

    /** The path with anything in it that is not as plain as can be: rare, so it may allocate. */
    private static final class Decoding {
        private static final int AFTER_PERCENT = 1;
        private static final int AFTER_DIGIT = 2;
        private static final int ENCODED_TWICE = 3;
        private static final int AFTER_U = 4;

        private final String target;
        private final int to;
        private final StringBuilder canonical;
        private int at;

        /** With parameters, once there are any. */
        private @Nullable StringBuilder withParameters;

        private int slashAt = -1;
        private int parameterAt = -1;

        // Of the current segment, or of what an encoded slash would make one of.
        private int segment;
        private boolean inParameters;
        private boolean afterEncodedSlash;
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
            beginSegment();
            while (at < to) {
                var refused = target.charAt(at) == '/' ? slash() : character();
                if (refused != null) {
                    return refused;
                }
            }
            // An empty last segment is a slash at the end, unless somebody reads an encoded one as such.
            if (isDotSegment() || (empty && afterEncodedSlash)) {
                return ambiguous(segment);
            }
            var path = new CanonicalPath(canonical.toString());
            return slashAt < 0 && parameterAt < 0
                    ? new Reading.Canonical(path)
                    : new Reading.Conditional(
                            path,
                            withParameters == null ? path.value() : withParameters.toString(),
                            slashAt,
                            parameterAt);
        }

        private void beginSegment() {
            inParameters = false;
            afterEncodedSlash = false;
            append('/');
            at++;
            begin();
        }

        private void begin() {
            segment = at;
            empty = true;
            dots = 0;
            onlyDots = true;
            secondEncoding = 0;
        }

        private @Nullable Reading slash() {
            if (!inParameters && (empty || isDotSegment())) {
                return ambiguous(empty ? at : segment);
            }
            beginSegment();
            return null;
        }

        /** What some read as the end of the segment. */
        private @Nullable Reading semicolon() {
            if (!inParameters && (empty || isDotSegment())) {
                return ambiguous(empty ? at : segment);
            }
            if (withParameters == null) {
                withParameters = new StringBuilder(to - at + canonical.length()).append(canonical);
                parameterAt = at;
            }
            inParameters = true;
            secondEncoding = 0;
            append(';');
            at++;
            return null;
        }

        /** What some read as a slash: then what is on both sides of it has to be a segment to them too. */
        private @Nullable Reading encodedSlash() {
            if (inParameters || empty || isDotSegment()) {
                return ambiguous(at);
            }
            if (slashAt < 0) {
                slashAt = at;
            }
            appendEncoded('/');
            at += 3;
            begin();
            afterEncodedSlash = true;
            return null;
        }

        private void append(char c) {
            if (!inParameters) {
                canonical.append(c);
            }
            if (withParameters != null) {
                withParameters.append(c);
            }
        }

        private boolean isDotSegment() {
            return !inParameters && onlyDots && (dots == 1 || dots == 2);
        }

        private @Nullable Reading character() {
            char c = target.charAt(at);
            switch (c < 128 ? KIND[c] : NOT_ALLOWED) {
                case UNRESERVED, OTHER_ALLOWED, DOT -> append(c);
                case ENCODED_HERE -> appendEncoded(c);
                case PERCENT -> {
                    return encoded();
                }
                case SEMICOLON -> {
                    return semicolon();
                }
                default -> {
                    return malformed(at);
                }
            }
            return decoded(c, at++);
        }

        private @Nullable Reading encoded() {
            int b = byteAt(target, at, to);
            if (b < 0) {
                return malformed(at);
            }
            if (b >= 0x80) {
                return encodedUtf8(b);
            }
            switch (KIND[b]) {
                case UNRESERVED, DOT -> append((char) b);
                case SLASH -> {
                    return encodedSlash();
                }
                case BACKSLASH, SEMICOLON -> {
                    return ambiguous(at);
                }
                default -> {
                    if (b == 0) {
                        return ambiguous(at);
                    }
                    if (b < ' ' || b == 0x7f) {
                        return malformed(at);
                    }
                    appendEncoded(b);
                }
            }
            int from = at;
            at += 3;
            return decoded(b, from);
        }

        private @Nullable Reading encodedUtf8(int first) {
            int from = at;
            int length = utf8Length(first);
            if (length == 0) {
                return malformed(from);
            }
            appendEncoded(first);
            int codePoint = first & (0x7f >> length);
            at += 3;
            for (int i = 1; i < length; i++) {
                int b = at < to && target.charAt(at) == '%' ? byteAt(target, at, to) : -1;
                if (b < 0x80 || b > 0xbf) {
                    return malformed(from);
                }
                appendEncoded(b);
                codePoint = (codePoint << 6) | (b & 0x3f);
                at += 3;
            }
            boolean shortest =
                    length == 2 || (length == 3 && codePoint >= 0x800) || (length == 4 && codePoint >= 0x10000);
            if (!shortest || codePoint > Character.MAX_CODE_POINT || isSurrogate(codePoint)) {
                return malformed(from);
            }
            return isSeparatorLookalike(codePoint) ? ambiguous(from) : decoded(codePoint, from);
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
            append('%');
            append(UPPER_HEX.charAt(b >> 4));
            append(UPPER_HEX.charAt(b & 0xf));
        }

        /** Notes a character of the decoded path, which is written at that place of the target. */
        private @Nullable Reading decoded(int codePoint, int from) {
            empty = false;
            int dotsHere = dotsIn(codePoint);
            dots += dotsHere;
            onlyDots &= dotsHere > 0;
            secondEncoding = secondEncodingAfter(codePoint);
            return secondEncoding == ENCODED_TWICE ? ambiguous(from) : null;
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
