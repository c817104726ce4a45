// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An upstream of HTTP/2 in plaintext that sends what frames a test tells it to, checked by nobody, and remembers those that
 * reached it.
 */
final class FrameUpstream implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int PRIORITY = 2;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PUSH_PROMISE = 5;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int END_STREAM = 1;
    static final int ACK = 1;
    static final int END_HEADERS = 4;

    static final int NO_ERROR = 0;
    static final int REFUSED_STREAM = 7;
    static final int CANCEL = 8;

    private static final int MAX_CONCURRENT_STREAMS = 3;
    private static final int PREFACE_LENGTH = 24;
    private static final int WINDOW = 65_535;

    /** Answers one request, whose head has been read; on a thread of its own. */
    @FunctionalInterface
    interface Script {
        void answer(Turn turn) throws IOException, InterruptedException;
    }

    private final ServerSocket listener;
    private final byte[] settings;
    private final Script script;
    private final List<Link> links = new ArrayList<>();

    private FrameUpstream(ServerSocket listener, byte[] settings, Script script) {
        this.listener = listener;
        this.settings = settings;
        this.script = script;
        Thread.ofVirtual().start(this::accept);
    }

    static FrameUpstream start(Script script) {
        return start(new byte[0], script);
    }

    /** One that takes so many streams at a time on a connection. */
    static FrameUpstream taking(int streams, Script script) {
        return start(mostStreams(streams), script);
    }

    private static FrameUpstream start(byte[] settings, Script script) {
        try {
            return new FrameUpstream(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), settings, script);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] mostStreams(int streams) {
        return ByteBuffer.allocate(6)
                .putShort((short) MAX_CONCURRENT_STREAMS)
                .putInt(streams)
                .array();
    }

    int port() {
        return listener.getLocalPort();
    }

    synchronized List<Link> links() {
        return List.copyOf(links);
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (var link : links()) {
            link.socket.close();
        }
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                var link = new Link(listener.accept());
                synchronized (this) {
                    links.add(link);
                }
                Thread.ofVirtual().start(link::serve);
            } catch (IOException e) {
                return;
            }
        }
    }

    // Netty leaves out the stream of an upgrade.
    private static int numberOf(int stream) {
        return (stream - 1) / 2;
    }

    /** One connection. */
    final class Link {
        private final Socket socket;
        private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false);
        private final DefaultHttp2HeadersEncoder encoder = new DefaultHttp2HeadersEncoder();
        private final List<String> frames = new ArrayList<>();
        private final Map<Integer, Long> windows = new HashMap<>();
        private boolean ended;
        private @Nullable ByteArrayOutputStream together;

        private Link(Socket socket) throws IOException {
            this.socket = socket;
            // Else each window waits for a delayed acknowledgement.
            socket.setTcpNoDelay(true);
            windows.put(0, (long) WINDOW);
        }

        /**
         * What came, in order, behind the number of the request, the first being 1: {@code 1 HEADERS {:method=GET, ...}},
         * {@code 1 DATA text}, {@code 1 RST 8}, a dot behind the last of a request; and {@code GOAWAY}.
         */
        synchronized List<String> frames() {
            return List.copyOf(frames);
        }

        /** Whether the gateway has ended it. */
        synchronized boolean isEnded() {
            return ended;
        }

        private void serve() {
            try (socket) {
                var in = new DataInputStream(socket.getInputStream());
                in.readFully(new byte[PREFACE_LENGTH]);
                send(SETTINGS, 0, 0, settings);
                while (true) {
                    read(in);
                }
            } catch (IOException | Http2Exception e) {
                synchronized (this) {
                    ended = true;
                    notifyAll();
                }
            }
        }

        private void read(DataInputStream in) throws IOException, Http2Exception {
            int length = (in.readUnsignedByte() << 16) | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            int stream = in.readInt();
            var payload = new byte[length];
            in.readFully(payload);
            var end = (flags & END_STREAM) != 0 ? "." : "";
            switch (type) {
                case HEADERS -> {
                    var head = new TreeMap<String, String>();
                    decoder.decodeHeaders(stream, Unpooled.wrappedBuffer(payload))
                            .forEach(field -> head.put(
                                    field.getKey().toString(), field.getValue().toString()));
                    synchronized (this) {
                        windows.put(stream, (long) WINDOW);
                        frames.add(numberOf(stream) + " HEADERS " + head + end);
                    }
                    Thread.ofVirtual().start(() -> answer(new Turn(this, stream, head)));
                }
                case DATA -> {
                    // In one frame or in two, as it came.
                    if (length > 0) {
                        note(numberOf(stream) + " DATA " + new String(payload, StandardCharsets.ISO_8859_1));
                    }
                    if (!end.isEmpty()) {
                        note(numberOf(stream) + " DATA .");
                    }
                }
                case RST_STREAM ->
                    note(numberOf(stream) + " RST " + ByteBuffer.wrap(payload).getInt());
                case GOAWAY -> note("GOAWAY");
                case SETTINGS -> {
                    if ((flags & ACK) == 0) {
                        send(SETTINGS, ACK, 0);
                    }
                }
                case WINDOW_UPDATE -> widen(stream, ByteBuffer.wrap(payload).getInt());
                default -> {}
            }
        }

        private void answer(Turn turn) {
            try {
                script.answer(turn);
            } catch (IOException e) {
                // The gateway ended it, which tests see elsewhere.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private synchronized void note(String frame) {
            frames.add(frame);
            notifyAll();
        }

        private synchronized void widen(int stream, int bytes) {
            windows.merge(stream, (long) bytes, Long::sum);
            notifyAll();
        }

        private synchronized void await(int stream, int bytes) throws InterruptedException, IOException {
            while (windows.getOrDefault(0, 0L) < bytes || windows.getOrDefault(stream, 0L) < bytes) {
                if (ended) {
                    throw new IOException("ended");
                }
                wait();
            }
            windows.merge(0, (long) -bytes, Long::sum);
            windows.merge(stream, (long) -bytes, Long::sum);
        }

        /** Sends a frame. */
        synchronized Link send(int type, int flags, int stream, byte... payload) throws IOException {
            var frame = ByteBuffer.allocate(9 + payload.length)
                    .putInt(payload.length << 8 | type)
                    .put((byte) flags)
                    .putInt(stream)
                    .put(payload);
            if (together == null) {
                socket.getOutputStream().write(frame.array());
            } else {
                together.writeBytes(frame.array());
            }
            return this;
        }

        private synchronized byte[] encode(int stream, String... fields) throws IOException {
            var head = new DefaultHttp2Headers(false);
            for (int i = 0; i < fields.length; i += 2) {
                head.add(fields[i], fields[i + 1]);
            }
            var block = Unpooled.buffer();
            try {
                encoder.encodeHeaders(stream, head, block);
            } catch (Http2Exception e) {
                throw new IOException(e);
            }
            var bytes = new byte[block.readableBytes()];
            block.readBytes(bytes);
            return bytes;
        }

        /** Ends the connection without a word. */
        void end() throws IOException {
            socket.close();
        }

        /** Says that the streams up to this one will be answered, and no other. */
        Link goAway(int lastStream) throws IOException {
            return send(GOAWAY, 0, 0, ByteBuffer.allocate(8).putInt(lastStream).array());
        }
    }

    /** One request, on its stream. */
    static final class Turn {
        private final Link link;
        private final int stream;
        private final Map<String, String> head;

        private Turn(Link link, int stream, Map<String, String> head) {
            this.link = link;
            this.stream = stream;
            this.head = head;
        }

        Link link() {
            return link;
        }

        int stream() {
            return stream;
        }

        /** 1 for the first of its connection. */
        int number() {
            return numberOf(stream);
        }

        String method() {
            return head.getOrDefault(":method", "");
        }

        String path() {
            return head.getOrDefault(":path", "");
        }

        /** Sends a block of fields, name after value. */
        Turn fields(boolean last, String... fields) throws IOException {
            synchronized (link) {
                link.send(HEADERS, END_HEADERS | (last ? END_STREAM : 0), stream, link.encode(stream, fields));
            }
            return this;
        }

        Turn data(String text, boolean last) throws IOException {
            link.send(DATA, last ? END_STREAM : 0, stream, text.getBytes(StandardCharsets.ISO_8859_1));
            return this;
        }

        /** As many bytes as that, as fast as the gateway takes them. */
        Turn flood(int bytes) throws IOException, InterruptedException {
            var piece = new byte[16 * 1024];
            for (int left = bytes; left > 0; left -= piece.length) {
                link.await(stream, piece.length);
                link.send(DATA, 0, stream, piece);
            }
            return this;
        }

        Turn reset(int error) throws IOException {
            link.send(
                    RST_STREAM, 0, stream, ByteBuffer.allocate(4).putInt(error).array());
            return this;
        }

        /** All of it at once, so that it is read at once. */
        void together(Script frames) throws IOException, InterruptedException {
            synchronized (link) {
                var all = new ByteArrayOutputStream();
                link.together = all;
                frames.answer(this);
                link.together = null;
                link.socket.getOutputStream().write(all.toByteArray());
            }
        }

        /** A whole answer. */
        void answer(String body) throws IOException {
            fields(false, ":status", "200", "content-length", String.valueOf(body.length()))
                    .data(body, true);
        }

        /** Waits for a frame on this stream that begins so, behind its number. */
        void await(String frame) throws InterruptedException, IOException {
            synchronized (link) {
                while (link.frames.stream().noneMatch(came -> came.startsWith(number() + " " + frame))) {
                    if (link.ended) {
                        throw new IOException("ended");
                    }
                    link.wait();
                }
            }
        }
    }
}
