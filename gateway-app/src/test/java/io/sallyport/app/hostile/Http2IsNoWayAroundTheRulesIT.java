// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static io.sallyport.app.hostile.Http2Connection.DATA;
import static io.sallyport.app.hostile.Http2Connection.ENDED;
import static io.sallyport.app.hostile.Http2Connection.END_HEADERS;
import static io.sallyport.app.hostile.Http2Connection.END_STREAM;
import static io.sallyport.app.hostile.Http2Connection.HEADERS;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Upstreams speak HTTP/1.1, so what HTTP/2 can carry and HTTP/1.1 cannot is refused before it is written down as such, and a body
 * that is not as long as it was said to be never arrives as a complete one: after "HTTP/2: The Sequel is Always Worse", James
 * Kettle (2021).
 */
@ParameterizedClass
@EnumSource(Way.class)
class Http2IsNoWayAroundTheRulesIT {
    private static final String SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final List<String> GOOD =
            List.of(":method", "GET", ":scheme", "https", ":authority", "{host}", ":path", "{target}");

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    /** Header fields, names and values in turn. */
    record Head(String name, List<String> fields) {
        @Override
        public String toString() {
            return Attack.printable(name);
        }
    }

    @AfterEach
    void neighbours_are_unharmed() throws Exception {
        world.requireOneNeighbourUnharmed(way);
    }

