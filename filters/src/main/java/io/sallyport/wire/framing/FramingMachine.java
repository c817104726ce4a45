// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;
import io.sallyport.decision.Reason;
import io.sallyport.edge.HeadLimits;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Follows the bytes of one HTTP/1.x connection, request after request, and finds the first one that a reader could
 * understand differently from another. It keeps no bytes and allocates nothing after its constructor; the verdict does not
 * depend on how the bytes are cut into buffers.
 *
 * <p>Accepts less than RFC 9112 where the RFC leaves a recipient a choice. Refused although a lenient reader would take it:
 * a bare LF as a line end (section 2.2), an obs-fold (5.2), several or listed lengths even if they are equal (6.3), a length
 * with leading zeros, any transfer coding but {@code chunked}, any transfer coding in HTTP/1.0 (6.1), white space in a chunk
 * header (7.1.1). Accepted: one empty line before a request line (2.2), bytes above 0x7f in field values, {@code Chunked} in
 * any case (7).
 *
 * <p>Confined to the connection's event loop.
 */
final class FramingMachine {
    private static final int MAX_METHOD = 32;
    // 18 digits fit in a long whatever they are; no body is that long.
    private static final int MAX_LENGTH_DIGITS = 18;
    private static final int MAX_PORT_DIGITS = 5;
    // The largest chunk that Netty's codec reads.
    private static final int MAX_CHUNK = Integer.MAX_VALUE;
    private static final int MAX_CHUNK_DIGITS = 8;
    private static final int MAX_EXTENSION = 256;
    // Extensions are paid for by data, or a client could have the gateway read without end for a body of a few bytes.
    private static final int MAX_UNPAID_EXTENSIONS = 16 * 1024;

