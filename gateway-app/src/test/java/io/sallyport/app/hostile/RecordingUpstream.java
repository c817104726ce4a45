// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import io.sallyport.app.demo.Credentials;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * An upstream over mutual TLS that keeps every byte it gets and reads it as strictly as can be: what is not exactly a request is
 * kept as {@link Message#isNonsense nonsense}. Answers with the target of the request, or with the bytes that a test has laid out
 * for that target.
 */
final class RecordingUpstream implements AutoCloseable {
    private static final long PATIENCE_SECONDS = Integer.getInteger("sallyport.hostile.patience", 10);
    private static final Pattern REQUEST_LINE = Pattern.compile("[A-Z]+ (/[!-~]*) HTTP/1\\.1\r\n");
    private static final Pattern FIELD = Pattern.compile("([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([^\r\n\0]*)\r\n");
    private static final Pattern CHUNK_SIZE = Pattern.compile("[0-9a-fA-F]{1,8}\r\n");

    private final SSLServerSocket listener;
    private final List<Socket> connections = new ArrayList<>();
    private final List<Message> messages = new ArrayList<>();
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();

    private RecordingUpstream(SSLServerSocket listener) {
        this.listener = listener;
        Thread.ofVirtual().start(this::accept);
    }

    /**
     * What a test has this upstream answer.
     *
     * @param bytes as they are to be sent, in Latin-1
     * @param beforeBody whether to answer before the request's body is read
     * @param thenClose whether to close the connection after that
     * @param when it is zero, not before
     */
    record Answer(String bytes, boolean beforeBody, boolean thenClose, CountDownLatch when) {
        Answer(String bytes, boolean beforeBody, boolean thenClose) {
            this(bytes, beforeBody, thenClose, new CountDownLatch(0));
        }
    }

    static RecordingUpstream start(Credentials svid, X509Certificate root) {
        try {
            var keys = KeyStore.getInstance("PKCS12");
            keys.load(null, null);
            keys.setKeyEntry("svid", svid.key(), new char[0], svid.chain().toArray(X509Certificate[]::new));
            keys.setCertificateEntry("root", root);
            var own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            own.init(keys, new char[0]);
            var others = TrustManagerFactory.getInstance("PKIX");
            others.init(keys);
            var tls = SSLContext.getInstance("TLS");
            tls.init(own.getKeyManagers(), others.getTrustManagers(), null);
            var listener = (SSLServerSocket)
                    tls.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
            listener.setNeedClientAuth(true);
            return new RecordingUpstream(listener);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("this JDK cannot serve mutual TLS", e);
        }
    }

    int port() {
        return listener.getLocalPort();
    }

    /** How many connections have been accepted. */
    synchronized int connections() {
        return connections.size();
    }

    /** From now on, a request for that target gets that answer. */
    void answer(String target, Answer answer) {
        answers.put(target, answer);
    }

    /** A place in what has been received, for {@link #since}. */
    synchronized int mark() {
        return messages.size();
    }

    /** What began to arrive since then, in that order, neighbours' requests left out. */
    synchronized List<Message> since(int mark) {
        return messages.subList(mark, messages.size()).stream()
                .filter(message -> !message.target().startsWith(HostileWorld.NEIGHBOUR))
                .toList();
    }

    /** Waits until something since then is so. */
    synchronized Message await(int mark, Predicate<Message> condition) throws InterruptedException {
        var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (true) {
            for (var message : since(mark)) {
                if (condition.test(message)) {
                    return message;
                }
            }
            var left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0) {
                throw new AssertionError("not received; but: " + since(mark));
            }
            wait(left);
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        List<Socket> open;
        synchronized (this) {
            open = List.copyOf(connections);
        }
        for (var connection : open) {
            connection.close();
        }
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                var connection = (SSLSocket) listener.accept();
                synchronized (this) {
                    connections.add(connection);
                }
                Thread.ofVirtual().start(() -> serve(connection));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(SSLSocket connection) {
        try (connection) {
            var in = new BufferedInputStream(connection.getInputStream());
            while (serveOne(in, connection)) {
                // the next one
            }
        } catch (IOException e) {
            // The gateway broke off; the message under way says so.
        }
    }

    private boolean serveOne(InputStream in, Socket connection) throws IOException {
        in.mark(1);
        if (in.read() < 0) {
            return false;
        }
        in.reset();
        var message = new Message(this::changed);
        add(message);
        try {
            message.readHead(in);
            changed();
            var answer = answers.get(message.target());
            if (answer != null && answer.beforeBody()) {
                send(connection, answer);
                if (answer.thenClose()) {
                    return false;
                }
            }
            message.readBody(in);
            message.end(State.WHOLE);
            changed();
            if (answer == null) {
                send(connection, echo(message));
            } else if (!answer.beforeBody()) {
                send(connection, answer);
            }
            return answer == null || !answer.thenClose();
        } catch (Nonsense e) {
            message.end(State.NONSENSE);
            return false;
        } catch (IOException e) {
            message.end(State.CUT);
            throw e;
        } finally {
            changed();
        }
    }

    private static String echo(Message message) {
        var body = message.isHead() ? "" : message.target();
        return "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(message.target().length(), body);
    }

    private static void send(Socket connection, Answer answer) throws IOException {
        try {
            answer.when().await();
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        }
        send(connection, answer.bytes());
    }

    private static void send(Socket connection, String bytes) throws IOException {
        connection.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        connection.getOutputStream().flush();
    }

    private synchronized void add(Message message) {
        messages.add(message);
    }

    private synchronized void changed() {
        notifyAll();
    }

    private enum State {
        UNDER_WAY,
        WHOLE,
        CUT,
        NONSENSE
    }

    /** Bytes that are no request. */
    private static final class Nonsense extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /** What arrived where a request should begin, up to its end or that of the connection. */
    static final class Message {
        private final Runnable changed;
        private final ByteArrayOutputStream received = new ByteArrayOutputStream();
        private final ByteArrayOutputStream content = new ByteArrayOutputStream();
        private String target = "";
        private long length;
        private boolean chunked;
        private int headLength;
        private State state = State.UNDER_WAY;

        private Message(Runnable changed) {
            this.changed = changed;
        }

        /** The target of its request line; empty until the head has been read. */
        synchronized String target() {
            return target;
        }

        /** Every byte of it, in Latin-1. */
        synchronized String bytes() {
            return received.toString(StandardCharsets.ISO_8859_1);
        }

        /** Request line and fields. */
        synchronized String head() {
            return bytes().substring(0, headLength);
        }

        /** What its framing encloses. */
        synchronized String content() {
            return content.toString(StandardCharsets.ISO_8859_1);
        }

        synchronized boolean isWhole() {
            return state == State.WHOLE;
        }

        synchronized boolean isNonsense() {
            return state == State.NONSENSE;
        }

        /** Whether no more of it will come. */
        synchronized boolean hasEnded() {
            return state != State.UNDER_WAY;
        }

        private synchronized void end(State end) {
            state = end;
        }

        private boolean isHead() {
            return bytes().startsWith("HEAD ");
        }

        private void readHead(InputStream in) throws IOException {
            var line = REQUEST_LINE.matcher(line(in));
            if (!line.matches()) {
                throw new Nonsense();
            }
            int framings = 0;
            for (var text = line(in); !text.equals("\r\n"); text = line(in)) {
                var field = FIELD.matcher(text);
                if (!field.matches()) {
                    throw new Nonsense();
                }
                if (field.group(1).equalsIgnoreCase("content-length")) {
                    framings++;
                    length = parse(field.group(2), 10);
                }
                if (field.group(1).equalsIgnoreCase("transfer-encoding")) {
                    framings++;
                    chunked = field.group(2).equals("chunked");
                    require(chunked);
                }
            }
            require(framings <= 1);
            synchronized (this) {
                target = line.group(1);
                headLength = received.size();
            }
        }

        private void readBody(InputStream in) throws IOException {
            if (!chunked) {
                copy(in, length);
                return;
            }
            while (true) {
                var size = line(in);
                require(CHUNK_SIZE.matcher(size).matches());
                long bytes = parse(size.strip(), 16);
                if (bytes > 0) {
                    copy(in, bytes);
                }
                require(line(in).equals("\r\n"));
                if (bytes == 0) {
                    return;
                }
            }
        }

        private void copy(InputStream in, long bytes) throws IOException {
            for (long i = 0; i < bytes; i++) {
                int next = read(in);
                synchronized (this) {
                    content.write(next);
                }
                changed.run();
            }
        }

        private String line(InputStream in) throws IOException {
            var line = new StringBuilder();
            while (line.isEmpty() || line.charAt(line.length() - 1) != '\n') {
                line.append((char) read(in));
            }
            return line.toString();
        }

        private int read(InputStream in) throws IOException {
            int next = in.read();
            if (next < 0) {
                throw new EOFException();
            }
            synchronized (this) {
                received.write(next);
            }
            return next;
        }

        private static void require(boolean condition) throws Nonsense {
            if (!condition) {
                throw new Nonsense();
            }
        }

        private static long parse(String digits, int radix) throws Nonsense {
            try {
                return Long.parseUnsignedLong(digits, radix);
            } catch (NumberFormatException e) {
                throw new Nonsense();
            }
        }

        @Override
        public synchronized String toString() {
            return state + " " + bytes();
        }
    }
}
