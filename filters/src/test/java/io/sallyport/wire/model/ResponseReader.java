// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads the bytes of a connection as responses, and takes nothing that RFC 9112 does not say in so many words. */
final class ResponseReader {
    private enum State {
        STATUS_LINE,
        FIELDS,
        BODY,
        BODY_UNTIL_CLOSE,
        CHUNK_SIZE,
        CHUNK,
        CHUNK_END,
        TRAILERS,
        SWITCHED
    }

    private final BooleanSupplier nextIsToHead;
    private final Consumer<Response> finals;
    private final Runnable informational;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final ByteArrayOutputStream tunnel = new ByteArrayOutputStream();
    private State state = State.STATUS_LINE;
    private Response response = new Response();
    private boolean begun;
    private long left;

    /**
     * @param nextIsToHead whether the next final response answers a HEAD
     * @param finals gets each final response when it is complete
     * @param informational called for each of the others
     */
    ResponseReader(BooleanSupplier nextIsToHead, Consumer<Response> finals, Runnable informational) {
        this.nextIsToHead = nextIsToHead;
        this.finals = finals;
        this.informational = informational;
    }

    void read(byte[] bytes, int length) {
        int at = 0;
        while (at < length) {
            switch (state) {
                case BODY, CHUNK -> {
                    int taken = (int) Math.min(left, length - at);
                    response.body.write(bytes, at, taken);
                    at += taken;
                    left -= taken;
                    if (left == 0) {
                        if (state == State.BODY) {
                            complete();
                        } else {
                            state = State.CHUNK_END;
                        }
                    }
                }
                case BODY_UNTIL_CLOSE, SWITCHED -> {
                    (state == State.SWITCHED ? tunnel : response.body).write(bytes, at, length - at);
                    at = length;
                }
                default -> at = readLine(bytes, at, length);
            }
        }
    }

    private int readLine(byte[] bytes, int from, int length) {
        begun = true;
        for (int at = from; at < length; at++) {
            if (bytes[at] == '\n') {
                line.write(bytes, from, at - from);
                var text = line.toString(StandardCharsets.ISO_8859_1);
                line.reset();
                require(text.endsWith("\r"), "a line without CR", text);
                lineRead(text.substring(0, text.length() - 1));
                return at + 1;
            }
        }
        line.write(bytes, from, length - from);
        return length;
    }

    private void lineRead(String text) {
        require(text.indexOf('\r') < 0 && text.indexOf('\0') < 0, "a line", text);
        switch (state) {
            case STATUS_LINE -> statusLine(text);
            case FIELDS -> {
                if (text.isEmpty()) {
                    headRead();
                } else {
                    response.fields.add(field(text));
                }
            }
            case CHUNK_SIZE -> {
                require(text.matches("[0-9a-fA-F]{1,8}"), "a chunk size", text);
                left = Long.parseLong(text, 16);
                state = left == 0 ? State.TRAILERS : State.CHUNK;
            }
            case CHUNK_END -> {
                require(text.isEmpty(), "the end of a chunk", text);
                state = State.CHUNK_SIZE;
            }
            case TRAILERS -> {
                if (text.isEmpty()) {
                    complete();
                } else {
                    response.trailers.add(field(text));
                }
            }
            default -> throw new AssertionError(state);
        }
    }

    private void statusLine(String text) {
        require(
                text.length() >= 13
                        && (text.startsWith("HTTP/1.1 ") || text.startsWith("HTTP/1.0 "))
                        && text.charAt(12) == ' '
                        && text.substring(9, 12).chars().allMatch(c -> c >= '0' && c <= '9'),
                "a status line",
                text);
        response.http10 = text.charAt(7) == '0';
        response.status = Integer.parseInt(text.substring(9, 12));
        state = State.FIELDS;
    }

    private static String field(String text) {
        int colon = text.indexOf(':');
        require(colon > 0, "a field", text);
        for (int i = 0; i < colon; i++) {
            char c = text.charAt(i);
            require(
                    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-',
                    "a field name",
                    text);
        }
        return text;
    }

    private void headRead() {
        if (response.status < 200 && response.status != 101) {
            response.informational.add(response.status);
            response.fields.clear();
            state = State.STATUS_LINE;
            begun = false;
            informational.run();
            return;
        }
        var coding = response.field("transfer-encoding");
        var length = response.field("content-length");
        require(coding == null || length == null, "both a length and a coding", response.toString());
        require(coding == null || coding.equals("chunked"), "a coding", response.toString());
        boolean bodiless = response.status == 101 || response.status == 204 || response.status == 304;
        require(
                !bodiless || response.status == 304 || (coding == null && length == null),
                "no framing",
                response.toString());
        if (bodiless || nextIsToHead.getAsBoolean()) {
            complete();
        } else if (coding != null) {
            state = State.CHUNK_SIZE;
        } else if (length != null) {
            require(length.matches("[0-9]{1,9}"), "a length", length);
            left = Long.parseLong(length);
            state = State.BODY;
            if (left == 0) {
                complete();
            }
        } else {
            response.untilClose = true;
            state = State.BODY_UNTIL_CLOSE;
        }
    }

    private void complete() {
        var complete = response;
        response = new Response();
        begun = false;
        state = complete.status == 101 ? State.SWITCHED : State.STATUS_LINE;
        finals.accept(complete);
    }

    /**
     * The connection has ended.
     *
     * @param inOrder whether by the other side's closing, which ends a body without a length
     * @return what was read of a response that is not complete, or null
     */
    @Nullable
    Response end(boolean inOrder) {
        if (inOrder && state == State.BODY_UNTIL_CLOSE) {
            complete();
        }
        return begun ? response : null;
    }

    /** What came after the protocol was switched. */
    byte[] tunnel() {
        return tunnel.toByteArray();
    }

    private static void require(boolean condition, String expected, String found) {
        if (!condition) {
            throw new Violation("not " + expected + ": " + found);
        }
    }
}
