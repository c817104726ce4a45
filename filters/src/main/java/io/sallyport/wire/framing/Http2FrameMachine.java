// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import io.netty.buffer.ByteBuf;
import java.util.function.LongSupplier;

/**
 * Follows the bytes of a client's HTTP/2 connection from frame to frame (RFC 9113 section 4.1), by the headers of the frames
 * alone: where the head of a request begins and ends, and how many frames came that ask for work and bring nothing. What the
 * frames contain is the codec's to judge.
 */
final class Http2FrameMachine {
    /** What was met in the bytes. */
    enum Met {
        /** Their end, and nothing before it. */
        END,
        /** A HEADERS frame on a stream that is no new one: {@link #stream}. */
        OLD_STREAM,
        /** More frames without use than a client has reason to send. */
        FLOOD
    }

    private static final int PREFACE_LENGTH = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length();
    private static final int HEADER_LENGTH = 9;

    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int SETTINGS = 4;
    private static final int WINDOW_UPDATE = 8;
    private static final int CONTINUATION = 9;

    private static final int END_STREAM = 0x1;
    private static final int END_HEADERS = 0x4;

    /** Opening a window by less than this at a time makes data leave in crumbs. */
    private static final int CRUMB = 1024;

    private static final int BYTES_OF_SETTINGS = 64;

    /**
     * So many frames without use may come within one period, beside those that each head and each piece of a body make good:
     * clients ask whether we are alive about as often as they want something of us.
     */
    private static final int USELESS_AT_MOST = 1_000;

    private static final int MADE_GOOD_BY_HEAD = 10;
    private static final long PERIOD_NANOS = 10_000_000_000L;

    private final LongSupplier nanoTime;
    private long periodBegan;
    private int useless;

    private int prefaceLeft = PREFACE_LENGTH;
    private int headerRead;
    private int length;
    private int type;
    private int flags;
    private int stream;
    private int payloadLeft;
    private int increment;

    private int position;
    private int highestStream;
    private int heads;
    private boolean inBlock;

    /** @param nanoTime asked once now, and then whenever many frames without use have come */
    Http2FrameMachine(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.periodBegan = nanoTime.getAsLong();
    }

    /**
     * Reads on, without consuming anything.
     *
     * @param from where to begin or to go on, an absolute index
     * @return why it stopped; {@link #position} says where
     */
    Met feed(ByteBuf bytes, int from) {
        int end = bytes.writerIndex();
        position = from;
        skipPreface(end);
        while (true) {
            if (headerRead == HEADER_LENGTH && payloadLeft == 0) {
                headerRead = 0;
                if (!isMadeGood()) {
                    return Met.FLOOD;
                }
            } else if (position == end) {
                return Met.END;
            } else if (headerRead < HEADER_LENGTH) {
                readHeader(bytes.getUnsignedByte(position++));
                if (headerRead == HEADER_LENGTH && !isOnNewStream()) {
                    return Met.OLD_STREAM;
                }
            } else {
                readPayload(bytes, Math.min(payloadLeft, end - position));
            }
        }
    }

    private void skipPreface(int end) {
        int skipped = Math.min(prefaceLeft, end - position);
        prefaceLeft -= skipped;
        position += skipped;
    }

    private void readHeader(int octet) {
        switch (headerRead++) {
            case 0 -> length = octet;
            case 1, 2 -> length = (length << 8) | octet;
            case 3 -> type = octet;
            case 4 -> flags = octet;
            // The reserved bit is ignored (RFC 9113 section 4.1).
            case 5 -> stream = octet & 0x7f;
            default -> stream = (stream << 8) | octet;
        }
        payloadLeft = length;
    }

    /**
     * Notes a head that begins; false if it would have to belong to a stream that was begun before. A stream that no client can
     * begin is none of these: the codec has the right error for it.
     */
    private boolean isOnNewStream() {
        if (type != HEADERS) {
            return true;
        }
        inBlock = true;
        if (stream <= highestStream && (stream & 1) != 0) {
            return false;
        }
        highestStream = Math.max(highestStream, stream);
        heads++;
        return true;
    }

    private void readPayload(ByteBuf bytes, int count) {
        if (type == WINDOW_UPDATE) {
            for (int i = 0; i < count; i++) {
                increment = (increment << 8) | bytes.getUnsignedByte(position + i);
            }
        }
        position += count;
        payloadLeft -= count;
    }

    /** Ends a frame; false if there were too many that brought nothing. */
    private boolean isMadeGood() {
        if ((type == HEADERS || type == CONTINUATION) && (flags & END_HEADERS) != 0) {
            inBlock = false;
        }
        useless = Math.max(0, useless + cost());
        if (useless <= USELESS_AT_MOST) {
            return true;
        }
        long now = nanoTime.getAsLong();
        if (now - periodBegan < PERIOD_NANOS) {
            return false;
        }
        periodBegan = now;
        useless = 0;
        return true;
    }

    private int cost() {
        return switch (type) {
            case DATA -> length > 0 || (flags & END_STREAM) != 0 ? -1 : 1;
            case HEADERS -> -MADE_GOOD_BY_HEAD;
            case SETTINGS -> 1 + length / BYTES_OF_SETTINGS;
            case WINDOW_UPDATE -> increment < CRUMB ? 1 : 0;
            default -> 1;
        };
    }

    /** Where {@link #feed} stopped: an absolute index, behind the last byte that was followed. */
    int position() {
        return position;
    }

    /** The stream of the frame that was met. */
    int stream() {
        return stream;
    }

    /** The last stream that a head came on, whether the codec took it or not; 0 if there was none. */
    int highestStream() {
        return highestStream;
    }

    /** How many heads of requests have begun to come in. */
    int heads() {
        return heads;
    }

    /**
     * Tells one head that is coming in from the next: zero while none is. Whatever else is not whole, and is no body, counts as
     * part of a head: it has to come in as fast.
     */
    int headUnderWay() {
        boolean inPreface = prefaceLeft > 0 && prefaceLeft < PREFACE_LENGTH;
        boolean inFrame = headerRead > 0 && (headerRead < HEADER_LENGTH || type != DATA);
        return inBlock || inFrame || inPreface ? heads + 1 : 0;
    }
}
