// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static io.sallyport.app.hostile.Http2Connection.CONTINUATION;
import static io.sallyport.app.hostile.Http2Connection.DATA;
import static io.sallyport.app.hostile.Http2Connection.ENDED;
import static io.sallyport.app.hostile.Http2Connection.END_HEADERS;
import static io.sallyport.app.hostile.Http2Connection.END_STREAM;
import static io.sallyport.app.hostile.Http2Connection.HEADERS;
import static io.sallyport.app.hostile.Http2Connection.PING;
import static io.sallyport.app.hostile.Http2Connection.PRIORITY;
import static io.sallyport.app.hostile.Http2Connection.RST_STREAM;
import static io.sallyport.app.hostile.Http2Connection.SETTINGS;
import static io.sallyport.app.hostile.Http2Connection.WINDOW_UPDATE;
import static io.sallyport.app.hostile.Http2Connection.frame;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.internal.PlatformDependent;
import java.io.ByteArrayOutputStream;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.util.unit.DataSize;

/** Frames that cost more than they bring end their own connection, and neither memory nor anybody else's connection. */
class AFloodOfFramesEndsItsConnectionIT {
    private static final byte[] NOTHING = {};

    /** Several times what any of the floods may have. */
    private static final int MANY = 5_000;

    private static final int TAKEN_BACK = 20;

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    /**
     * Frames without end.
     *
     * @param frames the first of them, the second, and so on
     */
    record Flood(String name, IntFunction<byte[]> frames) {
        @Override
        public String toString() {
            return name;
        }
    }

