// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.sallyport.decision.Reason;
import io.sallyport.edge.HeadLimits;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which bytes are read, which are refused and why, wherever they are cut. */
class FramingMachineTest {
    private static final HeadLimits LIMITS = new HeadLimits(64, 256, 6);
    private static final String HEAD = "POST /a HTTP/1.1\r\nHost: a\r\n";
    private static final String CHUNKED = HEAD + "Transfer-Encoding: chunked\r\n\r\n";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET / HTTP/1.0\r\n\r\n",
                "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET http://a/b?c=d HTTP/1.1\r\nHost: a\r\n\r\n",
                "M-SEARCH!# /|^{} HTTP/1.1\r\nHost: a\r\n\r\n",
                "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
                HEAD + "\r\n\r\n" + HEAD + "\r\n",
                HEAD + "Content-Length: 0\r\n\r\n" + HEAD + "\r\n",
                HEAD + "Content-Length:5\r\n\r\nhello" + HEAD + "\r\n",
                HEAD + "content-LENGTH: \t 5 \t \r\n\r\n\r\n\0\r\r" + HEAD + "\r\n",
                HEAD + "Transfer-Encoding:Chunked \r\n\r\n0\r\n\r\n" + HEAD + "\r\n",
                CHUNKED + "5\r\nhello\r\n0\r\n\r\n" + HEAD + "\r\n",
                CHUNKED + "00a\r\n0123456789\r\n00000000\r\n\r\n" + HEAD + "\r\n",
                CHUNKED + "A;a;b=c;d=\"e \\\" f\";g=\"\"\r\n\r\n\r\n\r\n\r\n\r\n\r\n0;x=y\r\n\r\n" + HEAD + "\r\n",
                CHUNKED + "0\r\nChecksum: abc\r\nOther:\r\n\r\n" + HEAD + "\r\n",
                HEAD + "X:\r\nY: \t\r\nZ: a\tb \u00e9\u0080\u00ff\r\n\r\n",
                "GET / HTTP/1.1\r\nHost:\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: api.example.org:8443 \r\n\r\n",
                "GET / HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            })
    void whole_requests_are_read_to_their_last_byte(String bytes) {
        everyCut(bytes, (machine, reason) -> {
            assertThat(reason).isNull();
            assertThat(machine.isInBody()).isFalse();
        });

        var machine = new FramingMachine(LIMITS);
        machine.feed(buffer(bytes));
        assertThat(machine.completeBytes()).isEqualTo(bytes.length());
    }

    @ParameterizedTest
    @MethodSource
    void bytes_with_two_readings_are_refused_wherever_they_are_cut(String bytes, Reason expected) {
        everyCut(bytes, (_, reason) -> assertThat(reason).isEqualTo(expected));
    }

    static Stream<Arguments> bytes_with_two_readings_are_refused_wherever_they_are_cut() {
        return Stream.of(requestLines(), fields(), framing(), hosts(), chunks(), trailers())
                .flatMap(cases -> cases);
    }

