// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import io.sallyport.app.demo.DemoHttp;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.SSLSocket;

/** A TLS connection to the gateway on which a test writes the bytes itself: no client library mends them. */
final class RawConnection implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 15_000;

    private final SSLSocket socket;

    private RawConnection(SSLSocket socket) {
        this.socket = socket;
    }

    static RawConnection open(X509Certificate root, int port) throws IOException {
        var plain = new Socket();
        plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MILLIS);
        plain.setSoTimeout(PATIENCE_MILLIS);
        var factory = DemoHttp.tlsTrusting(root).getSocketFactory();
        var socket = (SSLSocket) factory.createSocket(plain, "localhost", port, true);
        socket.startHandshake();
        return new RawConnection(socket);
    }

    /** Writes the text as it is, each character one byte. */
    RawConnection write(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
        return this;
    }

    /** Reads one response with the length that it declares. */
    Response read() throws IOException {
        var status = line();
        if (!status.startsWith("HTTP/1.1 ")) {
            throw new IOException("status line: " + status);
        }
        List<String> fields = new ArrayList<>();
        int length = 0;
        for (var field = line(); !field.isEmpty(); field = line()) {
            fields.add(field);
            if (field.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length =
                        Integer.parseInt(field.substring(field.indexOf(':') + 1).strip());
            }
        }
        var body = socket.getInputStream().readNBytes(length);
        return new Response(
                Integer.parseInt(status.substring(9, 12)), fields, new String(body, StandardCharsets.UTF_8));
    }

    /** Whether the other side closes the connection without another byte. */
    boolean isClosedByPeer() throws IOException {
        return socket.getInputStream().read() < 0;
    }

    private String line() throws IOException {
        var line = new StringBuilder();
        while (true) {
            int c = socket.getInputStream().read();
            if (c < 0) {
                throw new EOFException("closed after: " + line);
            }
            if (c == '\n') {
                return line.toString();
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    /** A response with its header lines as they came. */
    record Response(int status, List<String> fields, String body) {
        /** The value of the only field of this name. */
        String field(String name) {
            var prefix = name.toLowerCase(Locale.ROOT) + ":";
            var values = fields.stream()
                    .filter(field -> field.toLowerCase(Locale.ROOT).startsWith(prefix))
                    .map(field -> field.substring(prefix.length()).strip())
                    .toList();
            if (values.size() != 1) {
                throw new AssertionError("%s: %s (expected: one)".formatted(name, values));
            }
            return values.getFirst();
        }
    }
}
