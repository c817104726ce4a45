// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A frame as RFC 6455 section 5.2 has it, written and read without a library's help.
 *
 * @param first the first byte: FIN, the reserved bits, the opcode
 * @param payload unmasked, in Latin-1
 */
record Frame(int first, boolean masked, String payload) {
    static final int TEXT = 0x81;
    static final int BINARY = 0x82;
    static final int CLOSE = 0x88;
    static final int PING = 0x89;
    static final int PONG = 0x8a;

    private static final byte[] MASK = {0x11, 0x22, 0x33, 0x44};

    /** Where a frame's bytes come from; throws where there are no more. */
    interface Source {
        byte[] read(int length) throws IOException;
    }

    static Frame ofClient(int first, String payload) {
        return new Frame(first, true, payload);
    }

    static Frame ofServer(int first, String payload) {
        return new Frame(first, false, payload);
    }

    /** The payload of a Close with that code. */
    static String code(int code, String reason) {
        return "" + (char) (code >> 8) + (char) (code & 0xff) + reason;
    }

    byte[] bytes() {
        var content = payload.getBytes(StandardCharsets.ISO_8859_1);
        var out = new ByteArrayOutputStream();
        int mask = masked ? 0x80 : 0;
        out.write(first);
        if (content.length < 126) {
            out.write(mask | content.length);
        } else if (content.length < 65_536) {
            out.write(mask | 126);
            out.writeBytes(
                    ByteBuffer.allocate(2).putShort((short) content.length).array());
        } else {
            out.write(mask | 127);
            out.writeBytes(ByteBuffer.allocate(8).putLong(content.length).array());
        }
        if (masked) {
            out.writeBytes(MASK);
            mask(content, MASK);
        }
        out.writeBytes(content);
        return out.toByteArray();
    }

    static Frame read(Source source) throws IOException {
        var head = source.read(2);
        int length = head[1] & 0x7f;
        if (length == 126) {
            length = ByteBuffer.wrap(source.read(2)).getShort() & 0xffff;
        } else if (length == 127) {
            length = Math.toIntExact(ByteBuffer.wrap(source.read(8)).getLong());
        }
        boolean masked = head[1] < 0;
        var mask = masked ? source.read(4) : new byte[4];
        var content = source.read(length);
        mask(content, mask);
        return new Frame(head[0] & 0xff, masked, new String(content, StandardCharsets.ISO_8859_1));
    }

    private static void mask(byte[] content, byte[] mask) {
        for (int i = 0; i < content.length; i++) {
            content[i] ^= mask[i % 4];
        }
    }
}
