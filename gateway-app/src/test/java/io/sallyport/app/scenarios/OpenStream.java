// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.sallyport.app.scenarios.StreamingWorld.Way;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** One long answer through the gateway, as its client sees it: whether it still delivers, and how it ends. Not for several threads. */
sealed interface OpenStream extends AutoCloseable {
    enum Kind {
        WEB_SOCKET,
        EVENTS,
        GRPC,
        DOWNLOAD
    }

    /** How a stream ends that is complete as HTTP/1.1 sees it. */
    String COMPLETE = "complete";

    /**
     * Opens one, and returns when its first piece has come.
     *
     * @param calls a connection to the gateway, for gRPC
     */
    static OpenStream open(Kind kind, Way way, StreamingWorld world, String token, Channel calls)
            throws IOException, InterruptedException {
        return switch (kind) {
            case WEB_SOCKET -> new Socket(way, world, token);
            case EVENTS -> new Pieces(way.path("/events/live"), "data: ", "\n\n", world, token);
            case GRPC -> new Call(way, token, calls);
            case DOWNLOAD -> new Pieces(way.path("/download/live"), "..", "\n", world, token);
        };
    }

    /** A download that ends by itself, {@link StreamingUpstream#PAUSE} after it has begun. */
    static OpenStream openShort(Way way, StreamingWorld world, String token) throws IOException {
        return new Pieces(way.path("/download/slow"), "..", "\n", world, token);
    }

    /** Has the word sent back on this stream; what is published to all needs nobody to ask for it. */
    void ask(String word) throws IOException;

    /** Waits for the word, and fails if something else comes, or the end. */
    void await(String word) throws IOException, InterruptedException;

    /** Waits for the end, and says how it came: a Close code, a status of gRPC, {@link #COMPLETE}, or else broken off. */
    String end() throws IOException, InterruptedException;

    String requestId();

    @Override
    void close() throws IOException;

    /** Frames by hand: each short, and masked with zeros. */
    final class Socket implements OpenStream {
        private static final String HANDSHAKE = """
                GET %s HTTP/1.1
                Host: localhost
                Authorization: Bearer %s
                Upgrade: websocket
                Connection: Upgrade
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
                Sec-WebSocket-Version: 13

                """.replace("\n", "\r\n");

        private static final int TEXT = 0x81;
        private static final int CLOSE = 0x88;
        private static final int MASKED = 0x80;

        private final RawConnection connection;
        private final String requestId;

        Socket(Way way, StreamingWorld world, String token) throws IOException {
            this.connection = world.connect();
            var answer = connection
                    .write(HANDSHAKE.formatted(way.path("/socket/echo"), token))
                    .readHead();
            if (answer.status() != 101) {
                throw new IOException("status " + answer.status());
            }
            this.requestId = answer.field("X-Request-ID");
        }

        @Override
        public void ask(String word) throws IOException {
            send(TEXT, word.getBytes(ISO_8859_1));
        }

        private void send(int kind, byte[] content) throws IOException {
            var frame = ByteBuffer.allocate(6 + content.length);
            frame.put((byte) kind)
                    .put((byte) (MASKED | content.length))
                    .putInt(0)
                    .put(content);
            connection.write(frame.array());
        }

        @Override
        public void await(String word) throws IOException {
            var head = next(2);
            var content = next(head[1]);
            var text = new String(content, ISO_8859_1);
            if ((head[0] & 0xff) != TEXT || !text.equals(word)) {
                throw new IOException("in place of %s: %x %s".formatted(word, head[0], text));
            }
        }

        private byte[] next(int length) throws IOException {
            var bytes = connection.in().readNBytes(length);
            if (bytes.length < length) {
                throw new EOFException();
            }
            return bytes;
        }

        @Override
        public String end() throws IOException {
            var head = next(2);
            var content = next(head[1]);
            if ((head[0] & 0xff) != CLOSE) {
                return "frame %x".formatted(head[0]);
            }
            send(CLOSE, content);
            return connection.isClosedByPeer()
                    ? String.valueOf(ByteBuffer.wrap(content).getShort())
                    : "more behind Close";
        }

