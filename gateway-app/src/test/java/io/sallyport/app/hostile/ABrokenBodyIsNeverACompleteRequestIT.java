// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static io.sallyport.app.hostile.Attack.SMUGGLED;
import static io.sallyport.app.hostile.Attack.post;
import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.scenarios.RawConnection;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A body that breaks the grammar, or that ends before its end, may have begun to arrive at the upstream; it never arrives as a
 * complete request, and what follows it never arrives at all.
 */
@ParameterizedClass
@EnumSource(Way.class)
class ABrokenBodyIsNeverACompleteRequestIT {
    private static final String CHUNKED = post("Transfer-Encoding: chunked");
    private static final String FIRST_CHUNK = "5\r\nhello\r\n";

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    @ParameterizedTest(name = "{0}")
    @Rows({"sizes", "extensions", "data", "ends", "trailers"})
    void one_that_comes_with_its_head_is_refused(Attack attack) throws Exception {
        int mark = world.upstream().mark();
        String answer;
        try (var connection = world.connect()) {
            answer = connection
                    .write((CHUNKED + FIRST_CHUNK)
                                    .replace("{target}", world.target())
                                    .replace("{host}", way.host())
                            + attack.filledIn("/", way))
                    .readToEnd();
        }

        requireOneRefusalAtMost(answer);
        requireNothingComplete(mark);
    }

    @ParameterizedTest(name = "{0}")
    @Rows({"sizes", "extensions", "data", "ends", "trailers"})
    void one_that_is_under_way_is_broken_off(Attack attack) throws Exception {
        int mark = world.upstream().mark();
        String answer;
        try (var connection = begin(CHUNKED + FIRST_CHUNK, mark)) {
            answer = connection.write(attack.filledIn("/", way)).readToEnd();
        }

        requireOneRefusalAtMost(answer);
        requireNothingComplete(mark);
    }

    @ParameterizedTest(name = "{0}")
    @Rows("cuts")
    void one_that_ends_with_its_connection_is_broken_off(Attack attack) throws Exception {
        int mark = world.upstream().mark();
        begin(attack.text(), mark).close();

        requireNothingComplete(mark);
    }

    @ParameterizedTest(name = "{0}")
    @Rows("cuts")
    void one_whose_connection_is_reset_is_broken_off(Attack attack) throws Exception {
        int mark = world.upstream().mark();
        begin(attack.text(), mark).reset();

        requireNothingComplete(mark);
    }

    /** Sends these bytes and waits until the upstream has the head and five bytes of body. */
    private RawConnection begin(String text, int mark) throws Exception {
        var target = world.target();
        var connection = world.connect().write(new Attack("", text).filledIn(target, way));
        world.upstream()
                .await(
                        mark,
                        message -> message.target().equals(target)
                                && message.content().length() >= 5);
        return connection;
    }

    private static void requireOneRefusalAtMost(String answer) {
        // None, where the upstream's had begun; here it has not.
        assertThat(answer).matches("(?s)HTTP/1\\.1 4(00|31) .*");
        assertThat(answer.split("HTTP/1\\.1 ", -1)).as("one answer").hasSize(2);
    }

    private void requireNothingComplete(int mark) throws Exception {
        for (var message : world.upstream().since(mark)) {
            world.upstream().await(mark, RecordingUpstream.Message::hasEnded);
            assertThat(message.isWhole()).as(message.toString()).isFalse();
            assertThat(message.isNonsense()).as(message.toString()).isFalse();
        }
        world.requireOneNeighbourUnharmed(way);
        // What there was of the attack before may arrive late.
        assertThat(world.upstream().since(mark))
                .noneMatch(message -> message.bytes().contains("smuggled"))
                .extracting(RecordingUpstream.Message::target)
                .doesNotHaveDuplicates();
    }

    private static Attack row(String name, String rest) {
        return new Attack(name, rest + "\r\n0\r\n\r\n" + SMUGGLED);
    }