    private static Stream<Arguments> requestLines() {
        return Stream.of(
                        "GET /\r\n\r\n",
                        "GET / HTTP/0.9\r\n\r\n",
                        "GET / HTTP/1.2\r\n\r\n",
                        "GET / HTTP/2.0\r\n\r\n",
                        "GET / http/1.1\r\n\r\n",
                        "GET / HTTP/1.11\r\n\r\n",
                        "GET / HTTP/11\r\n\r\n",
                        "GET / \r\n\r\n",
                        "GET  / HTTP/1.1\r\n\r\n",
                        "GET /  HTTP/1.1\r\n\r\n",
                        "GET / HTTP/1.1 \r\n\r\n",
                        "GET\t/ HTTP/1.1\r\n\r\n",
                        "GET / HTTP/1.1\n\r\n",
                        "GET / HTTP/1.1\rX",
                        "GET /\u000b HTTP/1.1\r\n\r\n",
                        "GET /\0 HTTP/1.1\r\n\r\n",
                        "GET /\u007f HTTP/1.1\r\n\r\n",
                        "GET /\u00e9 HTTP/1.1\r\n\r\n",
                        "GET /a b HTTP/1.1\r\n\r\n",
                        " GET / HTTP/1.1\r\n\r\n",
                        "G@T / HTTP/1.1\r\n\r\n",
                        "/ HTTP/1.1\r\n\r\n",
                        "A23456789B123456789C123456789D123 / HTTP/1.1\r\n\r\n",
                        "\n\nGET / HTTP/1.1\r\n\r\n",
                        "\nGET / HTTP/1.1\r\n\r\n",
                        "\rGET / HTTP/1.1\r\n\r\n",
                        "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
                        HEAD + "\r\n\r\n\r\n" + HEAD + "\r\n",
                        "\u0016\u0003\u0001\u0002\0\u0001\0",
                        // The preface of HTTP/2 (RFC 9113 section 3.4), first and after a request to upgrade.
                        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                        HEAD
                                + "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                        // What follows a body that was longer than it said.
                        HEAD + "Content-Length: 3\r\n\r\nhello\r\n\r\n",
                        CHUNKED + "0\r\n\r\n0\r\n\r\n")
                .map(bytes -> arguments(bytes, Reason.EDGE_REQUEST_LINE_MALFORMED));
    }

    private static Stream<Arguments> fields() {
        return Stream.of(
                        HEAD + "X : a\r\n\r\n",
                        HEAD + "X\t: a\r\n\r\n",
                        HEAD + " X: a\r\n\r\n",
                        HEAD + ": a\r\n\r\n",
                        HEAD + "X\r\n\r\n",
                        HEAD + "X: a\r\n b\r\n\r\n",
                        HEAD + "X: a\r\n\tb\r\n\r\n",
                        HEAD + "X: a\r\n \r\n\r\n",
                        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
                        HEAD + "X: a\n\r\n",
                        HEAD + "X: a\r\n\n",
                        HEAD + "X: a\r\n\rX",
                        HEAD + "X: a\rb\r\n\r\n",
                        HEAD + "X: a\r\r\n\r\n",
                        HEAD + "X: a\0b\r\n\r\n",
                        HEAD + "X: a\u000bb\r\n\r\n",
                        HEAD + "X: a\u001bb\r\n\r\n",
                        HEAD + "X: a\u007fb\r\n\r\n",
                        HEAD + "X\0: a\r\n\r\n",
                        HEAD + "X\u00e9: a\r\n\r\n",
                        HEAD + "(X): a\r\n\r\n",
                        HEAD + "Content-Length : 5\r\n\r\nhello",
                        HEAD + "Transfer-Encoding: chunked\n\r\n0\r\n\r\n",
                        HEAD + "Transfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n")
                .map(bytes -> arguments(bytes, Reason.EDGE_HEADER_MALFORMED));
    }

    /** CL.TE, TE.CL and TE.TE, after PortSwigger's "HTTP desync attacks" (2019), and lengths that readers round. */
    private static Stream<Arguments> framing() {
        return Stream.of(
                        "Content-Length: 5\r\nTransfer-Encoding: chunked",
                        "Transfer-Encoding: chunked\r\nContent-Length: 5",
                        "Transfer-Encoding: chunked\r\nContent-Length: 0",
                        "Content-Length: 5\r\nContent-Length: 5",
                        "Content-Length: 5\r\nX: y\r\ncontent-length: 6",
                        "Content-Length: 5, 5",
                        "Content-Length: 5,",
                        "Content-Length: +5",
                        "Content-Length: -5",
                        "Content-Length: 05",
                        "Content-Length: 00",
                        "Content-Length: 0x5",
                        "Content-Length: 5.0",
                        "Content-Length: 1e1",
                        "Content-Length: 5 5",
                        "Content-Length: 1_0",
                        "Content-Length: \"5\"",
                        "Content-Length:",
                        "Content-Length: \t",
                        "Content-Length: 1234567890123456789",
                        "Content-Length: 18446744073709551621",
                        "Content-Length: \u00b2",
                        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
                        "Transfer-Encoding: identity",
                        "Transfer-Encoding: gzip, chunked",
                        "Transfer-Encoding: chunked, chunked",
                        "Transfer-Encoding: chunked, identity",
                        "Transfer-Encoding: chunked,",
                        "Transfer-Encoding: ,chunked",
                        "Transfer-Encoding: chunked;q=1",
                        "Transfer-Encoding: \"chunked\"",
                        "Transfer-Encoding: xchunked",
                        "Transfer-Encoding: chunke",
                        "Transfer-Encoding: chunkedd",
                        "Transfer-Encoding: chu nked",
                        "Transfer-Encoding: chunked\u00a0",
                        "Transfer-Encoding: c\u00e8unked",
                        "Transfer-Encoding:",
                        // Netty reads 8 bytes of body after these two.
                        "Sec-WebSocket-Key1: a\r\nSec-WebSocket-Key2: b",
                        "sec-websocket-key2: b")
                .map(fields -> arguments(HEAD + fields + "\r\n\r\n", Reason.EDGE_FRAMING_AMBIGUOUS));
    }

