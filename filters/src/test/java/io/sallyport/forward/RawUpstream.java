// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.forward.TestCa.Svid;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * An upstream that does what a test tells it to, byte for byte, and remembers every byte of a request that reached it. Over TLS
 * it wants a certificate and remembers whose it was.
 */
public final class RawUpstream implements AutoCloseable {
    private static final String HEAD_END = "\r\n\r\n";

    /** Answers one request, whose head has been read. */
    @FunctionalInterface
    public interface Script {
        void answer(Turn turn) throws IOException;
    }

    private final ServerSocket listener;
    private final Script script;
    private final @Nullable Callers callers;
    private final List<Socket> connections = new ArrayList<>();
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private int closedByPeer;

    private RawUpstream(ServerSocket listener, @Nullable Callers callers, Script script) {
        this.listener = listener;
        this.callers = callers;
        this.script = script;
        Thread.ofVirtual().start(this::accept);
    }

    public static RawUpstream plaintext(Script script) {
        try {
            return new RawUpstream(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), null, script);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One that proves that identity. */
    public static RawUpstream tls(Svid svid, Script script) {
        return tls(svid, new Callers(null), script);
    }

    /** One that proves that identity, and refuses every client but the bearer of that certificate's issuer. */
    public static RawUpstream tlsTrusting(Svid svid, X509Certificate authority, Script script) {
        return tls(svid, new Callers(authority), script);
    }

    private static RawUpstream tls(Svid svid, Callers callers, Script script) {
        try {
            var keys = KeyStore.getInstance("PKCS12");
            keys.load(null, null);
            keys.setKeyEntry("svid", svid.key(), new char[0], svid.chainArray());
            var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            managers.init(keys, new char[0]);
            var tls = SSLContext.getInstance("TLS");
            tls.init(managers.getKeyManagers(), new TrustManager[] {callers}, null);
            var listener = (SSLServerSocket)
                    tls.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
            listener.setNeedClientAuth(true);
            return new RawUpstream(listener, callers, script);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A script that answers each request with 200 and this text. */
    public static Script text(String text) {
        return turn -> {
            turn.readBody();
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s".formatted(text.length(), text));
        };
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** {@code https://127.0.0.1:port} or its plaintext form. */
    public String uri() {
        return (callers == null ? "http" : "https") + "://127.0.0.1:" + port();
    }

    /** Every byte of requests so far, decrypted, as Latin-1. */
    public synchronized String received() {
        return received.toString(StandardCharsets.ISO_8859_1);
    }

    /** How many connections were accepted so far. */
    public synchronized int connections() {
        return connections.size();
    }

    /** How many connections the gateway has closed so far. */
    public synchronized int closedByPeer() {
        return closedByPeer;
    }

    /** Whose certificates were verified in full handshakes, leaves only; a resumed session adds none. */
    public List<X509Certificate> callers() {
        return callers == null ? List.of() : callers.leaves();
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (var connection : snapshot()) {
                connection.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private synchronized List<Socket> snapshot() {
        return List.copyOf(connections);
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                var connection = listener.accept();
                synchronized (this) {
                    connections.add(connection);
                }
                Thread.ofVirtual().start(() -> serve(connection));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            if (connection instanceof SSLSocket tls) {
                tls.startHandshake();
            }
            var in = new BufferedInputStream(connection.getInputStream());
            for (var head = readHead(in); head != null; head = readHead(in)) {
                script.answer(new Turn(head, in, connection));
            }
            peerClosed();
        } catch (IOException e) {
            peerClosed();
        }
    }

    private synchronized void peerClosed() {
        closedByPeer++;
    }

    private @Nullable String readHead(InputStream in) throws IOException {
        var head = new StringBuilder();
        while (!head.toString().endsWith(HEAD_END)) {
            int next = read(in);
            if (next < 0) {
                return null;
            }
            head.append((char) next);
        }
        return head.toString();
    }

    private int read(InputStream in) throws IOException {
        int next = in.read();
        if (next >= 0) {
            synchronized (this) {
                received.write(next);
            }
        }
        return next;
    }

    /** One request on one connection. */
    public final class Turn {
        private final String head;
        private final InputStream in;
        private final Socket connection;

        private Turn(String head, InputStream in, Socket connection) {
            this.head = head;
            this.in = in;
            this.connection = connection;
        }

        /** Request line and fields, as received. */
        public String head() {
            return head;
        }

        /** The first line's target. */
        public String target() {
            return head.split(" ", 3)[1];
        }

        /** Reads the body as its framing says; throws if the connection ends before. */
        public byte[] readBody() throws IOException {
            var lower = head.toLowerCase(Locale.ROOT);
            var body = new ByteArrayOutputStream();
            if (lower.contains("transfer-encoding: chunked")) {
                for (int size = chunkSize(); size > 0; size = chunkSize()) {
                    copy(size, body);
                    copy(2, OutputStream.nullOutputStream());
                }
                copy(2, OutputStream.nullOutputStream());
            } else if (lower.contains("content-length: ")) {
                int from = lower.indexOf("content-length: ") + "content-length: ".length();
                copy(Integer.parseInt(lower.substring(from, lower.indexOf('\r', from))), body);
            }
            return body.toByteArray();
        }

        private int chunkSize() throws IOException {
            var line = new StringBuilder();
            while (!line.toString().endsWith("\r\n")) {
                line.append((char) requireByte());
            }
            return Integer.parseInt(line.toString().strip(), 16);
        }

        private void copy(int bytes, OutputStream to) throws IOException {
            for (int i = 0; i < bytes; i++) {
                to.write(requireByte());
            }
        }

        private int requireByte() throws IOException {
            int next = read(in);
            if (next < 0) {
                throw new SocketException("the gateway closed the connection");
            }
            return next;
        }

        /** Reads so many bytes of what follows the head; throws if the connection ends before. */
        public byte[] readBytes(int length) throws IOException {
            var bytes = new ByteArrayOutputStream();
            copy(length, bytes);
            return bytes.toByteArray();
        }

        /** Waits until the gateway closes this connection; what it still sends until then is recorded. */
        public void awaitClose() throws IOException {
            while (read(in) >= 0) {
                // recorded
            }
        }

        public void send(String text) throws IOException {
            send(text.getBytes(StandardCharsets.ISO_8859_1));
        }

        public void send(byte[] bytes) throws IOException {
            var out = connection.getOutputStream();
            out.write(bytes);
            out.flush();
        }

        /** Ends the connection in order. */
        public void close() throws IOException {
            connection.close();
        }

        /** Ends the connection with a TCP reset. */
        public void reset() throws IOException {
            connection.setSoLinger(true, 0);
            connection.close();
        }
    }

    /** Remembers whom it was shown, and trusts all or those of one authority. */
    private static final class Callers implements X509TrustManager {
        private final @Nullable X509Certificate authority;
        private final List<X509Certificate> leaves = new ArrayList<>();

        Callers(@Nullable X509Certificate authority) {
            this.authority = authority;
        }

        synchronized List<X509Certificate> leaves() {
            return List.copyOf(leaves);
        }

        @Override
        public synchronized void checkClientTrusted(X509Certificate[] chain, String authType)
                throws CertificateException {
            if (authority != null) {
                try {
                    chain[0].verify(authority.getPublicKey());
                } catch (GeneralSecurityException e) {
                    throw new CertificateException(e);
                }
            }
            leaves.add(chain[0]);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {
            throw new UnsupportedOperationException();
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
