// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.forward.DirectForwarder;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.RawUpstream;
import io.sallyport.forward.StreamLimit;
import io.sallyport.forward.TestFront;
import io.sallyport.forward.TestTarget;
import io.sallyport.forward.UpstreamClient;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import reactor.netty.resources.LoopResources;

/** Requests on streams of HTTP/2: what reaches the upstream, what becomes of its answers, and of others when one goes wrong. */
class Http2UpstreamTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofMillis(300);

    /** What is waited for a hundred times. */
    private static final Duration AT_ONCE = Duration.ofMillis(1);

    private final UpstreamConnections connections = new UpstreamConnections(
            new FakeSvidSource(), Duration.ZERO, Duration.ZERO, InstantSource.system(), new SimpleMeterRegistry());
    private final LoopResources loop = LoopResources.create("front", 1, true);
    private final HttpClient browser = HttpClient.newHttpClient();
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void stop() throws Exception {
        browser.shutdownNow();
        for (var each : opened.reversed()) {
            each.close();
        }
        connections.close();
        loop.disposeLater(Duration.ZERO, LONG).block();
    }

    @Test
    void a_request_becomes_a_stream_and_its_answer_an_answer() throws Exception {
        var upstream = upstream(turn -> turn.answer("hello"));
        var front = front(upstream);

        var answer = exchange(front, "GET /v1?a=b HTTP/1.1\nHost: api.example.org\nX-Tenant: acme\n\n", "hello");

        assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n").contains("content-length: 5\r\n");
        assertThat(framesOf(upstream).getFirst())
                .startsWith("1 HEADERS {:authority=127.0.0.1:%d, :method=GET, :path=/v1?a=b, :scheme=http, "
                        .formatted(upstream.port()))
                .contains("x-tenant=acme")
                .contains("x-forwarded-host=api.example.org")
                .doesNotContain("connection=", " host=", "transfer-encoding=", "te=")
                .endsWith("}.");
        assertThat(front.nextEnd().lease()).containsExactly("answered 200");
    }

    @Test
    void that_the_client_takes_trailers_is_all_of_te_that_gets_through() throws Exception {
        var upstream = upstream(turn -> turn.fields(false, ":status", "200")
                .data("x", false)
                .fields(true, "grpc-status", "0", "set-cookie", "a=b"));

        var answer = exchange(
                front(upstream),
                "GET /v1 HTTP/1.1\nHost: api.example.org\nTE: trailers, gzip;q=0.5\nConnection: te\n\n",
                "\r\n0\r\n",
                "\r\n\r\n");

        assertThat(framesOf(upstream).getFirst()).contains(", te=trailers,").doesNotContain("gzip");
        assertThat(answer).contains("grpc-status: 0\r\n").doesNotContain("set-cookie");
    }

    @Test
    void a_body_ends_its_stream_where_it_ends() throws Exception {
        var upstream = upstream(turn -> {
            turn.await("DATA .");
            turn.answer("thanks");
        });

        exchange(front(upstream), "POST /v1 HTTP/1.1\nHost: api.example.org\nContent-Length: 5\n\nhello", "thanks");

        assertThat(framesOf(upstream))
                .element(0)
                .asString()
                .contains("content-length=5")
                .endsWith("}");
        assertThat(framesOf(upstream)).contains("1 DATA hello", "1 DATA .");
    }

    @Test
    void a_connection_is_closed_when_nothing_was_asked_on_it_for_as_long_as_the_route_says() throws Exception {
        var upstream = upstream(turn -> turn.answer("hello"));
        var brief = TestTarget.plaintext(upstream.port())
                .over(UpstreamProtocol.H2)
                .idleTimeout(Duration.ofMillis(50))
                .build();

        exchange(front(brief), "GET /v1 HTTP/1.1\nHost: api.example.org\n\n", "hello");

        // The default is 4 s.
        await().atMost(Duration.ofSeconds(3))
                .until(() -> upstream.links().getFirst().isEnded());
    }

    @Test
    void a_request_that_meets_the_end_of_its_connection_is_sent_once_more_on_another() throws Exception {
        var requests = new AtomicInteger();
        var upstream = upstream(turn -> {
            if (requests.incrementAndGet() == 2) {
                turn.link().end();
            } else {
                turn.answer("turn " + requests.get());
            }
        });
        var front = front(upstream);
        exchange(front, "GET /v1 HTTP/1.1\nHost: api.example.org\n\n", "turn 1");
        assertThat(front.nextEnd().lease()).containsExactly("answered 200");

        var answer = exchange(front, "GET /v1 HTTP/1.1\nHost: api.example.org\n\n", "turn 3");

        assertThat(answer).startsWith("HTTP/1.1 200");
        assertThat(upstream.links()).hasSize(2);
        assertThat(front.nextEnd().lease()).containsExactly("answered 200");
    }

    @Test
    void one_whose_stream_is_reset_is_not() throws Exception {
        var requests = new AtomicInteger();
        var upstream = upstream(turn -> {
            if (requests.incrementAndGet() == 2) {
                turn.reset(2);
            } else {
                turn.answer("hello");
            }
        });
        var front = front(upstream);
        exchange(front, "GET /v1 HTTP/1.1\nHost: api.example.org\n\n", "hello");

        assertThat(exchange(front, "GET /v1 HTTP/1.1\nHost: api.example.org\n\n", "}"))
                .startsWith("HTTP/1.1 502");
        assertThat(requests).hasValue(2);
    }

    @Test
    void both_directions_flow_at_the_same_time() throws Exception {
        var upstream = upstream(turn -> {
            turn.fields(false, ":status", "200").data("ready", false);
            turn.await("DATA ping");
            turn.data("pong", false);
            turn.await("DATA last");
            turn.data("bye", false);
            turn.await("DATA .");
            turn.fields(true, "grpc-status", "0");
        });

        try (var socket =
                send(front(upstream), "POST /v1 HTTP/1.1\nHost: api.example.org\nTransfer-Encoding: chunked\n\n")) {
            readUntil(socket, "ready\r\n");
            write(socket, "4\nping\n");
            readUntil(socket, "pong\r\n");
            write(socket, "4\nlast\n");
            readUntil(socket, "bye\r\n");
            write(socket, "0\n\n");
            readUntil(socket, "0\r\n\r\n");
        }
    }

    @Test
    void an_answer_that_is_whole_before_the_request_is_passed_on_whole_and_the_rest_is_not_sent() throws Exception {
        var upstream = upstream(turn -> {
            turn.await("DATA half");
            turn.fields(true, ":status", "413", "content-length", "0").reset(FrameUpstream.NO_ERROR);
        });
        var front = front(upstream);

        var answer = exchange(front, "POST /v1 HTTP/1.1\nHost: api.example.org\nContent-Length: 8\n\nhalf", "\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 413 ");
        assertThat(front.nextEnd().lease()).containsExactly("answered 413");
        assertThat(framesOf(upstream)).doesNotContain("1 DATA .");
    }

    @Test
    void a_body_that_breaks_off_resets_its_stream_and_no_other() throws Exception {
        var goOn = new CountDownLatch(1);
        var upstream = upstream(turn -> {
            if (turn.method().equals("GET")) {
                turn.fields(false, ":status", "200").data("begun", false);
                goOn.await();
                turn.data("done", true);
            }
        });
        var front = front(upstream);
        try (var other = send(front, "GET /v1 HTTP/1.1\nHost: api.example.org\n\n")) {
            readUntil(other, "begun\r\n");

            try (var _ = send(front, "POST /v1 HTTP/1.1\nHost: api.example.org\nContent-Length: 8\n\nhalf")) {
                await().until(() -> framesOf(upstream).contains("2 DATA half"));
            }

            await().until(() -> framesOf(upstream).contains("2 RST " + FrameUpstream.CANCEL));
            assertThat(framesOf(upstream)).noneMatch(frame -> frame.startsWith("2") && frame.endsWith("."));
            goOn.countDown();
            readUntil(other, "0\r\n\r\n");
        }
        assertThat(upstream.links()).hasSize(1);
    }

    @Test
    void a_client_that_goes_away_resets_its_stream_and_the_connection_stays() throws Exception {
        var upstream = upstream(turn -> {
            if (turn.number() > 1) {
                turn.answer("hello");
            }
        });
        var front = front(upstream);
        try (var _ = send(front, "GET /v1 HTTP/1.1\nHost: api.example.org\n\n")) {
            await().until(() ->
                    !upstream.links().isEmpty() && !framesOf(upstream).isEmpty());
        }
        await().until(() -> framesOf(upstream).contains("1 RST " + FrameUpstream.CANCEL));
        assertThat(front.nextEnd().lease()).containsExactly("abandoned");

        assertThat(get(front).body()).isEqualTo("hello");

        assertThat(upstream.links()).hasSize(1);
    }

    @Test
    void a_client_that_reads_slowly_holds_up_itself_and_nobody_else() throws Exception {
        int much = 16 * 1024 * 1024;
        var upstream = upstream(turn -> {
            if (turn.number() == 1) {
                turn.fields(false, ":status", "200").flood(much).data("!", true);
            } else {
                turn.answer("hello");
            }
        });
        var front = front(upstream);
        try (var slow = send(front, "GET /v1 HTTP/1.1\nHost: api.example.org\n\n")) {
            readUntil(slow, "\r\n\r\n");

            for (int i = 0; i < 10; i++) {
                assertThat(get(front).body()).isEqualTo("hello");
            }

            assertThat(upstream.links()).hasSize(1);
            assertThat(zerosUntilMark(slow.getInputStream())).isEqualTo(much);
        }
    }

    private static long zerosUntilMark(InputStream in) throws IOException {
        var piece = new byte[64 * 1024];
        long zeros = 0;
        while (true) {
            int length = in.read(piece);
            for (int i = 0; i < length; i++) {
                if (piece[i] == '!') {
                    return zeros;
                }
                zeros += piece[i] == 0 ? 1 : 0;
            }
            if (length < 0) {
                throw new EOFException("after %d bytes".formatted(zeros));
            }
        }
    }

    @Test
    void no_more_streams_are_open_on_a_connection_than_the_upstream_takes() throws Exception {
        var both = new CountDownLatch(2);
        var upstream = opened(FrameUpstream.taking(1, turn -> {
            both.countDown();
            both.await();
            turn.answer("hello");
        }));
        var front = front(upstream);

        var answers = List.of(getLater(front), getLater(front));

        for (var answer : answers) {
            assertThat(answer.get(20, TimeUnit.SECONDS).body()).isEqualTo("hello");
        }
        assertThat(upstream.links()).hasSize(2);
        assertThat(upstream.links())
                .allMatch(link -> link.frames().stream()
                                .filter(frame -> frame.contains("HEADERS"))
                                .count()
                        == 1);
    }

    @Test
    void an_upstream_that_takes_none_for_now_is_waited_for() throws Exception {
        var upstream = opened(FrameUpstream.taking(0, turn -> turn.answer("hello")));
        var front = front(upstream);

        var answer = getLater(front);
        await().until(() -> !upstream.links().isEmpty());
        var link = upstream.links().getFirst();
        link.send(FrameUpstream.SETTINGS, 0, 0, FrameUpstream.mostStreams(1));

        assertThat(answer.get(20, TimeUnit.SECONDS).body()).isEqualTo("hello");
        assertThat(upstream.links()).hasSize(1);
    }

    @Test
    void but_not_for_ever() throws Exception {
        var upstream = opened(FrameUpstream.taking(0, turn -> turn.answer("hello")));
        var front = front(upstream, SHORT);

        assertRefused(front, 504, Reason.FORWARD_CONNECT_TIMEOUT);
    }

    @Test
    void after_a_goaway_streams_are_finished_and_none_is_begun() throws Exception {
        var upstream = upstream(turn -> {
            if (turn.path().equals("/last")) {
                turn.fields(false, ":status", "200").link().goAway(turn.stream());
                turn.data("slowly", false);
                turn.await("DATA now");
                turn.data("finished", true);
            } else {
                turn.answer("hello");
            }
        });
        var front = front(upstream);
        try (var old = send(front, "POST /last HTTP/1.1\nHost: api.example.org\nContent-Length: 3\n\n")) {
            readUntil(old, "slowly\r\n");

            assertThat(get(front).body()).isEqualTo("hello");
            write(old, "now");
            readUntil(old, "0\r\n\r\n");
        }
        assertThat(upstream.links()).hasSize(2);
        assertThat(upstream.links().get(0).frames()).noneMatch(frame -> frame.startsWith("2"));
        await().until(() -> upstream.links().get(0).isEnded());
    }

    @Test
    void a_request_that_the_upstream_has_not_read_before_its_goaway_fails_and_is_not_repeated() throws Exception {
        var upstream = upstream(turn -> turn.link().goAway(0));

        assertRefused(front(upstream), 502, Reason.FORWARD_UPSTREAM_RESET);

        assertThat(upstream.links()).hasSize(1);
    }

    @Test
    void a_reset_in_place_of_an_answer_is_a_failure() throws Exception {
        var upstream = upstream(turn -> turn.reset(FrameUpstream.REFUSED_STREAM));
        var front = front(upstream);

        assertThat(front.reasonOf(get(front))).isEqualTo(Reason.FORWARD_UPSTREAM_RESET);

        assertThat(front.nextEnd().evidence())
                .containsEntry(Evidence.Key.CAUSE, "java.io.IOException: reset by the upstream: REFUSED_STREAM");
    }

    @Test
    void a_reset_within_an_answer_is_no_end_of_it() throws Exception {
        // With it, there would be no answer to begin with.
        var begun = new CountDownLatch(1);
        var upstream = upstream(turn -> {
            turn.fields(false, ":status", "200").data("half", false);
            begun.await();
            turn.reset(FrameUpstream.NO_ERROR);
        });
        var front = front(upstream);

        try (var socket = send(front, "GET /v1 HTTP/1.1\nHost: api.example.org\n\n")) {
            readUntil(socket, "half\r\n");
            begun.countDown();
            assertThatThrownBy(() -> readUntil(socket, "\r\n0\r\n\r\n")).isInstanceOf(IOException.class);
        }

        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_RESET);
    }

    @Test
    void an_upstream_that_is_silent_loses_the_request_and_gets_no_further_one_on_that_connection() throws Exception {
        var upstream = upstream(turn -> {
            if (turn.path().equals("/v1")) {
                turn.answer("hello");
            }
        });
        var front = front(upstream, LONG, SHORT);

        var answer = browser.send(
                HttpRequest.newBuilder(URI.create(front.uri("/silent"))).build(), HttpResponse.BodyHandlers.ofString());

        assertThat(front.reasonOf(answer)).isEqualTo(Reason.FORWARD_RESPONSE_TIMEOUT);
        await().until(() -> framesOf(upstream).contains("1 RST " + FrameUpstream.CANCEL));
        assertThat(get(front).body()).isEqualTo("hello");
        assertThat(upstream.links()).hasSize(2);
    }

    @Test
    void what_takes_too_long_in_all_is_cut_however_much_flows() throws Exception {
        var upstream = upstream(turn -> {
            turn.fields(false, ":status", "200");
            while (true) {
                turn.data("more", false);
                Thread.sleep(10);
            }
        });
        var route =
                TestFront.route("orders", target(upstream.port(), LONG, LONG), new StreamLimit(SHORT, Duration.ZERO));
        var front = opened(TestFront.on(loop, new DirectForwarder(new UpstreamClient(connections)), route));

        try (var socket = send(front, "GET /v1 HTTP/1.1\nHost: api.example.org\n\n")) {
            assertThatThrownBy(() -> readUntil(socket, "\r\n0\r\n\r\n")).isInstanceOf(IOException.class);
        }

        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_STREAM_OVER);
        await().until(() -> framesOf(upstream).contains("1 RST " + FrameUpstream.CANCEL));
    }

    @Test
    void a_connection_on_which_many_requests_were_given_up_gets_no_more() throws Exception {
        var upstream = upstream(turn -> {
            if (turn.path().equals("/v1")) {
                turn.answer("hello");
            }
        });
        var front = front(upstream);
        for (int i = 0; i < 101; i++) {
            int number = 1 + i;
            try (var _ = send(front, "GET /given-up HTTP/1.1\nHost: api.example.org\n\n")) {
                await().pollInterval(AT_ONCE)
                        .until(() -> !upstream.links().isEmpty()
                                && framesOf(upstream).stream()
                                        .anyMatch(frame -> frame.startsWith(number + " HEADERS")));
            }
            await().pollInterval(AT_ONCE)
                    .until(() -> framesOf(upstream).contains(number + " RST " + FrameUpstream.CANCEL));
        }

        assertThat(get(front).body()).isEqualTo("hello");

        assertThat(upstream.links()).hasSize(2);
    }

    // hostile upstreams

    /** What is wrong with an answer, and the frames of it. */
    record Malformed(String what, FrameUpstream.Script script) {
        @Override
        public String toString() {
            return what;
        }
    }

    static Stream<Malformed> malformed() {
        return Stream.of(
                head("no status", "x", "y"),
                head("two status", ":status", "200", ":status", "500"),
                head("a short status", ":status", "20"),
                head("a signed status", ":status", "+20"),
                head("a status out of range", ":status", "999"),
                head("switching protocols", ":status", "101"),
                head("a path", ":status", "200", ":path", "/"),
                head("an unknown pseudo-header field", ":status", "200", ":x", "y"),
                // Past the encoder, which would put it in its place: literals, and the index of :status 200.
                new Malformed(
                        "a pseudo-header field behind others",
                        turn -> turn.link()
                                .send(
                                        FrameUpstream.HEADERS,
                                        FrameUpstream.END_HEADERS | FrameUpstream.END_STREAM,
                                        turn.stream(),
                                        new byte[] {0, 1, 'x', 1, 'y', (byte) 0x88})),
                head("an upper-case name", ":status", "200", "X-Evil", "y"),
                head("an empty name", ":status", "200", "", "y"),
                head("a line feed in a value", ":status", "200", "x", "y\nset-cookie: evil"),
                head("a line feed in a name", ":status", "200", "x\nset-cookie", "evil"),
                head("NUL in a value", ":status", "200", "x", "y\0"),
                head("a connection", ":status", "200", "connection", "close"),
                head("a coding", ":status", "200", "transfer-encoding", "chunked"),
                head("an upgrade", ":status", "200", "upgrade", "h2c"),
                head("a length that is none", ":status", "200", "content-length", "2x"),
                head("a signed length", ":status", "200", "content-length", "+2"),
                head("two lengths", ":status", "200", "content-length", "2", "content-length", "3"),
                head("large fields", fieldsOf(":status", "200", 17)),
                new Malformed("a body first", turn -> turn.data("ok", true)),
                new Malformed("nothing but an interim answer", turn -> turn.fields(true, ":status", "103")),
                new Malformed("many interim answers", turn -> {
                    for (int i = 0; i < 1_000; i++) {
                        turn.fields(false, ":status", "103", "link", "</a>");
                    }
                }),
                new Malformed(
                        "an interim answer with a length",
                        turn -> turn.fields(false, ":status", "100", "content-length", "2")
                                .fields(true, ":status", "200")),
                new Malformed(
                        "no body where one was announced",
                        turn -> turn.fields(true, ":status", "200", "content-length", "2")),
                new Malformed(
                        "a longer body",
                        turn -> turn.fields(false, ":status", "200", "content-length", "2")
                                .data("too long", true)),
                new Malformed(
                        "a body of a 204",
                        turn -> turn.fields(false, ":status", "204").data("ok", true)),
                new Malformed(
                        "a body of a 304",
                        turn -> turn.fields(false, ":status", "304").data("ok", true)));
    }

    private static Malformed head(String what, String... fields) {
        return new Malformed(what, turn -> turn.fields(false, fields).data("ok", true));
    }

    private static String[] fieldsOf(String name, String value, int times) {
        // Fits into the table of fields, and is an index of one byte from then on.
        return Stream.concat(
                        Stream.of(name, value),
                        IntStream.range(0, times).boxed().flatMap(_ -> Stream.of("x", "y".repeat(4_000))))
                .toArray(String[]::new);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("malformed")
    void what_is_no_answer_is_a_502_and_nobody_elses(Malformed malformed) throws Exception {
        var goOn = new CountDownLatch(1);
        var upstream = upstream(turn -> {
            if (turn.path().equals("/other")) {
                turn.fields(false, ":status", "200").data("begun", false);
                goOn.await();
                turn.data("done", true);
            } else {
                turn.together(malformed.script);
            }
        });
        var front = front(upstream);
        try (var other = send(front, "GET /other HTTP/1.1\nHost: api.example.org\n\n")) {
            readUntil(other, "begun\r\n");

            assertRefused(front, 502, Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);

            goOn.countDown();
            assertThat(readUntil(other, "0\r\n\r\n")).isEqualTo("4\r\ndone\r\n0\r\n\r\n");
        }
        assertThat(upstream.links()).hasSize(1);
    }

    static Stream<Malformed> malformedEnds() {
        return Stream.of(
                new Malformed("a shorter body", turn -> turn.data("half", true)),
                new Malformed("a second head", turn -> turn.data("half", false).fields(false, ":status", "200")),
                new Malformed(
                        "a status in trailers",
                        turn -> turn.data("half and half", false).fields(true, ":status", "200")),
                new Malformed(
                        "a path in trailers",
                        turn -> turn.data("half and half", false).fields(true, ":path", "/")),
                new Malformed(
                        "a line feed in trailers",
                        turn -> turn.data("half and half", false).fields(true, "x", "y\nz")),
                new Malformed(
                        "a connection in trailers",
                        turn -> turn.data("half and half", false).fields(true, "connection", "close")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("malformedEnds")
    void what_is_no_end_of_an_answer_breaks_it_off(Malformed malformed) throws Exception {
        var begun = new CountDownLatch(1);
        var upstream = upstream(turn -> {
            turn.fields(false, ":status", "200", "content-length", "13");
            begun.await();
            malformed.script.answer(turn);
        });
        var front = front(upstream);

        try (var socket = send(front, "GET /v1 HTTP/1.1\nHost: api.example.org\n\n")) {
            readUntil(socket, "\r\n\r\n");
            begun.countDown();
            assertThatThrownBy(() -> readUntil(socket, "nothing ends like this"))
                    .isInstanceOf(IOException.class);
        }

        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);
    }

    static Stream<Malformed> fatal() {
        return Stream.of(
                new Malformed("pings", turn -> flood(turn, FrameUpstream.PING, 0, 8)),
                new Malformed("settings", turn -> flood(turn, FrameUpstream.SETTINGS, 0, 0)),
                new Malformed("priorities", turn -> flood(turn, FrameUpstream.PRIORITY, turn.stream(), 5)),
                new Malformed("unknown frames", turn -> flood(turn, 0xfa, turn.stream(), 100)),
                new Malformed("empty data", turn -> {
                    turn.fields(false, ":status", "200");
                    flood(turn, FrameUpstream.DATA, turn.stream(), 0);
                }),
                new Malformed("a head that never ends", turn -> {
                    turn.link().send(FrameUpstream.HEADERS, 0, turn.stream());
                    flood(turn, FrameUpstream.CONTINUATION, turn.stream(), 1);
                }),
                new Malformed(
                        "a push",
                        turn -> turn.link()
                                .send(
                                        FrameUpstream.PUSH_PROMISE,
                                        FrameUpstream.END_HEADERS,
                                        turn.stream(),
                                        ByteBuffer.allocate(4).putInt(2).array())),
                new Malformed(
                        "a head on a stream that nobody opened",
                        turn -> turn.link().send(FrameUpstream.HEADERS, FrameUpstream.END_HEADERS, 99, (byte) 0x88)),
                new Malformed(
                        "a window of nothing",
                        turn -> turn.link().send(FrameUpstream.WINDOW_UPDATE, 0, 0, new byte[4])),
                new Malformed("no frame", turn -> turn.link().send(FrameUpstream.SETTINGS, 0, 0, new byte[5])));
    }

    private static void flood(FrameUpstream.Turn turn, int type, int stream, int length) throws IOException {
        for (int i = 0; i < 5_000; i++) {
            turn.link().send(type, 0, stream, new byte[length]);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("fatal")
    void what_no_connection_survives_is_a_502_or_a_cut_and_the_next_request_gets_another(Malformed malformed)
            throws Exception {
        var upstream = upstream(turn -> {
            if (turn.path().equals("/attack")) {
                malformed.script.answer(turn);
            } else {
                turn.answer("hello");
            }
        });
        var front = front(upstream);

        try (var socket = send(front, "GET /attack HTTP/1.1\nHost: api.example.org\nConnection: close\n\n")) {
            socket.getInputStream().readAllBytes();
        } catch (IOException e) {
            // Cut off within the answer.
        }

        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);
        await().until(() -> upstream.links().getFirst().isEnded());
        assertThat(get(front).body()).isEqualTo("hello");
        assertThat(upstream.links()).hasSize(2);
    }

    /** What the codec takes for the fault of one stream: it resets that one. */
    static Stream<Malformed> faultsOfOneStream() {
        return Stream.of(
                new Malformed(
                        "a bomb of fields",
                        turn -> turn.fields(false, fieldsOf(":status", "200", 100))
                                .data("ok", true)),
                new Malformed("more data than the window has room for", turn -> {
                    turn.fields(false, ":status", "200");
                    for (int i = 0; i < 2_000; i++) {
                        turn.data("x".repeat(16_384), false);
                    }
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faultsOfOneStream")
    void a_stream_that_is_too_much_ends_alone_and_its_connection_serves_on(Malformed malformed) throws Exception {
        var upstream = upstream(turn -> {
            if (turn.path().equals("/attack")) {
                malformed.script.answer(turn);
            } else {
                turn.answer("hello");
            }
        });
        var front = front(upstream);

        // Nothing is read, so that no window opens again.
        try (var _ = send(front, "GET /attack HTTP/1.1\nHost: api.example.org\nConnection: close\n\n")) {
            assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);
        }

        assertThat(get(front).body()).isEqualTo("hello");
        assertThat(upstream.links()).hasSize(1);
    }

    @Test
    void an_upstream_that_speaks_http_1_gets_no_request() throws Exception {
        var upstream = opened(RawUpstream.plaintext(
                turn -> turn.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")));

        assertRefused(front(upstream.port(), LONG, LONG), 502, Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);

        assertThat(upstream.received()).doesNotContain("v1");
    }

    @Test
    void nor_does_one_that_says_nothing() throws Exception {
        var upstream = opened(RawUpstream.plaintext(RawUpstream.Turn::awaitClose));

        assertRefused(front(upstream.port(), SHORT, LONG), 504, Reason.FORWARD_CONNECT_TIMEOUT);

        assertThat(upstream.received()).doesNotContain("v1");
    }

    private FrameUpstream upstream(FrameUpstream.Script script) {
        return opened(FrameUpstream.start(script));
    }

    private TestFront front(FrameUpstream upstream) {
        return front(upstream, LONG);
    }

    private TestFront front(FrameUpstream upstream, Duration connectTimeout) {
        return front(upstream, connectTimeout, LONG);
    }

    private TestFront front(FrameUpstream upstream, Duration connectTimeout, Duration timeout) {
        return front(upstream.port(), connectTimeout, timeout);
    }

    private TestFront front(int port, Duration connectTimeout, Duration timeout) {
        return front(target(port, connectTimeout, timeout));
    }

    private TestFront front(UpstreamTarget target) {
        return opened(TestFront.on(
                loop, new DirectForwarder(new UpstreamClient(connections)), TestFront.route("orders", target)));
    }

    private static UpstreamTarget target(int port, Duration connectTimeout, Duration timeout) {
        return TestTarget.plaintext(port)
                .timeout(timeout)
                .connectTimeout(connectTimeout)
                .over(UpstreamProtocol.H2)
                .build();
    }

    private <T extends AutoCloseable> T opened(T each) {
        opened.add(each);
        return each;
    }

    private static List<String> framesOf(FrameUpstream upstream) {
        return upstream.links().getFirst().frames();
    }

    private HttpResponse<String> get(TestFront front) throws IOException, InterruptedException {
        return browser.send(request(front), HttpResponse.BodyHandlers.ofString());
    }

    private CompletableFuture<HttpResponse<String>> getLater(TestFront front) {
        return browser.sendAsync(request(front), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpRequest request(TestFront front) {
        return HttpRequest.newBuilder(URI.create(front.uri("/v1"))).build();
    }

    private void assertRefused(TestFront front, int status, Reason reason) throws Exception {
        var answer = get(front);
        assertThat(front.reasonOf(answer)).isEqualTo(reason);
        assertThat(answer.statusCode()).isEqualTo(status);
    }

    private static String exchange(TestFront front, String request, String... until) throws IOException {
        try (var socket = send(front, request)) {
            var answer = new StringBuilder();
            for (var end : until) {
                answer.append(readUntil(socket, end));
            }
            return answer.toString();
        }
    }

    private static Socket send(TestFront front, String request) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), front.port());
        socket.setSoTimeout(20_000);
        write(socket, request);
        return socket;
    }

    private static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.replace("\n", "\r\n").getBytes(ISO_8859_1));
    }

    private static String readUntil(Socket socket, String end) throws IOException {
        var read = new StringBuilder();
        while (read.length() < end.length() || read.indexOf(end, read.length() - end.length()) < 0) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                throw new IOException("the connection ended after: " + read);
            }
            read.append((char) next);
        }
        return read.toString();
    }
}
