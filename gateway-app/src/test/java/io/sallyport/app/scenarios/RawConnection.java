// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import io.sallyport.app.demo.DemoHttp;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;

/** A connection to the gateway on which a test writes the bytes itself: no client library mends them. */
public final class RawConnection implements AutoCloseable {
    /** Shorter where many are expected to be waited for in vain. */
    private static final int PATIENCE_MILLIS = 1_000 * Integer.getInteger("sallyport.hostile.patience", 15);

    private final Socket plain;
    private final Socket socket;

    private RawConnection(Socket plain, Socket socket) {
        this.plain = plain;
        this.socket = socket;
    }

    static RawConnection open(X509Certificate root, int port) throws IOException {
        return open(DemoHttp.tlsTrusting(root), port);
    }

    public static RawConnection open(SSLContext tls, int port) throws IOException {
        return open(tls, port, "http/1.1");
    }

    /**
     * Connects, and insists on one protocol.
     *
     * @param protocol what ALPN is to agree on
     */
    public static RawConnection open(SSLContext tls, int port, String protocol) throws IOException {
        return open(tls, port, protocol, "localhost", "");
    }

    /**
     * The same, with what else is said before TLS is.
     *
     * @param serverName for the SNI, if it has a dot
     * @param before what goes before TLS, each character one byte
     */
    public static RawConnection open(SSLContext tls, int port, String protocol, String serverName, String before)
            throws IOException {
        var plain = new Socket();
        plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MILLIS);
        plain.setSoTimeout(PATIENCE_MILLIS);
        // Else each second small write waits for an acknowledgement, which the other side puts off for 40 ms.
        plain.setTcpNoDelay(true);
        plain.getOutputStream().write(before.getBytes(StandardCharsets.ISO_8859_1));
        return over(plain, tls, port, protocol, serverName);
    }

    /** Over a socket that is connected, and in plaintext. */
    public static RawConnection over(Socket plain) throws IOException {
        plain.setSoTimeout(PATIENCE_MILLIS);
        return new RawConnection(plain, plain);
    }

    /** Over a socket that is connected. */
    public static RawConnection over(Socket plain, SSLContext tls, int port, String protocol) throws IOException {
        plain.setSoTimeout(PATIENCE_MILLIS);
        return over(plain, tls, port, protocol, "localhost");
    }

    private static RawConnection over(Socket plain, SSLContext tls, int port, String protocol, String serverName)
            throws IOException {
        var socket = (SSLSocket) tls.getSocketFactory().createSocket(plain, serverName, port, true);
        var parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {protocol});
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        if (!socket.getApplicationProtocol().equals(protocol)) {
            throw new IOException("ALPN: " + socket.getApplicationProtocol());
        }
        return new RawConnection(plain, socket);
    }

    /** What the other side has shown of itself. */
    public X509Certificate certificate() throws IOException {
        return (X509Certificate) ((SSLSocket) socket).getSession().getPeerCertificates()[0];
    }

    /** Writes the text as it is, each character one byte. */
    public RawConnection write(String text) throws IOException {
        return write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    public RawConnection write(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
        return this;
    }

    public InputStream in() throws IOException {
        return socket.getInputStream();
    }

    /** Reads one response with the length that it declares. */
    public Response read() throws IOException {
        return read(true);
    }

    /** Reads the response to a HEAD, which has no body. */
    public Response readHead() throws IOException {
        return read(false);
    }

    private Response read(boolean withBody) throws IOException {
        var status = line();
        if (!status.startsWith("HTTP/1.1 ")) {
            throw new IOException("status line: " + status);
        }
        List<String> fields = new ArrayList<>();
        int length = 0;
        var chunked = false;
        for (var field = line(); !field.isEmpty(); field = line()) {
            fields.add(field);
            if (field.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length =
                        Integer.parseInt(field.substring(field.indexOf(':') + 1).strip());
            }
            chunked |= field.equalsIgnoreCase("transfer-encoding: chunked");
        }
        var body = !withBody ? new byte[0] : chunked ? chunks() : in().readNBytes(length);
        return new Response(
                Integer.parseInt(status.substring(9, 12)), fields, new String(body, StandardCharsets.UTF_8));
    }

    private byte[] chunks() throws IOException {
        var body = new ByteArrayOutputStream();
        while (true) {
            int size = Integer.parseInt(line(), 16);
            body.write(in().readNBytes(size));
            if (!line().isEmpty()) {
                throw new IOException("chunk of " + size + " bytes, and then no empty line");
            }
            if (size == 0) {
                return body.toByteArray();
            }
        }
    }

    /** Whatever comes until the other side ends the connection, in order or not. */
    public String readToEnd() throws IOException {
        var received = new ByteArrayOutputStream();
        try {
            in().transferTo(received);
        } catch (SocketTimeoutException e) {
            throw new IOException("not ended after: " + received.toString(StandardCharsets.ISO_8859_1), e);
        } catch (SocketException | SSLException e) {
            // It was reset.
        }
        return received.toString(StandardCharsets.ISO_8859_1);
    }

    /** Ends the connection with a TCP reset. */
    public void reset() throws IOException {
        plain.setSoLinger(true, 0);
        plain.close();
    }

    /** Whether the other side closes the connection without another byte. */
    public boolean isClosedByPeer() throws IOException {
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
    public record Response(int status, List<String> fields, String body) {
        /** The value of the only field of this name. */
        public String field(String name) {
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