    @ParameterizedTest(name = "{0}")
    @Rows({"ofHeads", "ofBodies", "ofResets", "ofQuestions"})
    void it_ends(Flood flood) throws Exception {
        try (var connection = Http2Connection.open(world)) {
            try {
                for (int i = 0; i < MANY; i++) {
                    connection.write(flood.frames().apply(i));
                    if (i % 1_000 == 0) {
                        world.requireOneNeighbourUnharmed(Way.DIRECT);
                    }
                }
            } catch (SocketException | SSLException e) {
                // It was ended under the flood.
            }
            assertThat(connection.outcomeOf(Integer.MAX_VALUE)).isEqualTo(ENDED);
        }
        world.requireNeighboursUnharmed(Way.DIRECT);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void a_request_that_is_taken_back_with_the_bytes_that_brought_it_never_reaches_the_upstream(Way way)
            throws Exception {
        try (var connection = Http2Connection.open(world)) {
            connection.send(HEADERS, END_HEADERS | END_STREAM, 1, get(way, world.target()));
            assertThat(connection.outcomeOf(1)).isEqualTo("200");

            int mark = world.upstream().mark();
            var takenBack = new HashSet<String>();
            var resets = new ByteArrayOutputStream();
            for (int stream = 3; stream < 100; stream += 2) {
                var target = world.target();
                takenBack.add(target);
                resets.writeBytes(frame(HEADERS, END_HEADERS | END_STREAM, stream, get(way, target)));
                resets.writeBytes(frame(RST_STREAM, 0, stream, new byte[] {0, 0, 0, 8}));
            }
            connection.write(resets.toByteArray());
            var last = world.target();
            connection.send(HEADERS, END_HEADERS | END_STREAM, 101, get(way, last));
            assertThat(connection.outcomeOf(101)).isEqualTo("200");

            // By their targets: on a busy machine a request of the flood before may arrive only now.
            assertThat(world.upstream().since(mark))
                    .extracting(RecordingUpstream.Message::target)
                    .contains(last)
                    .doesNotContainAnyElementsOf(takenBack);
        }
    }

    /** Rapid reset of those that have a token, or ask for what is public: a connection for each would be a handshake for each. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void a_request_that_is_taken_back_later_costs_its_upstream_no_connection(Way way) throws Exception {
        int before = world.upstream().connections();
        takeBack(way, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

        // Some, for a request may come before the answer to the one before has been read.
        assertThat(world.upstream().connections() - before).isLessThan(TAKEN_BACK / 2);
        world.requireNeighboursUnharmed(way);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void what_follows_the_answer_to_a_request_that_was_taken_back_is_nobodys(Way way) throws Exception {
        takeBack(
                way,
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled");

        world.requireNeighboursUnharmed(way);
    }

    /** Requests, one after the other, that are reset when the upstream has them, and answered then. */
    private static void takeBack(Way way, String answer) throws Exception {
        try (var connection = Http2Connection.open(world)) {
            for (int i = 0; i < TAKEN_BACK; i++) {
                int mark = world.upstream().mark();
                var target = world.target();
                var reset = new CountDownLatch(1);
                world.upstream().answer(target, new RecordingUpstream.Answer(answer, false, false, reset));
                connection.send(HEADERS, END_HEADERS | END_STREAM, 4 * i + 1, get(way, target));
                world.upstream().await(mark, RecordingUpstream.Message::isWhole);

                // Refused at once: what was sent before has been read by then.
                connection.send(RST_STREAM, 0, 4 * i + 1, new byte[] {0, 0, 0, 8});
                connection.send(HEADERS, END_HEADERS | END_STREAM, 4 * i + 3, get(way, "/%2e%2e/"));
                assertThat(connection.outcomeOf(4 * i + 3)).isEqualTo("400");
                reset.countDown();
            }
        }
    }

    /** CVE-2019-9517: answers that the client does not let out do not pile up; the upstream has to wait for it. */
    @Test
    void windows_that_stay_shut_hold_little_memory() throws Exception {
        int streams = 10;
        var large = "x".repeat(8_000_000);
        long before = PlatformDependent.usedDirectMemory();
        try (var connection = Http2Connection.open(world, new byte[] {0, 4, 0, 0, 0, 0})) {
            for (int i = 0; i < streams; i++) {
                var target = world.target();
                world.upstream()
                        .answer(
                                target,
                                new RecordingUpstream.Answer(
                                        "HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + large, false, false));
                connection.send(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, get(target));
            }
            // The heads come, their bodies may not.
            connection.readHeads(streams);
            world.requireNeighboursUnharmed(Way.DIRECT);

            var held = DataSize.ofBytes(PlatformDependent.usedDirectMemory() - before);
            assertThat(held.toMegabytes()).isLessThan(40);
        }
    }

    private static byte[] get(String target) {
        return get(Way.DIRECT, target);
    }

    private static byte[] get(Way way, String target) {
        return Http2Connection.block(":method", "GET", ":scheme", "https", ":authority", way.host(), ":path", target);
    }

    private static byte[] post() {
        return Http2Connection.block(
                ":method", "POST", ":scheme", "https", ":authority", Way.DIRECT.host(), ":path", "/attack/flood");
    }

    private static byte[] all(byte[]... frames) {
        var all = new ByteArrayOutputStream();
        for (var frame : frames) {
            all.writeBytes(frame);
        }
        return all.toByteArray();
    }

    /** A first frame, and then the same again and again. */
    private static IntFunction<byte[]> after(byte[] first, byte[] then) {
        return i -> i == 0 ? first : then;
    }

    /** The header block of a request that does not end. */
    static Stream<Flood> ofHeads() {
        var head = frame(HEADERS, 0, 1, post());
        return Stream.of(
                new Flood(
                        "CONTINUATION, CVE-2024-27316",
                        after(head, frame(CONTINUATION, 0, 1, Http2Connection.block("x", "y".repeat(500))))),
                new Flood(
                        "large CONTINUATION",
                        after(head, frame(CONTINUATION, 0, 1, Http2Connection.block("x", "y".repeat(16_000))))),
                new Flood("empty CONTINUATION, CVE-2019-9518", after(head, frame(CONTINUATION, 0, 1, NOTHING))),
                new Flood(
                        "empty CONTINUATION after an empty HEADERS",
                        after(frame(HEADERS, 0, 1, NOTHING), frame(CONTINUATION, 0, 1, NOTHING))),
                // One byte of a block each: a field from the table of RFC 7541, which is 64 bytes or so in memory.
                new Flood(
                        "HPACK bomb",
                        i -> frame(
                                i == 0 ? HEADERS : CONTINUATION,
                                0,
                                1,
                                "\u0090".repeat(16_000).getBytes(StandardCharsets.ISO_8859_1))));
    }

    static Stream<Flood> ofBodies() {
        var head = frame(HEADERS, END_HEADERS, 1, post());
        return Stream.of(
                new Flood("empty DATA, CVE-2019-9518", after(head, frame(DATA, 0, 1, NOTHING))),
                // Padding only: 0x8 is PADDED, and the first byte its length.
                new Flood("padded empty DATA", after(head, frame(DATA, 0x8, 1, new byte[] {
                    10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
                }))));
    }

    static Stream<Flood> ofResets() {
        return Stream.of(
                new Flood(
                        "rapid reset, CVE-2023-44487",
                        i -> all(
                                frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, post()),
                                frame(RST_STREAM, 0, 2 * i + 1, new byte[] {0, 0, 0, 8}))),
                // CVE-2025-8671: what makes the server reset the stream itself.
                new Flood(
                        "MadeYouReset by a window opened by nothing",
                        i -> all(
                                frame(HEADERS, END_HEADERS, 2 * i + 1, post()),
                                frame(WINDOW_UPDATE, 0, 2 * i + 1, new byte[4]))),
                new Flood(
                        "MadeYouReset by a window opened too far",
                        i -> all(
                                frame(HEADERS, END_HEADERS, 2 * i + 1, post()),
                                frame(WINDOW_UPDATE, 0, 2 * i + 1, new byte[] {0x7f, -1, -1, -1}))),
                new Flood(
                        "MadeYouReset by a PRIORITY of the wrong length",
                        i -> all(
                                frame(HEADERS, END_HEADERS, 2 * i + 1, post()),
                                frame(PRIORITY, 0, 2 * i + 1, new byte[4]))),
                new Flood(
                        "MadeYouReset by a second head",
                        i -> all(
                                frame(HEADERS, END_HEADERS, 2 * i + 1, post()),
                                frame(HEADERS, END_HEADERS, 2 * i + 1, post()))),
                new Flood(
                        "MadeYouReset by a malformed head",
                        i -> frame(HEADERS, END_HEADERS, 2 * i + 1, Http2Connection.block("X", "y"))));
    }

    /** What is to be answered, or only to be read. */
    static Stream<Flood> ofQuestions() {
        return Stream.of(
                new Flood("PING, CVE-2019-9512", _ -> frame(PING, 0, 0, new byte[8])),
                new Flood("PING that is an answer", _ -> frame(PING, 1, 0, new byte[8])),
                new Flood("empty SETTINGS, CVE-2019-9515", _ -> frame(SETTINGS, 0, 0, NOTHING)),
                new Flood("SETTINGS of windows", _ -> frame(SETTINGS, 0, 0, new byte[] {0, 4, 0, 0, 1, 0})),
                new Flood("SETTINGS of tables", i -> frame(SETTINGS, 0, 0, new byte[] {0, 1, 0, 0, (byte) (i % 2), 0})),
                new Flood("PRIORITY, CVE-2019-9513", i -> frame(PRIORITY, 0, 2 * i + 1, new byte[] {0, 0, 0, 0, 1})),
                new Flood("WINDOW_UPDATE by a byte", _ -> frame(WINDOW_UPDATE, 0, 0, new byte[] {0, 0, 0, 1})),
                new Flood("frames that nobody knows", _ -> frame(0x2a, 0, 0, NOTHING)),
                new Flood(
                        "resets of a stream that has ended",
                        i -> i == 0
                                ? all(
                                        frame(HEADERS, END_HEADERS | END_STREAM, 1, post()),
                                        frame(RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8}))
                                : frame(RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8})));
    }
}
