// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.forward.upstream.UpstreamConnections;
import io.sallyport.pipeline.Outcome;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A WebSocket from its handshake to its end, frame by frame, over plaintext. */
class WebSocketTunnelTest {
    private static final Denial STOPPED = new Denial.Unavailable(Reason.FORWARD_GATEWAY_STOPPED, Duration.ofSeconds(1));
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(300);
    private static final int MAX_FRAME = 1 << 20;

    // RFC 6455 section 1.3.
    private static final String HANDSHAKE = """
            GET /v1 HTTP/1.1
            Host: api.example.org
            Upgrade: websocket
            Connection: Upgrade
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            Sec-WebSocket-Version: 13
            Sec-WebSocket-Protocol: chat
            Sec-WebSocket-Extensions: permessage-deflate
            Origin: https://app.example.org

            """.replace("\n", "\r\n");

    private static final String SWITCHED = """
            HTTP/1.1 101 Switching Protocols
            Upgrade: websocket
            Connection: Upgrade
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
            Sec-WebSocket-Protocol: chat
            Access-Control-Allow-Origin: *
            X-Kept: yes

            """.replace("\n", "\r\n");

    private final UpstreamConnections connections = new UpstreamConnections(
            new FakeSvidSource(), Duration.ZERO, Duration.ZERO, InstantSource.system(), new SimpleMeterRegistry());
    private final UpstreamClient exchange = new UpstreamClient(connections);
    private final BlockingQueue<Frame> upstreamGot = new LinkedBlockingQueue<>();
    private @Nullable RawUpstream upstream;
    private @Nullable TestFront front;

    @AfterEach
    void stop() {
        if (front != null) {
            front.close();
        }
        if (upstream != null) {
            upstream.close();
        }
        connections.close();
    }

    // the handshake

    @Test
    void both_sides_see_the_handshake_without_extensions() throws Exception {
        start(this::answersNothing);
        try (var client = connect()) {
            var answer = client.head();

            assertThat(answer.toLowerCase(Locale.ROOT)
                            .replaceFirst("x-request-id: [0-9a-f-]{36}", "x-request-id: <id>")
                            .lines()
                            .filter(line -> !line.isEmpty() && !line.startsWith("date:")))
                    .containsExactlyInAnyOrder(
                            "http/1.1 101 switching protocols",
                            "connection: upgrade",
                            "upgrade: websocket",
                            "sec-websocket-accept: s3ppLmbitxaq9kygzzhzrbk+xoo=".toLowerCase(Locale.ROOT),
                            "sec-websocket-protocol: chat",
                            "x-kept: yes",
                            "x-request-id: <id>");
            assertThat(upstream().received())
                    .containsIgnoringCase("\r\nconnection: upgrade\r\n")
                    .containsIgnoringCase("\r\nupgrade: websocket\r\n")
                    .containsIgnoringCase("\r\nsec-websocket-protocol: chat\r\n")
                    .doesNotContainIgnoringCase("extensions");
        }
    }

    /** RFC 9110 section 7.8. */
    @Test
    void a_client_that_also_expects_100_gets_that_first() throws Exception {
        start(this::answersNothing);
        try (var client = new Client(new Socket(InetAddress.getLoopbackAddress(), front().port()))) {
            client.send(HANDSHAKE
                    .replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n")
                    .getBytes(ISO_8859_1));
            assertThat(client.head()).startsWith("HTTP/1.1 100 Continue\r\n");
            assertThat(client.head()).startsWith("HTTP/1.1 101 Switching Protocols\r\n");
        }
    }

    /** RFC 9110 section 7.8. */
    @Test
    void a_request_of_http_1_0_asks_for_no_other_protocol() throws Exception {
        start(turn -> turn.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));