    /** RFC 9112 section 7.1. */
    static Stream<Attack> sizes() {
        return Stream.of(
                        "",
                        " ",
                        "\t",
                        " 5",
                        "\t5",
                        "5 ",
                        "5\t",
                        "5 \t",
                        "5\u000b",
                        "5\f",
                        "\u000b5",
                        "\u00005",
                        "5\u0000",
                        "5\u00a0",
                        "5\u0085",
                        "0x5",
                        "0X5",
                        "x5",
                        "5h",
                        "5H",
                        "5L",
                        "+5",
                        "-5",
                        "-1",
                        "-0",
                        "+0",
                        "5.",
                        "5.0",
                        "5,",
                        "5,5",
                        "5 5",
                        "5_0",
                        "'5'",
                        "\"5\"",
                        "(5)",
                        "g",
                        "G",
                        "5g",
                        "z",
                        "%35",
                        "\\x35",
                        "5\\",
                        "#5",
                        "$5",
                        "&5",
                        "5&",
                        "5=5",
                        "\u00b2",
                        "\u00d9\u00a5",
                        "\u00ef\u00bc\u0095",
                        "5\r",
                        "\r5",
                        "5\n",
                        "5\r ",
                        "5\n ",
                        "000000005",
                        "0000000000000005",
                        "80000000",
                        "ffffffff",
                        "FFFFFFFF",
                        "100000000",
                        "100000005",
                        "7fffffffffffffff",
                        "8000000000000000",
                        "ffffffffffffffff",
                        "fffffffffffffffb",
                        "10000000000000005",
                        "f".repeat(64),
                        "0".repeat(64) + "5",
                        "null",
                        "NaN",
                        "five",
                        ":",
                        "5:",
                        "5: x",
                        "HTTP/1.1 200 OK",
                        "GET /smuggled HTTP/1.1")
                .map(size -> row("size " + size, size + "\r\nhello"));
    }

    /** RFC 9112 section 7.1.1; TERM.EXT and EXT.TERM of "Funky chunks", Jeppe Bonde Weikop (2025). */
    static Stream<Attack> extensions() {
        return Stream.of(
                        "5;",
                        "5;;",
                        "5; ",
                        "5 ;a",
                        "5; a",
                        "5;a ",
                        "5;a =b",
                        "5;a= b",
                        "5;a=b ",
                        "5;a=",
                        "5;=b",
                        "5;=",
                        "5;a=b;",
                        "5;a b",
                        "5;a=b c",
                        "5;a\tb",
                        "5;a=\"b",
                        "5;a=\"b\"c",
                        "5;a=\"b\\",
                        "5;a=\"\\\u0000\"",
                        "5;a=\"b\u0000\"",
                        "5;a\u0000",
                        "5;\u0000",
                        "5;a=\u0001",
                        "5;a=\"\u0001\"",
                        "5;a=\"\u007f\"",
                        "5;a=\u00e9",
                        "5;\u00e9",
                        "5;a=\"\u00e9\"",
                        "5;a\n",
                        "5;\n",
                        "5;a\nb",
                        "5;a=\n",
                        "5;a=\"\n\"",
                        "5;a=\"\r\n\"",
                        "5;a=\"\r\"",
                        "5;a\r",
                        "5;\r",
                        "5;a\rb",
                        "5;a\r\r",
                        "5;a=b\n0\n\nGET /smuggled HTTP/1.1\nHost: x\n\n",
                        "5\nX;",
                        "5;\nXX\r\n5",
                        "5;a=(b)",
                        "5;a={b}",
                        "5;a=/",
                        "5;a=b/c",
                        "5;a,b",
                        "5;a=b,c",
                        "5,a=b",
                        "5:a=b",
                        "5;a=\"" + "b".repeat(300) + "\"",
                        "5;" + "a".repeat(300),
                        "5;a".repeat(200),
                        "5;a=b;c=\"d",
                        "5;\"a\"=b",
                        "5;a==b",
                        "5;[a]",
                        "5;@",
                        "5;a?")
                .map(size -> row("extension " + size, size + "\r\nhello"));
    }

