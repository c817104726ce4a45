// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.sallyport.app.scenarios.RawConnection;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;

/** HTTP/2 frame by frame: nothing is checked, mended or held back before it is sent. */
final class Http2Connection implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int PRIORITY = 2;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int END_STREAM = 1;
    static final int END_HEADERS = 4;

    /** How the connection ended, as {@link #outcomeOf} says it. */
    static final String ENDED = "ended";

    private final RawConnection connection;
    private final DataInputStream in;
    private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false);

    private Http2Connection(RawConnection connection) throws IOException {
        this.connection = connection;
        this.in = new DataInputStream(connection.in());
    }

    static Http2Connection open(HostileWorld world) throws IOException {
        return open(world, new byte[0]);
    }

    /** @param settings the payload of the first SETTINGS frame */
    static Http2Connection open(HostileWorld world, byte[] settings) throws IOException {
        return open(RawConnection.open(world.tls(), world.port(), "h2"), settings);
    }

    static Http2Connection open(RawConnection under, byte[] settings) throws IOException {
        var connection = new Http2Connection(under);
        connection.connection.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        return connection.send(SETTINGS, 0, 0, settings);
    }

    Http2Connection send(int type, int flags, int stream, byte[] payload) throws IOException {
        return write(frame(type, flags, stream, payload));
    }

    Http2Connection write(byte[] frames) throws IOException {
        connection.write(frames);
        return this;
    }

    static byte[] frame(int type, int flags, int stream, byte[] payload) {
        var frame = new byte[9 + payload.length];
        frame[0] = (byte) (payload.length >> 16);
        frame[1] = (byte) (payload.length >> 8);
        frame[2] = (byte) payload.length;
        frame[3] = (byte) type;
        frame[4] = (byte) flags;
        frame[5] = (byte) (stream >> 24);
        frame[6] = (byte) (stream >> 16);
        frame[7] = (byte) (stream >> 8);
        frame[8] = (byte) stream;
        System.arraycopy(payload, 0, frame, 9, payload.length);
        return frame;
    }

    /** Names and values in turn, as literals that are not indexed (RFC 7541 section 6.2.2), in Latin-1. */
    static byte[] block(String... fields) {
        var block = new ByteArrayOutputStream();
        for (int i = 0; i < fields.length; i += 2) {
            block.write(0);
            string(block, fields[i]);
            string(block, fields[i + 1]);
        }
        return block.toByteArray();
    }

    private static void string(ByteArrayOutputStream block, String text) {
        int length = text.length();
        if (length < 0x7f) {
            block.write(length);
        } else {
            block.write(0x7f);
            for (length -= 0x7f; length >= 0x80; length >>= 7) {
                block.write((length & 0x7f) | 0x80);
            }
            block.write(length);
        }
        block.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /**
     * What becomes of a stream: the status of its answer; {@code reset} and the code of its error; or {@link #ENDED} if the
     * connection was, with or without GOAWAY.
     */
    String outcomeOf(int stream) throws IOException, Http2Exception {
        while (true) {
            var outcome = nextOutcome();
            if (outcome.stream() == stream || outcome.what().equals(ENDED)) {
                return outcome.what();
            }
        }
    }

    /** Reads the heads of that many answers, of whichever streams. */
    void readHeads(int count) throws IOException, Http2Exception {
        for (int i = 0; i < count; i++) {
            var outcome = nextOutcome().what();
            if (!outcome.equals("200")) {
                throw new IOException(outcome);
            }
        }
    }

    private record Outcome(int stream, String what) {}

    private Outcome nextOutcome() throws IOException, Http2Exception {
        while (true) {
            int length;
            try {
                length = (in.readUnsignedByte() << 16) | in.readUnsignedShort();
            } catch (SocketTimeoutException e) {
                throw e;
            } catch (IOException e) {
                return new Outcome(0, ENDED);
            }
            int type = in.readUnsignedByte();
            in.readUnsignedByte();
            int stream = in.readInt();
            var payload = in.readNBytes(length);
            switch (type) {
                case HEADERS -> {
                    var head = decoder.decodeHeaders(stream, Unpooled.wrappedBuffer(payload));
                    return new Outcome(stream, head.status().toString());
                }
                case RST_STREAM -> {
                    return new Outcome(stream, "reset " + payload[3]);
                }
                case GOAWAY -> {
                    return new Outcome(0, ENDED);
                }
                default -> {
                    // Acknowledged, or windows opened: it makes no difference to what is tried here.
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }
}