    private static Stream<Arguments> hosts() {
        return Stream.concat(
                Stream.of(
                        arguments("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Reason.EDGE_HOST_AMBIGUOUS),
                        arguments("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: b\r\n\r\n", Reason.EDGE_HOST_AMBIGUOUS),
                        arguments(
                                "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                                Reason.EDGE_FRAMING_AMBIGUOUS)),
                Stream.of(
                                "a b",
                                "a:",
                                "a:b",
                                "a:80b",
                                "a:-1",
                                "a:+80",
                                "a:123456",
                                "a,b",
                                "u@a",
                                "a/b",
                                "[::1",
                                "[::1]x",
                                "[::1]:",
                                "::1",
                                "a:80:80",
                                "\u00e9")
                        .map(host ->
                                arguments("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", Reason.EDGE_HOST_MALFORMED)));
    }

    /** The hex and line-end games of "HTTP desync attacks" and of "Funky chunks" (2025). */
    private static Stream<Arguments> chunks() {
        return Stream.of(
                        "\r\n",
                        "5\nhello\r\n0\r\n\r\n",
                        "5\r\nhello\n0\r\n\r\n",
                        "5\r\nhello0\r\n\r\n",
                        "5\r\nhello\rX",
                        "5\r\nhelloo\r\n0\r\n\r\n",
                        "5\rX",
                        "0x5\r\nhello\r\n0\r\n\r\n",
                        "+5\r\nhello\r\n0\r\n\r\n",
                        "-5\r\nhello\r\n0\r\n\r\n",
                        " 5\r\nhello\r\n0\r\n\r\n",
                        "5 \r\nhello\r\n0\r\n\r\n",
                        "5\t\r\nhello\r\n0\r\n\r\n",
                        "g\r\n",
                        "\u00b2\r\n",
                        "80000000\r\n",
                        "ffffffff\r\n",
                        "100000005\r\nhello\r\n0\r\n\r\n",
                        "000000005\r\nhello\r\n0\r\n\r\n",
                        "fffffffffffffffff5\r\nhello\r\n0\r\n\r\n",
                        ";a=b\r\n",
                        "5;\r\nhello\r\n0\r\n\r\n",
                        "5; a=b\r\nhello\r\n0\r\n\r\n",
                        "5 ;a=b\r\nhello\r\n0\r\n\r\n",
                        "5;a=\r\nhello\r\n0\r\n\r\n",
                        "5;=b\r\nhello\r\n0\r\n\r\n",
                        "5;a==b\r\nhello\r\n0\r\n\r\n",
                        "5;a;;b\r\nhello\r\n0\r\n\r\n",
                        "5;a=b c\r\nhello\r\n0\r\n\r\n",
                        "5;a\nhello\r\n0\r\n\r\n",
                        "5;a\0\r\nhello\r\n0\r\n\r\n",
                        "5;a=\"b\r\nhello\r\n0\r\n\r\n",
                        "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n",
                        "5;a=\"b\\\r\nhello\r\n0\r\n\r\n",
                        "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
                        "5;a=\"\u00e9\"\r\nhello\r\n0\r\n\r\n",
                        "5;a\rhello",
                        "5;" + "a".repeat(256) + "\r\nhello\r\n0\r\n\r\n",
                        "0\n\r\n")
                .map(body -> arguments(CHUNKED + body, Reason.EDGE_BODY_MALFORMED));
    }

    private static Stream<Arguments> trailers() {
        return Stream.of(
                        "X : a\r\n\r\n",
                        " X: a\r\n\r\n",
                        "X: a\r\n b\r\n\r\n",
                        "X: a\nY: b\r\n\r\n",
                        "X: a\0\r\n\r\n",
                        "X\r\n\r\n",
                        "X: a\r\n\rX",
                        "X: a\r\n\n",
                        "\n",
                        "Content-Length: 5\r\n\r\n",
                        "Transfer-Encoding: chunked\r\n\r\n",
                        "Host: b\r\n\r\n",
                        "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n")
                .map(trailers -> arguments(CHUNKED + "0\r\n" + trailers, Reason.EDGE_BODY_MALFORMED));
    }

    @Test
    void a_request_line_may_be_as_long_as_the_limit_and_not_longer() {
        var longest = "GET /" + "a".repeat(64 - "GET / HTTP/1.1".length()) + " HTTP/1.1\r\nHost: a\r\n\r\n";

        everyCut(longest, (_, reason) -> assertThat(reason).isNull());
        everyCut(
                longest.replace(" HTTP", "a HTTP"),
                (_, reason) -> assertThat(reason).isEqualTo(Reason.EDGE_TARGET_TOO_LONG));
    }

    @Test
    void field_lines_may_be_as_long_as_the_limit_and_not_longer() {
        var head = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        var most = head + "x".repeat(256 - "Host: a\r\nX: \r\n\r\n".length()) + "\r\n\r\n";

        everyCut(most, (_, reason) -> assertThat(reason).isNull());
        everyCut(
                most.replace("X: ", "XX: "),
                (_, reason) -> assertThat(reason).isEqualTo(Reason.EDGE_HEADERS_TOO_LARGE));
    }

    @Test
    void there_may_be_as_many_field_lines_as_the_limit_and_not_more() {
        var most = "GET / HTTP/1.1\r\n" + "A: b\r\n".repeat(6);

        everyCut(most + "\r\n", (_, reason) -> assertThat(reason).isNull());
        everyCut(most + "A: b\r\n\r\n", (_, reason) -> assertThat(reason).isEqualTo(Reason.EDGE_HEADERS_TOO_LARGE));
    }

    @Test
    void trailers_count_with_the_head_and_each_message_counts_anew() {
        var most = CHUNKED + "0\r\n" + "A: b\r\n".repeat(4);

        everyCut(
                most + "\r\n" + most + "\r\n", (_, reason) -> assertThat(reason).isNull());
        everyCut(most + "A: b\r\n\r\n", (_, reason) -> assertThat(reason).isEqualTo(Reason.EDGE_HEADERS_TOO_LARGE));
        everyCut(
                CHUNKED + "0\r\nA: " + "b".repeat(256),
                (_, reason) -> assertThat(reason).isEqualTo(Reason.EDGE_HEADERS_TOO_LARGE));
    }

    @Test
    void extensions_that_data_does_not_pay_for_are_refused() {
        var machine = new FramingMachine(LIMITS);
        assertThat(machine.feed(buffer(CHUNKED))).isNull();
        var chunk = "1;" + "a".repeat(255) + "\r\nx\r\n";

        // The extension and the CR that ends it are one byte more than the chunk's data pays for.
        int paid = 16 * 1024 / 255;
        for (int i = 0; i < paid; i++) {
            assertThat(machine.feed(buffer(chunk))).as("chunk %d", i).isNull();
        }
        assertThat(machine.feed(buffer(chunk))).isEqualTo(Reason.EDGE_BODY_MALFORMED);
    }

    @Test
    void what_was_refused_once_stays_refused() {
        var machine = new FramingMachine(LIMITS);
        assertThat(machine.feed(buffer("GET / HTTP/1.2\r\n\r\n"))).isEqualTo(Reason.EDGE_REQUEST_LINE_MALFORMED);

        assertThat(machine.feed(buffer("GET / HTTP/1.1\r\nHost: a\r\n\r\n")))
                .isEqualTo(Reason.EDGE_REQUEST_LINE_MALFORMED);
    }

    @Test
    void the_whole_requests_before_the_refused_one_are_told() {
        var whole = HEAD + "Content-Length: 2\r\n\r\nhi" + CHUNKED + "1\r\na\r\n0\r\n\r\n";
        var machine = new FramingMachine(LIMITS);

        assertThat(machine.feed(buffer(whole + "GET / HTTP/1.1\n"))).isEqualTo(Reason.EDGE_REQUEST_LINE_MALFORMED);
        assertThat(machine.completeBytes()).isEqualTo(whole.length());
        assertThat(machine.bodyWasUnderWay()).isFalse();
    }

    @Test
    void a_body_is_under_way_once_its_head_was_fed_before() {
        var apart = new FramingMachine(LIMITS);
        assertThat(apart.feed(buffer(CHUNKED + "5\r\nhe"))).isNull();
        assertThat(apart.isInBody()).isTrue();
        assertThat(apart.feed(buffer("lloX"))).isEqualTo(Reason.EDGE_BODY_MALFORMED);
        assertThat(apart.bodyWasUnderWay()).isTrue();

        var together = new FramingMachine(LIMITS);
        assertThat(together.feed(buffer(CHUNKED + "5\r\nhelloX"))).isEqualTo(Reason.EDGE_BODY_MALFORMED);
        assertThat(together.bodyWasUnderWay()).isFalse();

        var next = new FramingMachine(LIMITS);
        assertThat(next.feed(buffer(HEAD + "Content-Length: 2\r\n\r\nh"))).isNull();
        assertThat(next.feed(buffer("iGET / HTTP/9"))).isEqualTo(Reason.EDGE_REQUEST_LINE_MALFORMED);
        assertThat(next.bodyWasUnderWay()).isFalse();
        assertThat(next.completeBytes()).isEqualTo(1);
    }

    @Test
    void a_body_of_the_greatest_length_is_followed() {
        var machine = new FramingMachine(LIMITS);

        assertThat(machine.feed(buffer(HEAD + "Content-Length: 999999999999999999\r\n\r\n")))
                .isNull();
        for (int i = 0; i < 10; i++) {
            assertThat(machine.feed(buffer("\n".repeat(1000)))).isNull();
        }
        assertThat(machine.isInBody()).isTrue();
    }

    @Test
    void reading_allocates_nothing() {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        var machine = new FramingMachine(LIMITS);
        var bytes = buffer(HEAD + "Content-Length: 2\r\n\r\nhi" + CHUNKED + "5;a=\"b\"\r\nhello\r\n0\r\nA: b\r\n\r\n");
        machine.feed(bytes);

        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 100; i++) {
            machine.feed(bytes);
        }

        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isZero();
    }

    private interface Check {
        void of(FramingMachine machine, @Nullable Reason reason);
    }

    /** In one piece, byte by byte, and in two pieces cut at every place. */
    private static void everyCut(String bytes, Check check) {
        check(check, bytes, new FramingMachine(LIMITS), bytes.length());
        check(check, bytes, new FramingMachine(LIMITS), 1);
        for (int cut = 1; cut < bytes.length(); cut++) {
            var machine = new FramingMachine(LIMITS);
            var first = machine.feed(buffer(bytes.substring(0, cut)));
            var reason = machine.feed(buffer(bytes.substring(cut)));
            assertThat(first).as("refused before the cut at %d, and after", cut).isIn(null, reason);
            check.of(machine, reason);
        }
    }

    private static void check(Check check, String bytes, FramingMachine machine, int piece) {
        Reason reason = null;
        for (int at = 0; at < bytes.length(); at += piece) {
            reason = machine.feed(buffer(bytes.substring(at, Math.min(at + piece, bytes.length()))));
        }
        check.of(machine, reason);
    }

    private static ByteBuf buffer(String bytes) {
        assertThat(bytes.chars()).as("only what is one byte").allMatch(c -> c <= 0xff);
        return Unpooled.wrappedBuffer(bytes.getBytes(StandardCharsets.ISO_8859_1));
    }
}