    /** Chunks that are not as long as they say. */
    static Stream<Attack> data() {
        return Stream.of(
                row("a byte too many", "5\r\nhello!"),
                row("many bytes too many", "1\r\nhello"),
                row("a byte too few", "6\r\nhello"),
                row("three bytes too few", "8\r\nhello\r\n"),
                row("no line end", "5\r\nhello0"),
                row("LF for the line end", "5\r\nhello\n0"),
                row("CR for the line end", "5\r\nhello\r0"),
                row("LF CR for the line end", "5\r\nhello\n\r0"),
                row("a space before the line end", "5\r\nhello "),
                row("two line ends", "5\r\nhello\r\n\r\n0"),
                row("CR CR LF", "5\r\nhello\r\r\n0"),
                row("NUL for the line end", "5\r\nhello\u0000\u00000"),
                row("any two bytes for the line end", "5\r\nhelloXX0"),
                row("LF after the size", "5\nhello"),
                row("CR after the size", "5\rhello"),
                row("CR CR LF after the size", "5\r\r\nhello"),
                row("LF CR after the size", "5\n\rhello"));
    }

    /** After the last chunk's size. */
    static Stream<Attack> ends() {
        return Stream.of(
                        "0\n\n",
                        "0\n\r\n",
                        "0\r\n\n",
                        "0\r\r\n\r\n",
                        "0\r\r",
                        "0 \r\n\r\n",
                        "0\t\r\n\r\n",
                        " 0\r\n\r\n",
                        "-0\r\n\r\n",
                        "0x0\r\n\r\n",
                        "+0\r\n\r\n",
                        "0;\r\n\r\n",
                        "0;a=\"\n\r\n\r\n",
                        "0;a\n\r\n",
                        "0\u0000\r\n\r\n",
                        "000000000\r\n\r\n",
                        "0".repeat(100) + "\r\n\r\n",
                        "0\r\n\rX",
                        "0\r\n\r\r",
                        "0\r\nX\r\n\r\n",
                        "\r\n0\r\n\r\n",
                        "\r\n\r\n",
                        "0,\r\n\r\n",
                        "0.\r\n\r\n",
                        "00g\r\n\r\n",
                        "0\r\n \r\n\r\n",
                        "0\r\n\t\r\n\r\n",
                        "0\r\n\u0000\r\n\r\n")
                .map(end -> new Attack("end " + end, end + SMUGGLED));
    }

    /** RFC 9112 section 7.1.2, RFC 9110 section 6.5.1: "a sender MUST NOT generate" fields of framing or routing there. */
    static Stream<Attack> trailers() {
        return Attack.all(
                Stream.of(
                                "Content-Length: 5",
                                "content-length: 0",
                                "Transfer-Encoding: chunked",
                                "TRANSFER-ENCODING: identity",
                                "Host: evil.test",
                                "X : y",
                                "X\t: y",
                                " X: y",
                                "\tX: y",
                                ": y",
                                "X",
                                "X y",
                                "X: y\r\n z",
                                "X: y\u0000",
                                "X\u0000: y",
                                "X: y\nZ: z",
                                "X: y\rZ: z",
                                "X: y\n",
                                "X(y): z",
                                "X\u00e9: y",
                                "X: \u0001",
                                "X: \u007f",
                                "X: y\u000b\u0000",
                                "GET /smuggled HTTP/1.1",
                                "X: " + "y".repeat(17_000),
                                "X: y\r\n".repeat(200) + "Z: z")
                        .map(field -> new Attack("trailer " + field, "0\r\n" + field + "\r\n\r\n" + SMUGGLED)),
                Stream.of(new Attack("a trailer without a line end", "0\r\nX: y\n\n" + SMUGGLED)));
    }

    /** Every place at which a short body can end too early. */
    static Stream<Attack> cuts() {
        var chunks = FIRST_CHUNK + "3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n";
        return Attack.all(
                IntStream.range(FIRST_CHUNK.length() - 2, chunks.length())
                        .mapToObj(end -> new Attack(
                                "chunks cut after " + chunks.substring(0, end), CHUNKED + chunks.substring(0, end))),
                Stream.of("6", "7", "100", "1000000")
                        .map(length ->
                                new Attack("5 of " + length + " bytes", post("Content-Length: " + length) + "hello")));
    }
}
