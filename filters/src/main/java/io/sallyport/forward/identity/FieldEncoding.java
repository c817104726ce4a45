// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import java.nio.charset.StandardCharsets;

/** How an element is written into a header field, so that it stays one element and ASCII. */
public enum FieldEncoding {
    /** As it is, but for percent, comma, controls, what is not ASCII, and blanks at both ends: these are percent-encoded UTF-8. */
    PERCENT {
        @Override
        void append(String element, StringBuilder out) {
            var bytes = element.getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i < bytes.length; i++) {
                int b = bytes[i] & 0xff;
                boolean atEnd = i == 0 || i == bytes.length - 1;
                if (b <= ' ' ? b < ' ' || atEnd : b >= 0x7f || b == '%' || b == ',') {
                    appendEncoded(b, out);
                } else {
                    out.append((char) b);
                }
            }
        }
    },

    /** {@code UTF-8''} and the percent-encoded element (RFC 8187 section 3.2.1). */
    EXT_VALUE {
        @Override
        void append(String element, StringBuilder out) {
            out.append("UTF-8''");
            for (byte each : element.getBytes(StandardCharsets.UTF_8)) {
                int b = each & 0xff;
                if (isAttributeCharacter(b)) {
                    out.append((char) b);
                } else {
                    appendEncoded(b, out);
                }
            }
        }
    };

    private static final String UPPER_HEX = "0123456789ABCDEF";

    abstract void append(String element, StringBuilder out);

    private static void appendEncoded(int b, StringBuilder out) {
        out.append('%').append(UPPER_HEX.charAt(b >> 4)).append(UPPER_HEX.charAt(b & 0xf));
    }

    private static boolean isAttributeCharacter(int b) {
        return (b >= 'a' && b <= 'z')
                || (b >= 'A' && b <= 'Z')
                || (b >= '0' && b <= '9')
                || "!#$&+-.^_`|~".indexOf(b) >= 0;
    }
}
