// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.io.ByteArrayOutputStream;
import java.security.spec.InvalidKeySpecException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** As much of DER (X.690) as it takes to put a private key into the one envelope that the JDK reads. */
final class Der {
    static final int OCTET_STRING = 0x04;
    static final int SEQUENCE = 0x30;

    private final byte[] bytes;
    private int at;
    /** Where the content of the element begins whose end was last asked for. */
    private int contentStart;

    private Der(byte[] bytes) {
        this.bytes = bytes;
    }

    static byte[] sequence(byte[]... elements) {
        var content = new ByteArrayOutputStream();
        for (var element : elements) {
            content.writeBytes(element);
        }
        return element(SEQUENCE, content.toByteArray());
    }

    static byte[] element(int tag, byte[] content) {
        var element = new ByteArrayOutputStream(content.length + 4);
        element.write(tag);
        int length = content.length;
        if (length < 0x80) {
            element.write(length);
        } else {
            int octets = (Integer.SIZE - Integer.numberOfLeadingZeros(length) + 7) / 8;
            element.write(0x80 | octets);
            for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
                element.write(length >>> shift);
            }
        }
        element.writeBytes(content);
        return element.toByteArray();
    }

    /** Reads the elements of a sequence, which has to be all that there is. */
    static Der inSequence(byte[] sequence) throws InvalidKeySpecException {
        var outer = new Der(sequence);
        var content = outer.content(SEQUENCE);
        if (outer.at != sequence.length) {
            throw malformed();
        }
        return new Der(content);
    }

    /** The next element whole, whatever it is; null if there is none left. */
    byte @Nullable [] next() throws InvalidKeySpecException {
        if (at == bytes.length) {
            return null;
        }
        int start = at;
        at = endOfNext();
        return Arrays.copyOfRange(bytes, start, at);
    }

    /** What is in that element. */
    static byte[] contentOf(byte[] element) throws InvalidKeySpecException {
        return new Der(element).content(element[0] & 0xff);
    }

    private byte[] content(int tag) throws InvalidKeySpecException {
        if (at == bytes.length || (bytes[at] & 0xff) != tag) {
            throw malformed();
        }
        int end = endOfNext();
        var content = Arrays.copyOfRange(bytes, contentStart, end);
        at = end;
        return content;
    }

    private int endOfNext() throws InvalidKeySpecException {
        int position = at + 1;
        if (position >= bytes.length) {
            throw malformed();
        }
        int first = bytes[position++] & 0xff;
        long length = first;
        if (first >= 0x80) {
            int octets = first & 0x7f;
            if (octets == 0 || octets > 4 || position + octets > bytes.length) {
                throw malformed();
            }
            length = 0;
            for (int i = 0; i < octets; i++) {
                length = (length << 8) | (bytes[position++] & 0xff);
            }
        }
        if (length > bytes.length - position) {
            throw malformed();
        }
        contentStart = position;
        return position + (int) length;
    }

    private static InvalidKeySpecException malformed() {
        return new InvalidKeySpecException("no DER");
    }
}
