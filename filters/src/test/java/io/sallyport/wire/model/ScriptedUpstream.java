// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** An upstream that finds in each request's target whose it is, and does with it what its {@link Script} says. */
final class ScriptedUpstream implements AutoCloseable {
    private static final Pattern REQUEST_LINE = Pattern.compile("([A-Z]+) /([0-9a-z]+)-([0-9]+) HTTP/1\\.1");
    private static final int BACKLOG = 1_000;

    private final ServerSocket listener;
    private final Function<String, @Nullable Run> runs;
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();

    private ScriptedUpstream(ServerSocket listener, Function<String, @Nullable Run> runs) {
        this.listener = listener;
        this.runs = runs;
        Thread.ofVirtual().start(this::accept);
    }

    /** @param runs what is run under that name */
    static ScriptedUpstream start(Function<String, @Nullable Run> runs) {
        try {
            return new ScriptedUpstream(new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress()), runs);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return listener.getLocalPort();
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (var connection : connections) {
                connection.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                var connection = listener.accept();
                connection.setTcpNoDelay(true);
                connections.add(connection);
                Thread.ofVirtual().start(() -> serve(connection));
            } catch (IOException _) {
                return;
            }
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            var in = new BufferedInputStream(connection.getInputStream());
            while (serveOne(in, connection)) {
                // the next one
            }
        } catch (IOException _) {
            // The gateway broke off.
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            connections.remove(connection);
        }
    }

    private boolean serveOne(InputStream in, Socket connection) throws IOException, InterruptedException {
        var first = line(in);
        if (first == null) {
            return false;
        }
        var line = REQUEST_LINE.matcher(first);
        var run = line.matches() ? runs.apply(line.group(2)) : null;
        if (run == null) {
            // Whoever looks for it finds it in every run.
            throw new IOException("no request: " + first);
        }
        int number = Integer.parseInt(line.group(3));
        var request = run.request(number);
        if (!line.group(1).equals(request.method)) {
            run.nonsense("another method: " + first);
        }
        long length = 0;
        boolean chunked = false;
        for (var field = requireLine(in); !field.isEmpty(); field = requireLine(in)) {
            var lower = field.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length: ")) {
                length = Long.parseLong(lower.substring(16));
            }
            chunked |= lower.equals("transfer-encoding: chunked");
        }
        run.begun(number);
        var script = request.script;
        if (script.death() == Script.Death.FIRST_TIME && run.timesBegun(number) == 1) {
            readBody(in, length, chunked, run, number);
            return false;
        }
        if (script.early()) {
            answer(run, number, connection);
            if (script.ends()) {
                return false;
            }
            readBody(in, length, chunked, run, number);
            return true;
        }
        readBody(in, length, chunked, run, number);
        answer(run, number, connection);
        if (script.status() == 101) {
            echo(in, connection);
            return false;
        }
        return !script.ends();
    }

    private static void answer(Run run, int number, Socket connection) throws IOException, InterruptedException {
        var script = run.request(number).script;
        if (script.delayMillis() > 0) {
            Thread.sleep(script.delayMillis());
        }
        boolean first = true;
        for (var piece : script.bytes(run.name + "-" + number, run.request(number).method)) {
            if (!first) {
                Thread.sleep(1);
            }
            first = false;
            connection.getOutputStream().write(piece);
        }
        if (script.isEndless()) {
            // Until the gateway ends it.
            var _ = connection.getInputStream().readAllBytes();
        }
    }

    private static void readBody(InputStream in, long length, boolean chunked, Run run, int number) throws IOException {
        var body = new ByteArrayOutputStream();
        if (chunked) {
            for (int size = chunkSize(in); size > 0; size = chunkSize(in)) {
                copy(in, size, body);
                requireEmpty(requireLine(in));
            }
            requireEmpty(requireLine(in));
        } else {
            copy(in, Math.toIntExact(length), body);
        }
        run.whole(number, body.toByteArray());
    }

    private static int chunkSize(InputStream in) throws IOException {
        return Integer.parseInt(requireLine(in), 16);
    }

    private static void requireEmpty(String line) throws IOException {
        if (!line.isEmpty()) {
            throw new IOException("trailers, or a chunk that is longer than it says: " + line);
        }
    }

    private static void copy(InputStream in, int length, ByteArrayOutputStream to) throws IOException {
        var bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException();
        }
        to.writeBytes(bytes);
    }

    /** Sends each frame back, not masked, up to a Close. */
    private static void echo(InputStream in, Socket connection) throws IOException {
        while (true) {
            var head = in.readNBytes(6);
            if (head.length < 6) {
                return;
            }
            int length = head[1] & 0x7f;
            var payload = in.readNBytes(length);
            for (int i = 0; i < payload.length; i++) {
                payload[i] ^= head[2 + i % 4];
            }
            var frame = new ByteArrayOutputStream();
            frame.write(head[0]);
            frame.write(length);
            frame.writeBytes(payload);
            connection.getOutputStream().write(frame.toByteArray());
            if ((head[0] & 0x0f) == 8) {
                return;
            }
        }
    }

    private static String requireLine(InputStream in) throws IOException {
        var line = line(in);
        if (line == null) {
            throw new EOFException();
        }
        return line;
    }

    private static @Nullable String line(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                return null;
            }
            line.write(next);
        }
        var text = line.toString(StandardCharsets.ISO_8859_1);
        if (!text.endsWith("\r")) {
            throw new IOException("a line without CR: " + text);
        }
        return text.substring(0, text.length() - 1);
    }
}