    @ParameterizedTest(name = "{0}")
    @Rows({"pseudoHeaders", "paths", "methods", "authorities", "values", "names", "connectionFields", "lengths"})
    void a_head_that_cannot_be_written_down_is_refused(Head head) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = Http2Connection.open(world)) {
            connection.send(HEADERS, END_HEADERS, 1, block(head.fields())).send(DATA, END_STREAM, 1, latin1(SMUGGLED));
            requireRefused(connection.outcomeOf(1));
        }

        requireNothingComplete(mark);
    }

    @ParameterizedTest(name = "{0}")
    @Rows({"pseudoHeaders", "connectionFields"})
    void a_head_without_a_body_is_refused_as_well(Head head) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = Http2Connection.open(world)) {
            connection.send(HEADERS, END_HEADERS | END_STREAM, 1, block(head.fields()));
            requireRefused(connection.outcomeOf(1));
        }

        requireNothingComplete(mark);
    }

    /** Even if it was as long as it was said to be for a while. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 6, 1_000})
    void a_body_of_another_length_than_said_is_never_complete(int said) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = Http2Connection.open(world)) {
            connection.send(
                    HEADERS,
                    END_HEADERS,
                    1,
                    block(with("", "content-length", "" + said).fields()));
            for (var piece : List.of("h", "ell", "o")) {
                connection.send(DATA, 0, 1, latin1(piece));
            }
            connection.send(DATA, END_STREAM, 1, new byte[0]);
            assertThat(connection.outcomeOf(1)).isEqualTo("reset 1");
        }

        requireNothingComplete(mark);
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", ""})
    void a_body_whose_stream_is_reset_is_never_complete(String said) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = Http2Connection.open(world)) {
            var head = said.isEmpty() ? with("") : with("", "content-length", said);
            connection.send(HEADERS, END_HEADERS, 1, block(head.fields())).send(DATA, 0, 1, latin1("hello"));
            world.upstream().await(mark, message -> !message.target().isEmpty());
            connection.send(Http2Connection.RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
            world.upstream().await(mark, RecordingUpstream.Message::hasEnded);
        }

        requireNothingComplete(mark);
    }

    @ParameterizedTest(name = "{0}")
    @Rows("trailers")
    void a_body_with_malformed_trailers_is_never_complete(Head trailers) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = Http2Connection.open(world)) {
            connection
                    .send(HEADERS, END_HEADERS, 1, block(with("").fields()))
                    .send(DATA, 0, 1, latin1("hello"))
                    .send(HEADERS, END_HEADERS | END_STREAM, 1, block(trailers.fields()));
            requireRefused(connection.outcomeOf(1));
        }

        requireNothingComplete(mark);
    }

    @Test
    void a_second_head_without_an_end_is_no_trailers() throws Exception {
        int mark = world.upstream().mark();
        try (var connection = Http2Connection.open(world)) {
            connection
                    .send(HEADERS, END_HEADERS, 1, block(with("").fields()))
                    .send(HEADERS, END_HEADERS, 1, block(GOOD))
                    .send(DATA, END_STREAM, 1, latin1("hello"));
            requireRefused(connection.outcomeOf(1));
        }

        requireNothingComplete(mark);
    }

    /** RFC 9110 section 8.6, RFC 9113 sections 8.1, 8.2.3 and 8.3.1. */
    @ParameterizedTest(name = "{0}")
    @Rows("unusual")
    void what_is_allowed_is_one_request(Head head) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = Http2Connection.open(world)) {
            connection
                    .send(HEADERS, END_HEADERS, 1, block(head.fields()))
                    .send(DATA, 0, 1, latin1("hell"))
                    .send(DATA, 0, 1, latin1("o"))
                    .send(HEADERS, END_HEADERS | END_STREAM, 1, Http2Connection.block("x-trailer", "y"));
            assertThat(connection.outcomeOf(1)).isEqualTo("200");
        }

        var received = world.upstream().since(mark);
        assertThat(received).hasSize(1).allMatch(RecordingUpstream.Message::isWhole);
        assertThat(received.getFirst().content()).isEqualTo("hello");
        assertThat(received.getFirst().bytes()).doesNotContainIgnoringCase("x-trailer");
        assertThat(received.getFirst().head().split("(?i)content-length|transfer-encoding", -1))
                .as("one framing")
                .hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", ""})
    void an_empty_body_is_complete_when_its_stream_ends(String said) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = Http2Connection.open(world)) {
            var head = said.isEmpty() ? with("") : with("", "content-length", said);
            connection.send(HEADERS, END_HEADERS, 1, block(head.fields())).send(DATA, END_STREAM, 1, new byte[0]);
            assertThat(connection.outcomeOf(1)).isEqualTo("200");
        }

        assertThat(world.upstream().since(mark)).hasSize(1).allMatch(RecordingUpstream.Message::isWhole);
    }

    /** The circuit of an upstream opens for its failures: {@link HostileWorld} gives these routes a breaker that is soon open. */
    @Test
    void a_clients_broken_bodies_do_not_count_against_the_upstream() throws Exception {
        for (int i = 0; i < 20; i++) {
            try (var connection = Http2Connection.open(world)) {
                connection
                        .send(HEADERS, END_HEADERS, 1, block(to("/guarded", "content-length", "1000")))
                        .send(DATA, END_STREAM, 1, latin1("hello"));
                assertThat(connection.outcomeOf(1)).isEqualTo("reset 1");
            }
        }

        try (var connection = Http2Connection.open(world)) {
            connection
                    .send(HEADERS, END_HEADERS, 1, block(to("/guarded", "content-length", "5")))
                    .send(DATA, END_STREAM, 1, latin1("hello"));
            assertThat(connection.outcomeOf(1)).isEqualTo("200");
        }
    }

    private static void requireRefused(String outcome) {
        assertThat(outcome).matches("4(00|01|05|13|14|31)|reset [1-9]+|" + ENDED);
    }

    private static void requireNothingComplete(int mark) throws Exception {
        for (var message : world.upstream().since(mark)) {
            world.upstream().await(mark, RecordingUpstream.Message::hasEnded);
            assertThat(message.isWhole()).as(message.toString()).isFalse();
            assertThat(message.isNonsense()).as(message.toString()).isFalse();
        }
    }

    private static byte[] latin1(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private byte[] block(List<String> fields) {
        return Http2Connection.block(fields.stream()
                .map(text -> text.replace("{host}", way.host()).replace("{target}", "/attack/h2"))
                .toArray(String[]::new));
    }

    private static Head only(String name, String... fields) {
        return new Head(name, List.of(fields));
    }

    private static Head with(String name, String... more) {
        var fields = new ArrayList<>(GOOD);
        fields.set(1, "POST");
        fields.addAll(List.of(more));
        return new Head(name, fields);
    }

    private static List<String> to(String path, String... more) {
        var fields = new ArrayList<>(with("", more).fields());
        fields.set(7, path);
        return fields;
    }

    /** RFC 9113 section 8.3. */
    static Stream<Head> pseudoHeaders() {
        return Stream.of(
                only("no method", ":scheme", "https", ":authority", "{host}", ":path", "{target}"),
                only("no scheme", ":method", "GET", ":authority", "{host}", ":path", "{target}"),
                only("no path", ":method", "GET", ":scheme", "https", ":authority", "{host}"),
                only("no authority", ":method", "GET", ":scheme", "https", ":path", "{target}"),
                only("nothing"),
                only("another scheme", ":method", "GET", ":scheme", "ftp", ":authority", "{host}", ":path", "{target}"),
                only(
                        "a scheme that is a URL",
                        ":method",
                        "GET",
                        ":scheme",
                        "https://evil.test/?",
                        ":authority",
                        "{host}",
                        ":path",
                        "{target}"),
                with("two methods", ":method", "GET"),
                with("two paths", ":path", "/smuggled"),
                with("two schemes", ":scheme", "https"),
                with("two authorities", ":authority", "evil.test"),
                with("a status", ":status", "200"),
                with("a protocol", ":protocol", "websocket"),
                with("an unknown one", ":evil", "x"),
                with("one without a name", ":", "x"),
                with("a Host that differs", "host", "evil.test"),
                with("a Host that is empty", "host", ""),
                with("two Hosts", "host", "{host}", "host", "{host}"),
                only(
                        "two Hosts alone",
                        ":method",
                        "GET",
                        ":scheme",
                        "https",
                        ":path",
                        "{target}",
                        "host",
                        "{host}",
                        "host",
                        "{host}"),
                only(
                        "one after a field",
                        ":method",
                        "POST",
                        ":scheme",
                        "https",
                        ":authority",
                        "{host}",
                        "x",
                        "y",
                        ":path",
                        "{target}"),
                only("CONNECT", ":method", "CONNECT", ":authority", "{host}"),
                only(
                        "CONNECT with a path",
                        ":method",
                        "CONNECT",
                        ":scheme",
                        "https",
                        ":authority",
                        "{host}",
                        ":path",
                        "{target}"),
                only(
                        "CONNECT with a protocol",
                        ":method",
                        "CONNECT",
                        ":protocol",
                        "websocket",
                        ":scheme",
                        "https",
                        ":authority",
                        "{host}",
                        ":path",
                        "{target}"));
    }

    static Stream<Head> paths() {
        return Stream.of(
                        "",
                        "*",
                        "attack",
                        "http://evil.test/",
                        "https://{host}/attack",
                        "//evil.test/",
                        "/a b",
                        "/a\r\nX: y",
                        "/a HTTP/1.1\r\nX: y\r\n\r\n",
                        "/\u0000",
                        "/\n",
                        "/a\t",
                        "/\u00e9",
                        "/a#b",
                        "/../secret/x",
                        "/%2e%2e/secret/x",
                        "/a\\b",
                        " /a",
                        "/a ")
                .map(path -> only(
                        ":path " + path, ":method", "POST", ":scheme", "https", ":authority", "{host}", ":path", path));
    }

    static Stream<Head> methods() {
        return Stream.of(
                        "",
                        "GET /smuggled HTTP/1.1\r\nX:",
                        "GE T",
                        "GET\r\n",
                        "GET\u0000",
                        "GET\t",
                        "G\u00c9T",
                        "GET:",
                        " GET",
                        "get",
                        "TRACE",
                        "PRI")
                .map(method -> only(
                        ":method " + method,
                        ":method",
                        method,
                        ":scheme",
                        "https",
                        ":authority",
                        "{host}",
                        ":path",
                        "{target}"));
    }

    static Stream<Head> authorities() {
        return Stream.of(
                        "",
                        "{host}\r\nX: y",
                        "{host} x",
                        "a@{host}",
                        "{host}/x",
                        "{host}\u0000",
                        "{host},evil.test",
                        "{host}:99999",
                        "{host}:",
                        "{host}:80:80",
                        "{host}.",
                        "{host}\\")
                .map(authority -> only(
                        ":authority " + authority,
                        ":method",
                        "POST",
                        ":scheme",
                        "https",
                        ":authority",
                        authority,
                        ":path",
                        "{target}"));
    }

    /** RFC 9113 section 8.2.1. */
    static Stream<Head> values() {
        return Stream.of(
                        "y\r\nX: z",
                        "y\rz",
                        "y\nz",
                        "\u0000",
                        "y\u0000z",
                        "\r\n\r\n" + SMUGGLED,
                        "y\r\n",
                        "\ny",
                        " y",
                        "\ty",
                        "y ",
                        "y\t",
                        " ",
                        "y\u0001",
                        "y\u007f",
                        "y\u000b",
                        "y\r\nTransfer-Encoding: chunked",
                        "y\r\n Content-Length: 0")
                .map(value -> with("a value " + value, "x", value));
    }

    /** RFC 9113 section 8.2.1. */
    static Stream<Head> names() {
        return Stream.of(
                        "",
                        "X",
                        "xY",
                        "CONTENT-LENGTH",
                        "Transfer-Encoding",
                        "x y",
                        "x:y",
                        "x\r\ny",
                        "x\u0000",
                        "x\n",
                        "x: y\r\nz",
                        "transfer-encoding ",
                        " te",
                        "transfer-encoding:",
                        "x\u00e9",
                        "x_y",
                        "x.y",
                        "(x)",
                        "x\t",
                        "content-length\u0000",
                        "foo: bar\r\ntransfer-encoding",
                        "x\u007f")
                .map(name -> with("a name " + name, name, "chunked"));
    }

    /** RFC 9113 section 8.2.2. */
    static Stream<Head> connectionFields() {
        return Stream.of(
                        "transfer-encoding: chunked",
                        "transfer-encoding: identity",
                        "transfer-encoding: ",
                        "connection: close",
                        "connection: keep-alive",
                        "connection: x-forwarded-for",
                        "connection: authorization",
                        "keep-alive: timeout=5",
                        "proxy-connection: keep-alive",
                        "upgrade: h2c",
                        "upgrade: websocket",
                        "te: gzip",
                        "te: chunked",
                        "te: trailers, gzip",
                        "expect: 200-ok")
                .map(field ->
                        with(field, field.substring(0, field.indexOf(':')), field.substring(field.indexOf(':') + 2)));
    }

    /** RFC 9113 section 8.1.1: the body of these is 35 bytes long. */
    static Stream<Head> lengths() {
        return Stream.concat(
                Stream.of(
                                "0",
                                "1",
                                "34",
                                "36",
                                "1000000",
                                "+35",
                                "-35",
                                "35,0",
                                "0,35",
                                "35 35",
                                "35 ",
                                " 35",
                                "0x23",
                                "35.0",
                                "",
                                "x",
                                "18446744073709551653",
                                "9999999999999999999999")
                        .map(length -> with("content-length: " + length, "content-length", length)),
                Stream.of(
                        with("two lengths", "content-length", "35", "content-length", "0"),
                        with("a length and a coding", "content-length", "35", "transfer-encoding", "chunked")));
    }

    static Stream<Head> trailers() {
        return Stream.of(
                only("a path", ":path", "/smuggled"),
                only("a method", ":method", "GET"),
                only("a status", ":status", "200"),
                only("an unknown pseudo-header field", ":evil", "x"),
                only("a pseudo-header field after a field", "x", "y", ":path", "/smuggled"),
                only("an upper-case name", "X", "y"),
                only("a coding", "transfer-encoding", "chunked"),
                only("a connection", "connection", "close"),
                only("CR LF in a name", "x\r\ny", "z"));
    }

    static Stream<Head> unusual() {
        return Stream.of(
                with("no length"),
                with("a length", "content-length", "5"),
                // The codec makes one of them, as RFC 9110 section 8.6 allows, and holds the body to it.
                with("a length said twice in one field", "content-length", "5,5"),
                with("a length said twice", "content-length", "5", "content-length", "5"),
                with("a Host that says the same", "host", "{host}"),
                with("te: trailers", "te", "trailers"),
                with("two cookies", "cookie", "a=b", "cookie", "c=d"));
    }
}
