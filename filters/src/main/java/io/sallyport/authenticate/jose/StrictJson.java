// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jose;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads one JSON object in the only way that it can be read (RFC 8259, with the limits of I-JSON, RFC 7493): valid UTF-8 without
 * byte order mark, unique member names at every level, no unpaired surrogate, no number that a long or a finite double cannot
 * hold, at most {@value #MAX_DEPTH} levels. Anything else is null: text that two parsers could read in two ways is refused
 * rather than read.
 *
 * <p>Our own and not a library's, because hostile input is the usual case here: it costs linear time and neither an exception
 * nor a stack trace, and what it accepts is this page.
 *
 * <p>Strings become {@link String}, numbers {@link Long} or {@link Double}, objects and arrays unmodifiable {@link Map} (in the
 * order of the text) and {@link List}, {@code null} becomes {@link Null#NULL}.
 */
public final class StrictJson {
    public static final int MAX_DEPTH = 16;

    // No number that means anything to us is longer; it bounds what parsing a double costs.
    private static final int MAX_NUMBER = 40;
    private static final String MAX_LONG = Long.toString(Long.MAX_VALUE);

    /** The literal {@code null}. */
    public enum Null {
        NULL
    }

    private final String text;
    private int at;

    private StrictJson(String text) {
        this.text = text;
    }

    /** The object that {@code utf8} is, or null if it is not one, or not one that can be read in exactly one way. */
    public static @Nullable Map<String, Object> parseObject(byte[] utf8) {
        var text = decode(utf8);
        if (text == null) {
            return null;
        }
        var parser = new StrictJson(text);
        parser.skipWhitespace();
        var object = parser.next() == '{' ? parser.object(1) : null;
        parser.skipWhitespace();
        return parser.at == text.length() ? object : null;
    }

    private static @Nullable String decode(byte[] utf8) {
        for (byte b : utf8) {
            if (b < 0) {
                var chars = CharBuffer.allocate(utf8.length);
                var result = StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .decode(ByteBuffer.wrap(utf8), chars, true);
                return result.isUnderflow() ? chars.flip().toString() : null;
            }
        }
        return new String(utf8, StandardCharsets.ISO_8859_1);
    }

    /** The character here, or 0 at the end; a NUL in the text starts nothing either. */
    private char next() {
        return at < text.length() ? text.charAt(at) : 0;
    }

    private boolean accept(char expected) {
        if (next() == expected) {
            at++;
            return true;
        }
        return false;
    }

    private void skipWhitespace() {
        while (next() == ' ' || next() == '\t' || next() == '\n' || next() == '\r') {
            at++;
        }
    }

    private @Nullable Object value(int depth) {
        return switch (next()) {
            case '{' -> depth < MAX_DEPTH ? object(depth + 1) : null;
            case '[' -> depth < MAX_DEPTH ? array(depth + 1) : null;
            case '"' -> string();
            case 't' -> literal("true", true);
            case 'f' -> literal("false", false);
            case 'n' -> literal("null", Null.NULL);
            default -> number();
        };
    }

    private @Nullable Object literal(String literal, Object value) {
        if (!text.startsWith(literal, at)) {
            return null;
        }
        at += literal.length();
        return value;
    }

    private @Nullable Map<String, Object> object(int depth) {
        var members = new LinkedHashMap<String, Object>();
        at++;
        skipWhitespace();
        if (accept('}')) {
            return Collections.unmodifiableMap(members);
        }
        do {
            skipWhitespace();
            var name = string();
            skipWhitespace();
            if (name == null || !accept(':')) {
                return null;
            }
            skipWhitespace();
            var value = value(depth);
            if (value == null || members.put(name, value) != null) {
                return null;
            }
            skipWhitespace();
        } while (accept(','));
        return accept('}') ? Collections.unmodifiableMap(members) : null;
    }

    private @Nullable List<Object> array(int depth) {
        var elements = new ArrayList<Object>();
        at++;
        skipWhitespace();
        if (accept(']')) {
            return Collections.unmodifiableList(elements);
        }
        do {
            skipWhitespace();
            var value = value(depth);
            if (value == null) {
                return null;
            }
            elements.add(value);
            skipWhitespace();
        } while (accept(','));
        return accept(']') ? Collections.unmodifiableList(elements) : null;
    }

    private @Nullable String string() {
        if (!accept('"')) {
            return null;
        }
        int start = at;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '"') {
                return text.substring(start, at++);
            }
            // UTF-8 that decoded has no unpaired surrogate: only an escape can make one.
            if (c == '\\') {
                return escapedString(start);
            }
            if (c < 0x20) {
                return null;
            }
            at++;
        }
        return null;
    }

    private @Nullable String escapedString(int start) {
        var out = new StringBuilder(text.length() - start).append(text, start, at);
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return hasUnpairedSurrogate(out) ? null : out.toString();
            }
            if (c < 0x20) {
                return null;
            }
            if (c != '\\') {
                out.append(c);
                continue;
            }
            int unescaped = escape();
            if (unescaped < 0) {
                return null;
            }
            out.append((char) unescaped);
        }
        return null;
    }

    /** The character that the escape after a backslash stands for, or -1. */
    private int escape() {
        char kind = next();
        at++;
        return switch (kind) {
            case '"', '\\', '/' -> kind;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> fourHexDigits();
            default -> -1;
        };
    }

    private int fourHexDigits() {
        int value = 0;
        for (int i = 0; i < 4; i++) {
            char c = next();
            // Character.digit would take digits of other scripts.
            int digit = c < 0x80 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                return -1;
            }
            value = value << 4 | digit;
            at++;
        }
        return value;
    }

    private static boolean hasUnpairedSurrogate(CharSequence chars) {
        for (int i = 0; i < chars.length(); i++) {
            char c = chars.charAt(i);
            if (Character.isHighSurrogate(c)
                    && i + 1 < chars.length()
                    && Character.isLowSurrogate(chars.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                return true;
            }
        }
        return false;
    }

    private @Nullable Number number() {
        int start = at;
        boolean negative = accept('-');
        int digits = at;
        if (!accept('0') && !digits()) {
            return null;
        }
        int integerEnd = at;
        boolean integral = true;
        if (accept('.')) {
            integral = false;
            if (!digits()) {
                return null;
            }
        }
        if (accept('e') || accept('E')) {
            integral = false;
            if (next() == '+' || next() == '-') {
                at++;
            }
            if (!digits()) {
                return null;
            }
        }
        if (at - start > MAX_NUMBER) {
            return null;
        }
        if (integral) {
            return integer(text.substring(digits, integerEnd), negative);
        }
        double value = Double.parseDouble(text.substring(start, at));
        return Double.isFinite(value) ? value : null;
    }

    private boolean digits() {
        int start = at;
        while (next() >= '0' && next() <= '9') {
            at++;
        }
        return at > start;
    }

    private static @Nullable Long integer(String digits, boolean negative) {
        // A double in its place would make two different identifiers equal.
        if (digits.length() > MAX_LONG.length()
                || (digits.length() == MAX_LONG.length() && digits.compareTo(MAX_LONG) > 0)) {
            return null;
        }
        long value = Long.parseLong(digits);
        return negative ? -value : value;
    }
}