        @Override
        public String requestId() {
            return requestId;
        }

        @Override
        public String toString() {
            return "WebSocket " + requestId;
        }

        @Override
        public void close() throws IOException {
            connection.close();
        }
    }

    /** An answer in chunks. */
    final class Pieces implements OpenStream {
        private static final String REQUEST = """
                GET %s HTTP/1.1
                Host: localhost
                Authorization: Bearer %s

                """.replace("\n", "\r\n");

        private static final String LAST_CHUNK = "\r\n0\r\n\r\n";

        private final RawConnection connection;
        private final String before;
        private final String behind;
        private final String requestId;
        private final byte[] buffer = new byte[16 * 1024];
        private final StringBuilder received = new StringBuilder();

        Pieces(String path, String before, String behind, StreamingWorld world, String token) throws IOException {
            this.before = before;
            this.behind = behind;
            this.connection = world.connect();
            var answer = connection.write(REQUEST.formatted(path, token)).readHead();
            if (answer.status() != 200) {
                throw new IOException("status " + answer.status());
            }
            this.requestId = answer.field("X-Request-ID");
            await("hello");
        }

        @Override
        public void ask(String word) {
            // Published.
        }

        @Override
        public void await(String word) throws IOException {
            var piece = before + word + behind;
            for (int at = received.indexOf(piece); at < 0; at = received.indexOf(piece)) {
                int length = connection.in().read(buffer);
                if (length < 0) {
                    throw new EOFException();
                }
                received.append(new String(buffer, 0, length, ISO_8859_1));
                if (received.indexOf(LAST_CHUNK) >= 0) {
                    throw new EOFException("complete");
                }
            }
            received.delete(0, received.indexOf(piece) + piece.length());
        }

        @Override
        public String end() throws IOException {
            received.append(connection.readToEnd());
            return received.toString().endsWith(LAST_CHUNK) ? COMPLETE : "broken off";
        }

        @Override
        public String requestId() {
            return requestId;
        }

        @Override
        public String toString() {
            return "answer in pieces " + before.strip() + " " + requestId;
        }

        @Override
        public void close() throws IOException {
            connection.close();
        }
    }

    /** A conversation. */
    final class Call implements OpenStream, StreamObserver<String> {
        private static final int PATIENCE_SECONDS = 60;

        private final AtomicReference<Metadata> head = new AtomicReference<>();
        private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
        private final StreamObserver<String> questions;

        Call(Way way, String token, Channel connection) throws IOException, InterruptedException {
            var fields = new Metadata();
            fields.put(field("authorization"), "Bearer " + token);
            var channel = ClientInterceptors.intercept(
                    connection,
                    MetadataUtils.newAttachHeadersInterceptor(fields),
                    MetadataUtils.newCaptureMetadataInterceptor(head, new AtomicReference<>()));
            this.questions = ClientCalls.asyncBidiStreamingCall(
                    channel.newCall(GrpcUpstream.chat(way.service()), CallOptions.DEFAULT), this);
            ask("hello");
            await("hello");
        }

        private static Metadata.Key<String> field(String name) {
            return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
        }

        @Override
        public void ask(String word) {
            questions.onNext(word);
        }

        @Override
        public void await(String word) throws IOException, InterruptedException {
            var next = next();
            if (!next.equals("re: " + word)) {
                throw new IOException("in place of %s: %s".formatted(word, next));
            }
        }

        private String next() throws IOException, InterruptedException {
            var next = heard.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (next == null) {
                throw new IOException("nothing heard");
            }
            return next;
        }

        @Override
        public String end() throws IOException, InterruptedException {
            return next();
        }

        @Override
        public String requestId() {
            return head.get().get(field("x-request-id"));
        }

        @Override
        public String toString() {
            return "call " + requestId();
        }

        @Override
        public void onNext(String message) {
            heard.add(message);
        }

        @Override
        public void onError(Throwable why) {
            heard.add(Status.fromThrowable(why).getCode().name());
        }

        @Override
        public void onCompleted() {
            heard.add("OK");
        }

        @Override
        public void close() {
            questions.onError(Status.CANCELLED.asRuntimeException());
        }
    }
}