    private static final byte[] CHUNKED = "chunked".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] VERSION = "HTTP/1.".getBytes(StandardCharsets.US_ASCII);

    private static final byte[] CONTENT_LENGTH = "content-length".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] TRANSFER_ENCODING = "transfer-encoding".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] HOST = "host".getBytes(StandardCharsets.US_ASCII);
    // Two fields of a WebSocket draft of 2010; with both, Netty's codec reads a body of 8 bytes that nothing announces.
    private static final byte[] HIXIE_KEY_1 = "sec-websocket-key1".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] HIXIE_KEY_2 = "sec-websocket-key2".getBytes(StandardCharsets.US_ASCII);

    // Heads are looked at in here: a copy of so little costs less than reading a buffer byte by byte. Bodies never are.
    private static final FastThreadLocal<byte[]> WINDOW = new FastThreadLocal<>() {
        @Override
        protected byte[] initialValue() {
            return new byte[512];
        }
    };

    private static final boolean[] TOKEN = new boolean[256];
    private static final boolean[] FIELD_VALUE = new boolean[256];

    static {
        Arrays.fill(FIELD_VALUE, ' ', 256, true);
        FIELD_VALUE['\t'] = true;
        FIELD_VALUE[0x7f] = false;
        for (int c = '0'; c <= '9'; c++) {
            TOKEN[c] = true;
        }
        for (int c = 'a'; c <= 'z'; c++) {
            TOKEN[c] = true;
            TOKEN[c - 'a' + 'A'] = true;
        }
        for (char c : "!#$%&'*+-.^_`|~".toCharArray()) {
            TOKEN[c] = true;
        }
    }

    private enum State {
        BEFORE_REQUEST,
        EMPTY_LINE_LF,
        METHOD,
        TARGET,
        VERSION,
        REQUEST_LINE_CR,
        REQUEST_LINE_LF,
        FIELD_START,
        FIELD_NAME,
        VALUE_START,
        VALUE,
        FIELD_LF,
        SECTION_LF,
        DATA,
        CHUNK_SIZE,
        EXTENSION_NAME_START,
        EXTENSION_NAME,
        EXTENSION_VALUE_START,
        EXTENSION_TOKEN,
        EXTENSION_QUOTED,
        EXTENSION_ESCAPE,
        EXTENSION_QUOTED_END,
        CHUNK_SIZE_LF,
        CHUNK_DATA_CR,
        CHUNK_DATA_LF
    }

    private enum Field {
        OTHER,
        CONTENT_LENGTH,
        TRANSFER_ENCODING,
        HOST
    }

    private enum HostPart {
        START,
        NAME,
        BRACKETED,
        AFTER_BRACKET,
        PORT
    }

    private final HeadLimits limits;
    private State state = State.BEFORE_REQUEST;
    private @Nullable Reason refusal;
    private int complete;
    private boolean bodyAlreadyUnderWay;

    // Of the current message.
    private int number;
    private boolean emptyLineSeen;
    private boolean http10;
    private int methodLength;
    private int lineLength;
    private int fieldBytes;
    private int fieldLines;
    private int hosts;
    private long contentLength;
    private boolean chunked;
    private boolean inBody;
    private boolean inTrailers;
    private int unpaidExtensions;

    // Of the current token, line or chunk.
    private final byte[] name = new byte[HIXIE_KEY_1.length];
    private int nameLength;
    private Field field = Field.OTHER;
    private int matched;
    private boolean valueEnded;
    private HostPart hostPart = HostPart.START;
    private int digits;
    private int extensionLength;
    private long remaining;

    FramingMachine(HeadLimits limits) {
        this.limits = limits;
        reset();
    }

    /**
     * Reads all readable bytes without moving the reader index.
     *
     * @return why this connection's bytes must not be read any further, or null; once refused, always refused
     */
    @Nullable
    Reason feed(ByteBuf bytes) {
        int start = bytes.readerIndex();
        int end = bytes.writerIndex();
        int index = start;
        complete = 0;
        bodyAlreadyUnderWay = inBody;
        while (index < end && refusal == null) {
            if (state == State.DATA) {
                int taken = (int) Math.min(remaining, end - index);
                remaining -= taken;
                index += taken;
                if (remaining == 0) {
                    endOfData();
                }
            } else {
                var window = WINDOW.get();
                int length = Math.min(window.length, end - index);
                bytes.getBytes(index, window, 0, length);
                index += walk(window, length);
            }
            if (refusal == null && state == State.BEFORE_REQUEST && !emptyLineSeen) {
                complete = index - start;
            }
        }
        return refusal;
    }

    /** How many of the bytes fed last end a complete message: those before them are whole requests, and in order. */
    int completeBytes() {
        return complete;
    }

    /** Whether the current message's head ended before the bytes fed last, so that somebody may be reading its body. */
    boolean bodyWasUnderWay() {
        return bodyAlreadyUnderWay && complete == 0;
    }

    /** The number of the message whose head has begun and not ended, or zero. */
    int headUnderWay() {
        return !inBody && state != State.BEFORE_REQUEST ? number : 0;
    }

    /** Whether the bytes of this connection so far are that many whole messages, and not one byte more. */
    boolean isEndOf(int messages) {
        return state == State.BEFORE_REQUEST && !emptyLineSeen && number == messages + 1;
    }

    /** Whether the body of a message has begun and not ended. */
    boolean isInBody() {
        return inBody;
    }

    /**
     * Walks the first {@code length} bytes, or less.
     *
     * @return how many were taken
     */
    private int walk(byte[] window, int length) {
        int at = 0;
        while (at < length) {
            // What most bytes are, without a look at the state for each.
            switch (state) {
                case TARGET -> at = skipTarget(window, at, length);
                case FIELD_NAME -> at = skipName(window, at, length);
                case VALUE -> at = field == Field.OTHER ? skipValue(window, at, length) : at;
                default -> {}
            }
            if (at < length && !accept(window[at++])) {
                return at;
            }
        }
        return at;
    }

    private int skipTarget(byte[] window, int from, int length) {
        int end = Math.min(length, from + limits.maxRequestLine() - lineLength);
        int at = from;
        // Negative above 0x7f.
        while (at < end && window[at] > ' ' && window[at] < 0x7f) {
            at++;
        }
        lineLength += at - from;
        return at;
    }

    private int skipName(byte[] window, int from, int length) {
        int end = Math.min(length, from + limits.maxHeaders() - fieldBytes);
        int at = from;
        while (at < end && TOKEN[window[at] & 0xff]) {
            nameByte(window[at++]);
        }
        fieldBytes += at - from;
        return at;
    }

    private int skipValue(byte[] window, int from, int length) {
        int end = Math.min(length, from + limits.maxHeaders() - fieldBytes);
        int at = from;
        while (at < end && FIELD_VALUE[window[at] & 0xff]) {
            at++;
        }
        fieldBytes += at - from;
        return at;
    }

    /** Takes one byte; false stops the walk: refused, at the end of a message, or before bytes that need no looking at. */
    private boolean accept(byte signed) {
        int b = signed & 0xff;
        return switch (state) {
            case BEFORE_REQUEST -> beforeRequest(b);
            case EMPTY_LINE_LF -> expect('\n', b, State.BEFORE_REQUEST, Reason.EDGE_REQUEST_LINE_MALFORMED);
            case METHOD -> method(b);
            case TARGET -> target(b);
            case VERSION -> version(b);
            case REQUEST_LINE_CR -> expect('\r', b, State.REQUEST_LINE_LF, Reason.EDGE_REQUEST_LINE_MALFORMED);
            case REQUEST_LINE_LF -> expect('\n', b, State.FIELD_START, Reason.EDGE_REQUEST_LINE_MALFORMED);
            case FIELD_START, FIELD_NAME, VALUE_START, VALUE, FIELD_LF, SECTION_LF -> fieldByte(b);
            case CHUNK_SIZE -> chunkSize(b);
            case CHUNK_SIZE_LF -> b == '\n' ? endOfChunkHeader() : refuse(Reason.EDGE_BODY_MALFORMED);
            case CHUNK_DATA_CR -> expect('\r', b, State.CHUNK_DATA_LF, Reason.EDGE_BODY_MALFORMED);
            case CHUNK_DATA_LF -> b == '\n' ? nextChunk() : refuse(Reason.EDGE_BODY_MALFORMED);
            case EXTENSION_NAME_START,
                    EXTENSION_NAME,
                    EXTENSION_VALUE_START,
                    EXTENSION_TOKEN,
                    EXTENSION_QUOTED,
                    EXTENSION_ESCAPE,
                    EXTENSION_QUOTED_END -> extensionByte(b);
            case DATA -> false;
        };
    }

    private boolean refuse(Reason reason) {
        refusal = reason;
        return false;
    }

    private boolean expect(int expected, int b, State next, Reason otherwise) {
        if (b != expected) {
            return refuse(otherwise);
        }
        state = next;
        return true;
    }

    // The request line

    private boolean beforeRequest(int b) {
        if (b == '\r' && !emptyLineSeen) {
            emptyLineSeen = true;
            state = State.EMPTY_LINE_LF;
            return true;
        }
        emptyLineSeen = false;
        state = State.METHOD;
        return method(b);
    }

    private boolean method(int b) {
        if (b == ' ' && methodLength > 0) {
            state = State.TARGET;
            return lineByte();
        }
        if (!TOKEN[b] || ++methodLength > MAX_METHOD) {
            return refuse(Reason.EDGE_REQUEST_LINE_MALFORMED);
        }
        return lineByte();
    }

    private boolean target(int b) {
        if (b == ' ' && lineLength > methodLength + 1) {
            state = State.VERSION;
            matched = 0;
            return lineByte();
        }
        return (b > ' ' && b < 0x7f) ? lineByte() : refuse(Reason.EDGE_REQUEST_LINE_MALFORMED);
    }

    private boolean version(int b) {
        if (matched < VERSION.length) {
            return b == VERSION[matched++] ? lineByte() : refuse(Reason.EDGE_REQUEST_LINE_MALFORMED);
        }
        if (b != '0' && b != '1') {
            return refuse(Reason.EDGE_REQUEST_LINE_MALFORMED);
        }
        http10 = b == '0';
        state = State.REQUEST_LINE_CR;
        return lineByte();
    }

    private boolean lineByte() {
        return ++lineLength <= limits.maxRequestLine() || refuse(Reason.EDGE_TARGET_TOO_LONG);
    }

    // Field lines, of the head and of the trailer section

    private boolean fieldByte(int b) {
        if (++fieldBytes > limits.maxHeaders()) {
            return refuse(Reason.EDGE_HEADERS_TOO_LARGE);
        }
        return switch (state) {
            case VALUE -> value(b);
            case FIELD_NAME -> fieldName(b);
            case VALUE_START -> b == ' ' || b == '\t' || startOfValue(b);
            case FIELD_START -> fieldStart(b);
            case FIELD_LF -> expect('\n', b, State.FIELD_START, malformedField());
            default -> b == '\n' ? endOfSection() : refuse(malformedField());
        };
    }

    private Reason malformedField() {
        return inTrailers ? Reason.EDGE_BODY_MALFORMED : Reason.EDGE_HEADER_MALFORMED;
    }

    private boolean fieldStart(int b) {
        if (b == '\r') {
            state = State.SECTION_LF;
            return true;
        }
        if (++fieldLines > limits.maxHeaderLines()) {
            return refuse(Reason.EDGE_HEADERS_TOO_LARGE);
        }
        nameLength = 0;
        state = State.FIELD_NAME;
        // White space here would be a folded line: no token either.
        return fieldName(b);
    }

    private boolean fieldName(int b) {
        if (b == ':' && nameLength > 0) {
            return endOfName();
        }
        if (!TOKEN[b]) {
            return refuse(malformedField());
        }
        nameByte(b);
        return true;
    }

    private void nameByte(int b) {
        if (nameLength < name.length) {
            name[nameLength] = (byte) (b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b);
        }
        nameLength++;
    }

    private boolean endOfName() {
        field = switch (nameLength) {
            case 4 -> isNamed(HOST) ? Field.HOST : Field.OTHER;
            case 14 -> isNamed(CONTENT_LENGTH) ? Field.CONTENT_LENGTH : Field.OTHER;
            case 17 -> isNamed(TRANSFER_ENCODING) ? Field.TRANSFER_ENCODING : Field.OTHER;
            default -> Field.OTHER;
        };
        if (field != Field.OTHER && inTrailers) {
            return refuse(Reason.EDGE_BODY_MALFORMED);
        }
        state = State.VALUE_START;
        return switch (field) {
            case HOST -> ++hosts == 1 || refuse(Reason.EDGE_HOST_AMBIGUOUS);
            case CONTENT_LENGTH -> (contentLength < 0 && !chunked) || refuse(Reason.EDGE_FRAMING_AMBIGUOUS);
            case TRANSFER_ENCODING ->
                (contentLength < 0 && !chunked && !http10) || refuse(Reason.EDGE_FRAMING_AMBIGUOUS);
            case OTHER -> !(isNamed(HIXIE_KEY_1) || isNamed(HIXIE_KEY_2)) || refuse(Reason.EDGE_FRAMING_AMBIGUOUS);
        };
    }

    private boolean isNamed(byte[] lowerCase) {
        return nameLength == lowerCase.length
                && Arrays.equals(name, 0, lowerCase.length, lowerCase, 0, lowerCase.length);
    }

    private boolean startOfValue(int b) {
        valueEnded = false;
        digits = 0;
        matched = 0;
        hostPart = HostPart.START;
        if (field == Field.CONTENT_LENGTH) {
            contentLength = 0;
        }
        state = State.VALUE;
        return value(b);
    }

    private boolean value(int b) {
        if (b == '\r') {
            state = State.FIELD_LF;
            return endOfValue();
        }
        if (!FIELD_VALUE[b]) {
            return refuse(malformedField());
        }
        if (field == Field.OTHER) {
            return true;
        }
        if (b == ' ' || b == '\t') {
            valueEnded = true;
            return true;
        }
        return switch (field) {
            case CONTENT_LENGTH -> contentLengthByte(b);
            case TRANSFER_ENCODING -> transferEncodingByte(b);
            default -> hostByte(b);
        };
    }

    private boolean contentLengthByte(int b) {
        boolean leadingZero = digits > 0 && contentLength == 0;
        if (valueEnded || leadingZero || b < '0' || b > '9' || ++digits > MAX_LENGTH_DIGITS) {
            return refuse(Reason.EDGE_FRAMING_AMBIGUOUS);
        }
        contentLength = contentLength * 10 + (b - '0');
        return true;
    }

    private boolean transferEncodingByte(int b) {
        if (valueEnded || matched == CHUNKED.length || (b | 0x20) != CHUNKED[matched]) {
            return refuse(Reason.EDGE_FRAMING_AMBIGUOUS);
        }
        matched++;
        return true;
    }

    /** The shape of an authority: the codec's server would fail on another one before anybody could say why. */
    private boolean hostByte(int b) {
        boolean wellFormed = !valueEnded
                && switch (hostPart) {
                    case START -> {
                        hostPart = b == '[' ? HostPart.BRACKETED : HostPart.NAME;
                        yield b == '[' || isHostNameByte(b);
                    }
                    case NAME -> (b == ':' && startOfPort()) || isHostNameByte(b);
                    case BRACKETED -> {
                        hostPart = b == ']' ? HostPart.AFTER_BRACKET : HostPart.BRACKETED;
                        yield b == ']' || b == ':' || isHostNameByte(b);
                    }
                    case AFTER_BRACKET -> b == ':' && startOfPort();
                    case PORT -> b >= '0' && b <= '9' && ++digits <= MAX_PORT_DIGITS;
                };
        return wellFormed || refuse(Reason.EDGE_HOST_MALFORMED);
    }

    private boolean startOfPort() {
        hostPart = HostPart.PORT;
        return true;
    }

    private static boolean isHostNameByte(int b) {
        return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '.' || b == '-';
    }

    private boolean endOfValue() {
        return switch (field) {
            case OTHER -> true;
            case CONTENT_LENGTH -> digits > 0 || refuse(Reason.EDGE_FRAMING_AMBIGUOUS);
            case TRANSFER_ENCODING -> {
                chunked = true;
                yield matched == CHUNKED.length || refuse(Reason.EDGE_FRAMING_AMBIGUOUS);
            }
            // An empty Host is a message; that it names nobody is for the stage to say.
            case HOST ->
                switch (hostPart) {
                    case START, NAME, AFTER_BRACKET -> true;
                    case BRACKETED -> refuse(Reason.EDGE_HOST_MALFORMED);
                    case PORT -> digits > 0 || refuse(Reason.EDGE_HOST_MALFORMED);
                };
        };
    }

    private boolean endOfSection() {
        if (inTrailers) {
            return endOfMessage();
        }
        if (chunked) {
            inBody = true;
            return nextChunk();
        }
        if (contentLength > 0) {
            inBody = true;
            remaining = contentLength;
            state = State.DATA;
            return false;
        }
        return endOfMessage();
    }

    private boolean endOfMessage() {
        reset();
        return false;
    }

    private void reset() {
        number++;
        state = State.BEFORE_REQUEST;
        emptyLineSeen = false;
        http10 = false;
        methodLength = 0;
        lineLength = 0;
        fieldBytes = 0;
        fieldLines = 0;
        hosts = 0;
        contentLength = -1;
        chunked = false;
        inBody = false;
        inTrailers = false;
        unpaidExtensions = 0;
    }

    // The body

    private void endOfData() {
        if (chunked) {
            state = State.CHUNK_DATA_CR;
        } else {
            reset();
        }
    }

    private boolean nextChunk() {
        digits = 0;
        remaining = 0;
        extensionLength = 0;
        state = State.CHUNK_SIZE;
        return true;
    }

    private boolean chunkSize(int b) {
        if (digits > 0 && b == '\r') {
            state = State.CHUNK_SIZE_LF;
            return true;
        }
        if (digits > 0 && b == ';') {
            state = State.EXTENSION_NAME_START;
            return true;
        }
        int digit = hexDigit(b);
        if (digit < 0 || ++digits > MAX_CHUNK_DIGITS) {
            return refuse(Reason.EDGE_BODY_MALFORMED);
        }
        remaining = (remaining << 4) | digit;
        return remaining <= MAX_CHUNK || refuse(Reason.EDGE_BODY_MALFORMED);
    }

    private static int hexDigit(int b) {
        if (b >= '0' && b <= '9') {
            return b - '0';
        }
        int letter = b | 0x20;
        return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
    }

    private boolean extensionByte(int b) {
        if (++extensionLength > MAX_EXTENSION || ++unpaidExtensions > MAX_UNPAID_EXTENSIONS) {
            return refuse(Reason.EDGE_BODY_MALFORMED);
        }
        var next = switch (state) {
            case EXTENSION_NAME_START -> TOKEN[b] ? State.EXTENSION_NAME : null;
            case EXTENSION_NAME -> TOKEN[b] ? state : b == '=' ? State.EXTENSION_VALUE_START : endOfExtension(b);
            case EXTENSION_VALUE_START -> b == '"' ? State.EXTENSION_QUOTED : TOKEN[b] ? State.EXTENSION_TOKEN : null;
            case EXTENSION_TOKEN -> TOKEN[b] ? state : endOfExtension(b);
            case EXTENSION_QUOTED ->
                b == '"'
                        ? State.EXTENSION_QUOTED_END
                        : b == '\\' ? State.EXTENSION_ESCAPE : isQuotable(b) ? state : null;
            case EXTENSION_ESCAPE -> isQuotable(b) ? State.EXTENSION_QUOTED : null;
            default -> endOfExtension(b);
        };
        if (next == null) {
            return refuse(Reason.EDGE_BODY_MALFORMED);
        }
        state = next;
        return true;
    }

    private static @Nullable State endOfExtension(int b) {
        return b == ';' ? State.EXTENSION_NAME_START : b == '\r' ? State.CHUNK_SIZE_LF : null;
    }

    // Without obs-text: Netty's codec fails on it.
    private static boolean isQuotable(int b) {
        return b == '\t' || (b >= ' ' && b < 0x7f);
    }

    private boolean endOfChunkHeader() {
        if (remaining == 0) {
            inTrailers = true;
            state = State.FIELD_START;
            return true;
        }
        unpaidExtensions = (int) Math.max(0, unpaidExtensions - remaining);
        state = State.DATA;
        return false;
    }
}
