// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.buffer.ByteBuf;

/**
 * Follows a stream of server-sent events, to know when no event is incomplete: at its beginning, and behind each empty line (WHATWG
 * HTML, "Parsing an event stream": lines end with LF, CR, or CR LF).
 */
final class EventBoundary {
    /** The last four bytes, the newest lowest. Begins as if an empty line had just passed. */
    private int last = '\n' << 8 | '\n';

    void pass(ByteBuf part) {
        for (int i = Math.max(part.readerIndex(), part.writerIndex() - Integer.BYTES); i < part.writerIndex(); i++) {
            last = last << Byte.SIZE | (part.getByte(i) & 0xff);
        }
    }

    boolean isReached() {
        int end = last & 0xff;
        int before = last >>> 8 & 0xff;
        if (end == '\r') {
            return before == '\r' || before == '\n';
        }
        if (end != '\n') {
            return false;
        }
        // LF alone ends a line; behind CR it ends the same line as that.
        int previous = before == '\r' ? last >>> 16 & 0xff : before;
        return previous == '\n' || (before == '\r' && previous == '\r');
    }
}
