// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jose;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * base64url as RFC 7515 section 2 and RFC 4648 section 3.5 want it: no padding, no other character, and the bits of the last
 * character that carry nothing are zero. So no two texts decode to the same bytes, and a token has one spelling.
 */
public final class Base64Url {
    private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    private static final byte[] VALUES = new byte[128];

    static {
        Arrays.fill(VALUES, (byte) -1);
        for (int i = 0; i < ALPHABET.length(); i++) {
            VALUES[ALPHABET.charAt(i)] = (byte) i;
        }
    }

    private Base64Url() {}

    /** The bytes that {@code text} stands for, or null if it is not canonical. */
    public static byte @Nullable [] decode(String text) {
        return decode(text, 0, text.length());
    }

    /** The bytes that the characters from {@code start} up to {@code end} stand for, or null if they are not canonical. */
    public static byte @Nullable [] decode(String text, int start, int end) {
        int length = end - start;
        int rest = length % 4;
        if (rest == 1) {
            return null;
        }
        var bytes = new byte[length / 4 * 3 + (rest == 0 ? 0 : rest - 1)];
        int bits = 0;
        int buffer = 0;
        int out = 0;
        for (int i = start; i < end; i++) {
            char c = text.charAt(i);
            int value = c < VALUES.length ? VALUES[c] : -1;
            if (value < 0) {
                return null;
            }
            buffer = buffer << 6 | value;
            bits += 6;
            if (bits >= 8) {
                bits -= 8;
                bytes[out++] = (byte) (buffer >> bits);
                buffer &= (1 << bits) - 1;
            }
        }
        return buffer == 0 ? bytes : null;
    }
}