        assertThat(refused(HANDSHAKE.replace("HTTP/1.1", "HTTP/1.0"))).startsWith("HTTP/1.1 200");
        assertThat(upstream().received()).doesNotContainIgnoringCase("upgrade");
    }

    @Test
    void a_page_of_another_origin_reaches_no_upstream() throws Exception {
        start(this::echoes);

        assertThat(refused(HANDSHAKE.replace("https://app.", "https://evil."))).startsWith("HTTP/1.1 403");
        assertThat(front().nextEnd().reason()).isEqualTo(Reason.FORWARD_WEBSOCKET_ORIGIN);
        assertThat(upstream().connections()).isZero();
    }

    @Test
    void what_is_no_handshake_reaches_no_upstream() throws Exception {
        start(this::echoes);

        assertThat(refused(HANDSHAKE.replace("Sec-WebSocket-Key: d", "Sec-WebSocket-Key: ")))
                .startsWith("HTTP/1.1 400");
        assertThat(front().nextEnd().reason()).isEqualTo(Reason.FORWARD_WEBSOCKET_MALFORMED);
        assertThat(refused(HANDSHAKE.replace("Version: 13", "Version: 8"))).startsWith("HTTP/1.1 426");
        assertThat(front().nextEnd().reason()).isEqualTo(Reason.FORWARD_WEBSOCKET_VERSION);
        assertThat(upstream().connections()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=/s3pPLMBiTxaQ9kYGzzhZRbK+xOO=",
                "Sec-WebSocket-Accept/X-Accept",
                "Protocol: chat/Protocol: other",
                "X-Kept: yes/Sec-WebSocket-Extensions: permessage-deflate",
                "Upgrade: websocket/Upgrade: h2c",
                "Connection: Upgrade/Connection: close",
                "X-Kept: yes/Content-Length: 5"
            })
    void a_101_that_is_not_the_answer_to_this_handshake_is_a_502(String change) throws Exception {
        var parts = change.split("/", 2);
        start(turn -> {
            turn.send(SWITCHED.replace(parts[0], parts[1]) + "smuggled");
            turn.awaitClose();
        });

        assertThat(refused(HANDSHAKE)).startsWith("HTTP/1.1 502").doesNotContain("smuggled");
        assertThat(front().nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);
        await().until(() -> upstream().closedByPeer() == 1);
    }

    @Test
    void a_101_that_nobody_asked_for_stays_an_error() throws Exception {
        start(turn -> turn.send(SWITCHED));

        assertThat(refused("GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n")).startsWith("HTTP/1.1 502");
        assertThat(front().nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);
    }

    @Test
    void an_upstream_may_refuse_and_neither_connection_is_used_again() throws Exception {
        start(turn -> turn.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));

        assertThat(refused(HANDSHAKE))
                .startsWith("HTTP/1.1 403")
                .containsIgnoringCase("\r\nconnection: close\r\n")
                .endsWith("\r\n\r\nno");
        assertThat(refused(HANDSHAKE)).startsWith("HTTP/1.1 403");
        assertThat(upstream().connections()).isEqualTo(2);
        assertThat(front().nextEnd().lease()).containsExactly("answered 403");
    }

    // frames

    @Test
    void frames_pass_both_ways_masked_towards_the_upstream_alone() throws Exception {
        start(this::echoes);
        try (var client = connect()) {
            client.head();
            var binary = new String(new byte[] {0, 1, -1, -128}, ISO_8859_1);
            var large = "x".repeat(MAX_FRAME);
            for (var payload : List.of("", "hello", binary, "y".repeat(126), "z".repeat(65_536), large)) {
                client.send(Frame.ofClient(Frame.BINARY, payload));

                assertThat(got()).isEqualTo(Frame.ofClient(Frame.BINARY, payload));
                assertThat(client.frame()).isEqualTo(Frame.ofServer(Frame.BINARY, payload));
            }
        }
    }

    @Test
    void fragments_and_what_comes_between_them_pass_as_they_are() throws Exception {
        start(this::echoes);
        try (var client = connect()) {
            client.head();
            for (var first : List.of(0x01, Frame.PING, 0x00, Frame.PONG, 0x80)) {
                client.send(Frame.ofClient(first, "part"));

                assertThat(client.frame()).isEqualTo(Frame.ofServer(first, "part"));
            }
        }
    }

    @Test
    void frames_that_come_with_the_answer_are_passed_on() throws Exception {
        start(turn -> {
            turn.send(SWITCHED
                    + new String(Frame.ofServer(Frame.TEXT, "early").bytes(), ISO_8859_1)
                    + new String(Frame.ofServer(Frame.TEXT, "bird").bytes(), ISO_8859_1));
            turn.awaitClose();
        });
        try (var client = connect()) {
            client.head();

            assertThat(client.frame().payload()).isEqualTo("early");
            assertThat(client.frame().payload()).isEqualTo("bird");
        }
    }

    @Test
    void a_client_that_does_not_read_makes_its_upstream_wait() throws Exception {
        int all = 512;
        var sent = new AtomicInteger();
        start(turn -> {
            turn.send(SWITCHED);
            var frame = Frame.ofServer(Frame.BINARY, "x".repeat(256 * 1024)).bytes();
            for (int i = 0; i < all; i++) {
                turn.send(frame);
                sent.incrementAndGet();
            }
            turn.awaitClose();
        });
        try (var client = connect()) {
            client.head();

            var before = new AtomicInteger(-1);
            await().pollInterval(Duration.ofMillis(500)).until(() -> sent.get() == before.getAndSet(sent.get()));
            assertThat(sent).hasValueLessThan(all);
            for (int i = 0; i < all; i++) {
                assertThat(client.frame().payload()).hasSize(256 * 1024);
            }
        }
    }

    // the end

    @Test
    void a_client_closes_and_both_connections_end_in_order() throws Exception {
        start(this::echoes);
        try (var client = connect()) {
            client.head();
            var close = Frame.ofClient(Frame.CLOSE, Frame.code(1000, "bye"));
            client.send(close);

            assertThat(got()).isEqualTo(close);
            assertThat(client.frame()).isEqualTo(Frame.ofServer(Frame.CLOSE, Frame.code(1000, "bye")));
            assertThat(client.hasEnded()).isTrue();
        }
        var end = front().nextEnd();
        assertThat(end.outcome()).isInstanceOf(Outcome.Answered.class);
        assertThat(end.lease()).containsExactly("lasting", "answered 101");
        await().until(() -> upstream().closedByPeer() == 1);
    }

    @Test
    void an_upstream_closes_with_a_code_of_its_own() throws Exception {
        start(turn -> {
            turn.send(SWITCHED);
            turn.send(Frame.ofServer(Frame.CLOSE, Frame.code(4321, "enough")).bytes());
            upstreamGot.add(Frame.read(turn::readBytes));
            turn.awaitClose();
        });
        try (var client = connect()) {
            client.head();

            assertThat(client.frame()).isEqualTo(Frame.ofServer(Frame.CLOSE, Frame.code(4321, "enough")));
            client.send(Frame.ofClient(Frame.CLOSE, Frame.code(4321, "enough")));
            assertThat(got().first()).isEqualTo(Frame.CLOSE);
            assertThat(client.hasEnded()).isTrue();
        }
        assertThat(front().nextEnd().outcome()).isInstanceOf(Outcome.Answered.class);
    }

    @Test
    void it_is_cut_with_1008_when_it_has_lasted_as_long_as_it_may() throws Exception {
        start(this::echoes, new StreamLimit(SHORT, Duration.ZERO), LONG);
        try (var client = connect()) {
            client.head();

            assertThat(client.frame()).isEqualTo(Frame.ofServer(Frame.CLOSE, Frame.code(1008, "")));
            assertThat(got()).isEqualTo(Frame.ofClient(Frame.CLOSE, Frame.code(1001, "")));
        }
        var end = front().nextEnd();
        assertThat(end.reason()).isEqualTo(Reason.FORWARD_STREAM_OVER);
        assertThat(end.lease()).containsExactly("lasting", "abandoned");
        await().until(() -> upstream().closedByPeer() == 1);
    }

    @Test
    void one_that_is_idle_is_closed_with_1001_and_one_that_is_pinged_is_not() throws Exception {
        start(this::echoes, new StreamLimit(Duration.ofHours(1), Duration.ZERO), SHORT);
        try (var client = connect();
                var active = connect()) {
            client.head();
            active.head();
            var idle = Thread.ofVirtual().unstarted(() -> {
                try {
                    upstreamGot.add(client.frame());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            idle.start();
            while (idle.isAlive()) {
                active.send(Frame.ofClient(Frame.PING, ""));
                assertThat(active.frame()).isEqualTo(Frame.ofServer(Frame.PING, ""));
            }

            assertThat(upstreamGot).contains(Frame.ofServer(Frame.CLOSE, Frame.code(1001, "")));
        }
    }

    @Test
    void an_upstream_may_close_later_than_the_client() throws Exception {
        var clientHasEnded = new CountDownLatch(1);
        start(turn -> {
            turn.send(SWITCHED);
            upstreamGot.add(Frame.read(turn::readBytes));
            upstreamGot.add(Frame.read(turn::readBytes));
            await().until(() -> clientHasEnded.getCount() == 0);
            turn.send(Frame.ofServer(Frame.CLOSE, Frame.code(1001, "")).bytes());
            turn.awaitClose();
        });
        try (var client = connect()) {
            client.head();
            client.send(Frame.ofClient(Frame.TEXT, "there"));
            got();
            front().stop();
            client.frame();
            got();
            client.send(Frame.ofClient(Frame.CLOSE, Frame.code(1001, "")));
            assertThat(client.hasEnded()).isTrue();
        }

        assertThat(front().nextEnd().outcome()).isEqualTo(new Outcome.Aborted(101, STOPPED));
        assertThat(upstream().closedByPeer()).isZero();
        clientHasEnded.countDown();
        await().until(() -> upstream().closedByPeer() == 1);
    }

    @Test
    void all_are_closed_with_1001_when_the_gateway_goes_away() throws Exception {
        start(this::echoes);
        try (var client = connect()) {
            client.head();
            client.send(Frame.ofClient(Frame.TEXT, "there"));
            client.frame();
            got();

            front().stop();

            assertThat(client.frame()).isEqualTo(Frame.ofServer(Frame.CLOSE, Frame.code(1001, "")));
            assertThat(got()).isEqualTo(Frame.ofClient(Frame.CLOSE, Frame.code(1001, "")));
            client.send(Frame.ofClient(Frame.CLOSE, Frame.code(1001, "")));
            assertThat(client.hasEnded()).isTrue();
        }
        assertThat(front().nextEnd().outcome()).isEqualTo(new Outcome.Aborted(101, STOPPED));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void an_upstream_that_breaks_off_breaks_off_the_client(boolean byReset) throws Exception {
        start(turn -> {
            turn.send(SWITCHED);
            turn.readBytes(1);
            if (byReset) {
                turn.reset();
            } else {
                turn.close();
            }
        });
        try (var client = connect()) {
            client.head();
            client.send(Frame.ofClient(Frame.TEXT, "there"));

            assertThat(client.hasEnded()).isTrue();
        }
        var end = front().nextEnd();
        assertThat(end.reason()).isEqualTo(Reason.FORWARD_UPSTREAM_RESET);
        assertThat(end.lease()).containsExactly("lasting", "failed");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_client_that_goes_away_breaks_off_the_upstream(boolean byReset) throws Exception {
        start(this::echoes);
        try (var client = connect()) {
            client.head();
            client.send(Frame.ofClient(Frame.TEXT, "there"));
            client.frame();
            if (byReset) {
                client.socket.setSoLinger(true, 0);
            }
        }

        assertThat(front().nextEnd().outcome()).isInstanceOf(Outcome.Cancelled.class);
        await().until(() -> upstream().closedByPeer() == 1);
        assertThat(upstreamGot).hasSize(1);
    }

    // what is no frame

    static Stream<Arguments> hostile() {
        var tooLong = new byte[] {(byte) 0x82, (byte) 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1};
        return Stream.of(
                Arguments.of("unmasked", Frame.ofServer(Frame.TEXT, "hello").bytes(), 1002),
                Arguments.of("RSV1", Frame.ofClient(0xc1, "hello").bytes(), 1002),
                Arguments.of("RSV2", Frame.ofClient(0xa1, "hello").bytes(), 1002),
                Arguments.of("RSV3", Frame.ofClient(0x91, "hello").bytes(), 1002),
                Arguments.of("a reserved opcode", Frame.ofClient(0x83, "hello").bytes(), 1002),
                Arguments.of(
                        "a reserved control opcode",
                        Frame.ofClient(0x8b, "hello").bytes(),
                        1002),
                Arguments.of(
                        "a continuation of nothing",
                        Frame.ofClient(0x80, "hello").bytes(),
                        1002),
                Arguments.of("a fragmented ping", Frame.ofClient(0x09, "hello").bytes(), 1002),
                Arguments.of(
                        "a long ping",
                        Frame.ofClient(Frame.PING, "x".repeat(126)).bytes(),
                        1002),
                Arguments.of(
                        "a code that is never sent",
                        Frame.ofClient(Frame.CLOSE, Frame.code(1005, "")).bytes(),
                        1002),
                Arguments.of(
                        "half a code", Frame.ofClient(Frame.CLOSE, "\u0003").bytes(), 1002),
                Arguments.of("a length in more bytes than it needs", new byte[] {(byte) 0x82, (byte) 0xfe, 0, 5}, 1002),
                Arguments.of("a negative length", new byte[] {(byte) 0x82, -1, -1, -1, -1, -1, -1, -1, -1, -1}, 1002),
                Arguments.of("one byte too many", tooLong, 1009),
                Arguments.of("a request", "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(ISO_8859_1), 1002));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("hostile")
    void a_client_that_sends_what_is_no_frame_is_told_so_and_its_upstream_sees_nothing_of_it(
            String what, byte[] bytes, int code) throws Exception {
        start(this::echoes);
        try (var client = connect()) {
            client.head();
            client.send(bytes);

            var told = client.frame();
            assertThat(told.first()).isEqualTo(Frame.CLOSE);
            assertThat(told.payload()).startsWith(Frame.code(code, ""));
            assertThat(client.hasEnded()).isTrue();
        }
        var end = front().nextEnd();
        assertThat(end.reason()).isEqualTo(Reason.FORWARD_WEBSOCKET_FRAME);
        assertThat(end.evidence()).containsKey(Evidence.Key.CAUSE);
        assertThat(end.lease()).containsExactly("lasting", "abandoned");
        await().until(() -> upstream().closedByPeer() == 1);
        assertThat(upstream().received()).endsWith("\r\n\r\n");
    }

    @Test
    void an_upstream_that_sends_what_is_no_frame_is_at_fault() throws Exception {
        start(turn -> {
            turn.send(SWITCHED);
            turn.send(Frame.ofClient(Frame.TEXT, "masked").bytes());
            upstreamGot.add(Frame.read(turn::readBytes));
            turn.awaitClose();
        });
        try (var client = connect()) {
            client.head();

            assertThat(client.hasEnded()).isTrue();
        }
        assertThat(got().payload()).startsWith(Frame.code(1002, ""));
        var end = front().nextEnd();
        assertThat(end.reason()).isEqualTo(Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);
        assertThat(end.lease()).containsExactly("lasting", "failed");
    }

    // the two sides

    private void answersNothing(RawUpstream.Turn turn) throws IOException {
        turn.send(SWITCHED);
        turn.awaitClose();
    }

    private void echoes(RawUpstream.Turn turn) throws IOException {
        turn.send(SWITCHED);
        while (true) {
            var frame = Frame.read(turn::readBytes);
            upstreamGot.add(frame);
            turn.send(Frame.ofServer(frame.first(), frame.payload()).bytes());
        }
    }

    private Frame got() throws InterruptedException {
        var frame = upstreamGot.poll(20, TimeUnit.SECONDS);
        if (frame == null) {
            throw new AssertionError("no frame reached the upstream");
        }
        return frame;
    }

    private void start(RawUpstream.Script script) {
        start(script, new StreamLimit(Duration.ofHours(1), Duration.ZERO), LONG);
    }

    private void start(RawUpstream.Script script, StreamLimit limit, Duration idleTimeout) {
        var started = RawUpstream.plaintext(script);
        upstream = started;
        var target = TestTarget.plaintext(started.port())
                .timeout(LONG)
                .connectTimeout(LONG)
                .build();
        var plan = new WebSocketPlan(Set.of("https://app.example.org"), MAX_FRAME, idleTimeout);
        front = TestFront.of(new DirectForwarder(exchange), TestFront.route("orders", target, limit, plan));
    }

    private RawUpstream upstream() {
        return Objects.requireNonNull(upstream);
    }

    private TestFront front() {
        return Objects.requireNonNull(front);
    }

    private Client connect() throws IOException {
        var client = new Client(new Socket(InetAddress.getLoopbackAddress(), front().port()));
        client.send(HANDSHAKE.getBytes(ISO_8859_1));
        return client;
    }

    /** What comes back where no WebSocket does. */
    private String refused(String request) throws IOException {
        try (var client = new Client(new Socket(InetAddress.getLoopbackAddress(), front().port()))) {
            client.send(request.getBytes(ISO_8859_1));
            var head = client.head();
            return head.toLowerCase(Locale.ROOT).contains("\r\ncontent-length: 2\r\n")
                    ? head + new String(client.read(2), ISO_8859_1)
                    : head;
        }
    }

    private record Client(Socket socket) implements AutoCloseable {
        Client {
            try {
                socket.setSoTimeout(20_000);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        void send(byte[] bytes) throws IOException {
            socket.getOutputStream().write(bytes);
        }

        void send(Frame frame) throws IOException {
            send(frame.bytes());
        }

        String head() throws IOException {
            var head = new StringBuilder();
            while (!head.toString().endsWith("\r\n\r\n")) {
                head.append((char) read(1)[0]);
            }
            return head.toString();
        }

        Frame frame() throws IOException {
            return Frame.read(this::read);
        }

        private byte[] read(int length) throws IOException {
            var bytes = socket.getInputStream().readNBytes(length);
            if (bytes.length < length) {
                throw new EOFException("after " + Arrays.toString(bytes));
            }
            return bytes;
        }

        /** Whether the connection ends without another byte. */
        boolean hasEnded() throws IOException {
            return socket.getInputStream().read() < 0;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
