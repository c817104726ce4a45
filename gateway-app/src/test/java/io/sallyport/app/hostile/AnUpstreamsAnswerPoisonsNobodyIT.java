// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.hostile.RecordingUpstream.Answer;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An upstream, or who has got hold of its key, answers what it likes: its client gets one answer or 502 or an answer that is
 * visibly cut, and nobody else gets a byte of it.
 */
@ParameterizedClass
@EnumSource(Way.class)
class AnUpstreamsAnswerPoisonsNobodyIT {
    private static final String NEXT = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";
    private static final String OK = "HTTP/1.1 200 OK\r\n";

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    @ParameterizedTest(name = "{0}")
    @Rows({"statusLines", "lengths", "codings", "fields", "interim", "large"})
    void what_is_no_answer_is_a_502(Attack attack) throws Exception {
        var answer = ask("GET", attack.text(), false);

        assertThat(answer).startsWith("HTTP/1.1 502 ");
        requireNothingSmuggled(answer);
    }

    @ParameterizedTest(name = "{0}")
    @Rows("early")
    void one_that_closes_within_its_head_is_a_502(Attack attack) throws Exception {
        var answer = ask("GET", attack.text(), true);

        assertThat(answer).startsWith("HTTP/1.1 502 ");
        requireNothingSmuggled(answer);
    }

    @ParameterizedTest(name = "{0}")
    @Rows("complete")
    void what_follows_an_answer_is_nobodys(Attack attack) throws Exception {
        var answer = ask("GET", attack.text() + NEXT, false);

        assertThat(answer).matches("(?s)HTTP/1\\.1 (200|204|205|304) .*");
        requireNothingSmuggled(answer);
    }

    @ParameterizedTest(name = "{0}")
    @Rows("complete")
    void what_follows_the_answer_to_a_HEAD_is_nobodys(Attack attack) throws Exception {
        var answer = ask("HEAD", attack.text() + NEXT, false);

        assertThat(answer).matches("(?s)HTTP/1\\.1 (200|204|205|304) .*\r\n\r\n");
        requireNothingSmuggled(answer);
    }

    /** What ends with its connection is all one client's, whatever the connection was said to be. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n",
                "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n",
                "HTTP/1.0 200 OK\r\nKeep-Alive: timeout=60\r\n\r\n"
            })
    void an_answer_without_a_length_is_all_one_clients(String head) throws Exception {
        var answer = ask("GET", head + NEXT, true);

        assertThat(answer).startsWith("HTTP/1.1 200 ").contains("\r\n\r\n").contains("smuggled");
        assertThat(answer.indexOf("smuggled")).isGreaterThan(answer.indexOf("\r\n\r\n"));
        world.requireNeighboursUnharmed(way);
    }

    /** An answer to what has not been sent in full is the last one on its connection: what comes next may be its body, or the next answer. */
    @ParameterizedTest(name = "{0}")
    @Rows("complete")
    void an_answer_that_comes_before_its_request_is_the_last_on_its_connection(Attack attack) throws Exception {
        int mark = world.upstream().mark();
        var target = world.target();
        world.upstream().answer(target, new Answer(attack.text() + NEXT, true, false));
        try (var connection = world.connect()) {
            connection.write("POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 100\r\n\r\nhello"
                    .formatted(target, way.host()));
            requireNothingSmuggled(withoutInterims(connection.readToEnd()));
        }
        assertThat(world.upstream().since(mark)).noneMatch(RecordingUpstream.Message::isNonsense);
    }

    @ParameterizedTest(name = "{0}")
    @Rows({"brokenChunks", "cut"})
    void a_body_that_is_not_what_it_says_is_never_complete(Attack attack) throws Exception {
        var answer = ask("GET", attack.text(), true);

        assertThat(answer).doesNotEndWith("\r\n0\r\n\r\n").doesNotContain("smuggled");
        world.requireNeighboursUnharmed(way);
    }

    private String ask(String method, String answer, boolean thenClose) throws Exception {
        var target = world.target();
        world.upstream().answer(target, new Answer(answer, false, thenClose));
        try (var connection = world.connect()) {
            var received = connection
                    .write("%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
                            .formatted(method, target, way.host()))
                    .readToEnd();
            return withoutInterims(received);
        }
    }

    /** Interim answers are passed on; it is about the final one here. */
    private static String withoutInterims(String received) {
        return received.replaceFirst("^(?:HTTP/1\\.1 1[0-9]{2} [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)+", "");
    }

    private void requireNothingSmuggled(String answer) throws Exception {
        assertThat(answer.split("HTTP/1\\.1 ", -1)).as("one answer").hasSize(2);
        assertThat(answer).doesNotContain("smuggled").doesNotContainIgnoringCase("set-cookie: evil");
        world.requireNeighboursUnharmed(way);
    }

    static Stream<Attack> statusLines() {
        return Stream.of(
                        "HTTP/1.1 ",
                        "HTTP/1.1 20 OK",
                        "HTTP/1.1 2000 OK",
                        "HTTP/1.1 2x0 OK",
                        "HTTP/1.1 -200 OK",
                        "HTTP/1.1 +20 OK",
                        "HTTP/1.1 000 OK",
                        "HTTP/1.1 099 OK",
                        "HTTP/1.1 600 OK",
                        "HTTP/1.1 999 OK",
                        "HTTP/1.1 101 Switching Protocols",
                        "HTTP/2.0 200 OK",
                        "HTTP/2 200",
                        "HTTP/0.9 200 OK",
                        "HTTP/1.2 200 OK",
                        "HTTP/11.1 200 OK",
                        "HTTP/1.10 200 OK",
                        "http/1.1 200 OK",
                        "HTTPS/1.1 200 OK",
                        "ICY 200 OK",
                        "200 OK",
                        "OK",
                        "GET / HTTP/1.1",
                        "HTTP/1.1200 OK",
                        "HTTP/1.1\t200 OK",
                        "HTTP/1.1  200 OK",
                        " HTTP/1.1 200 OK",
                        "\u0000HTTP/1.1 200 OK",
                        "\rHTTP/1.1 200 OK",
                        "\r\nHTTP/1.1 200 OK",
                        "xHTTP/1.1 200 OK",
                        "HTTP/1.1 200 O\u0000K",
                        "HTTP/1.1 200 O\rK",
                        "HTTP/1.1 200 O\u0001K",
                        "HTTP/1.1 200 OK\rSet-Cookie: evil",
                        "HTTP/1.1 200 OK\nSet-Cookie: evil",
                        "{\"status\": 200}",
                        "\u0016\u0003\u0001")
                .map(line -> new Attack(line, line + "\r\nContent-Length: 2\r\n\r\nok"));
    }

    static Stream<Attack> lengths() {
        return Attack.all(
                Stream.of(
                                "",
                                "x",
                                "+2",
                                "-2",
                                "-1",
                                "2,2",
                                "2, 2",
                                "2 2",
                                "2;",
                                "0x2",
                                "2.0",
                                "2e0",
                                "\"2\"",
                                "\u00b2",
                                "2\u000b",
                                "\u000b2",
                                "2\u0000",
                                "18446744073709551618",
                                "99999999999999999999",
                                "9223372036854775808",
                                "2h",
                                "02",
                                "0002",
                                "1_0",
                                "2\u00a0",
                                "2\u0085")
                        .map(length -> new Attack(
                                "Content-Length: " + length, OK + "Content-Length: " + length + "\r\n\r\nok" + NEXT)),
                Stream.of(
                        new Attack("two lengths", OK + "Content-Length: 2\r\nContent-Length: 50\r\n\r\nok" + NEXT),
                        new Attack(
                                "the same length twice",
                                OK + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok" + NEXT),
                        new Attack("a length after white space", OK + "X: y\r\n Content-Length: 2\r\n\r\nok" + NEXT),
                        new Attack("a length before white space", OK + "Content-Length : 2\r\n\r\nok" + NEXT),
                        new Attack("a length continued", OK + "Content-Length: 2\r\n 0\r\n\r\nok" + NEXT)));
    }

    static Stream<Attack> codings() {
        return Attack.all(
                Stream.of(
                                "",
                                "identity",
                                "gzip",
                                "gzip, chunked",
                                "chunked, gzip",
                                "chunked, identity",
                                "identity, chunked",
                                "chunked, chunked",
                                "xchunked",
                                "chunked;q=1",
                                "\"chunked\"",
                                "chunked\u000b",
                                "\u000bchunked",
                                "chunked\u0000",
                                ",chunked",
                                "chunked,",
                                "cow",
                                "chunked chunked")
                        .map(coding -> new Attack(
                                "Transfer-Encoding: " + coding,
                                OK + "Transfer-Encoding: " + coding + "\r\n\r\n2\r\nok\r\n0\r\n\r\n" + NEXT)),
                Stream.of(
                                "Content-Length: 2\r\nTransfer-Encoding: chunked",
                                "Transfer-Encoding: chunked\r\nContent-Length: 2",
                                "Content-Length: 0\r\nTransfer-Encoding: chunked",
                                "Transfer-Encoding: chunked\r\nContent-Length: x",
                                "Content-Length: 2\r\nTransfer-Encoding: identity",
                                "Content-Length: 2\r\nTransfer-Encoding : chunked",
                                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                                "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
                                "Transfer-Encoding : chunked",
                                " Transfer-Encoding: chunked",
                                "Transfer-Encoding:\r\n chunked",
                                "X: y\r\n Transfer-Encoding: chunked")
                        .map(fields -> new Attack(fields, OK + fields + "\r\n\r\n2\r\nok\r\n0\r\n\r\n" + NEXT)),
                Stream.of(new Attack(
                        "a coding in HTTP/1.0",
                        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + NEXT)));
    }

    static Stream<Attack> fields() {
        return Stream.of(
                        "X",
                        "X y",
                        ": y",
                        "X : y",
                        "X\t: y",
                        "X: y\r\n Set-Cookie: evil",
                        "X: y\r\n\tSet-Cookie: evil",
                        " X: y",
                        "X: y\rSet-Cookie: evil",
                        "X: y\nSet-Cookie: evil",
                        "X: y\r\rSet-Cookie: evil",
                        "X: y\u0000",
                        "X\u0000: y",
                        "X: \u0001",
                        "X: \u007f",
                        "X: \u000b",
                        "X(y): z",
                        "X\u00e9: y",
                        "X y: z",
                        "X: y\n\nsmuggled",
                        "X: y\n\rSet-Cookie: evil",
                        "X\r: y")
                .map(field -> new Attack(field, OK + field + "\r\nContent-Length: 2\r\n\r\nok"));
    }

    static Stream<Attack> interim() {
        return Stream.of(
                new Attack(
                        "many 100s",
                        "HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000) + OK + "Content-Length: 2\r\n\r\nok"),
                new Attack(
                        "many 103s",
                        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1_000) + OK
                                + "Content-Length: 2\r\n\r\nok"),
                new Attack(
                        "100 with a length",
                        "HTTP/1.1 100 Continue\r\nContent-Length: 51\r\n\r\n" + NEXT + OK
                                + "Content-Length: 2\r\n\r\nok"),
                new Attack(
                        "103 with a coding",
                        "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + OK
                                + "Content-Length: 2\r\n\r\nok"),
                new Attack(
                        "101 and then 200",
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + NEXT),
                new Attack(
                        "100 with a body",
                        "HTTP/1.1 100 Continue\r\n\r\nsmuggled" + OK + "Content-Length: 2\r\n\r\nok"));
    }

    static Stream<Attack> large() {
        return Stream.of(
                new Attack(
                        "a long status line", "HTTP/1.1 200 " + "O".repeat(70_000) + "\r\nContent-Length: 2\r\n\r\nok"),
                new Attack("a long value", OK + "X: " + "y".repeat(70_000) + "\r\nContent-Length: 2\r\n\r\nok"),
                new Attack("many fields", OK + "X: y\r\n".repeat(20_000) + "Content-Length: 2\r\n\r\nok"),
                new Attack("a head without end", OK + "X: " + "y".repeat(200_000)));
    }

    static Stream<Attack> early() {
        return Stream.of(
                        "",
                        "H",
                        "HTTP/1.1",
                        "HTTP/1.1 200 OK",
                        OK,
                        OK + "Content-Length: 2",
                        OK + "Content-Length: 2\r\n",
                        OK + "Content-Length: 2\r\n\r",
                        "HTTP/1.1 100 Continue\r\n\r\n",
                        "HTTP/1.1 100 Continue\r\n\r\n" + OK)
                .map(head -> new Attack("closed after " + head, head));
    }

    static Stream<Attack> complete() {
        return Attack.all(
                Stream.of(
                        new Attack("a length", OK + "Content-Length: 2\r\n\r\nok"),
                        new Attack("no body", OK + "Content-Length: 0\r\n\r\n"),
                        new Attack("chunks", OK + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
                        new Attack(
                                "chunks and a trailer",
                                OK + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n"),
                        new Attack(
                                "an interim answer first",
                                "HTTP/1.1 103 Early Hints\r\n\r\n" + OK + "Content-Length: 2\r\n\r\nok")),
                Stream.of("204 No Content", "304 Not Modified")
                        .flatMap(status -> Stream.of(
                                        "",
                                        "Content-Length: 8\r\n",
                                        "Content-Length: 0\r\n",
                                        "Transfer-Encoding: chunked\r\n")
                                .map(field -> new Attack(
                                        status + " " + field, "HTTP/1.1 " + status + "\r\n" + field + "\r\n"))));
    }

    static Stream<Attack> brokenChunks() {
        return Stream.of(
                        "x",
                        "",
                        "-1",
                        "+2",
                        "0x2",
                        "2\u0000",
                        "2;a=\"\n\"",
                        "80000000",
                        "ffffffffffffffff",
                        "10000000000000002",
                        "g",
                        "2,2",
                        " 2",
                        "\u00b2")
                .map(size -> new Attack(
                        "size " + size,
                        OK + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n" + size + "\r\nno\r\n0\r\n\r\n" + NEXT));
    }

    static Stream<Attack> cut() {
        var chunked = OK + "Transfer-Encoding: chunked\r\n\r\n";
        return Stream.of(
                        chunked + "2\r\no",
                        chunked + "2\r\nok",
                        chunked + "2\r\nok\r\n",
                        chunked + "2\r\nok\r\n0",
                        chunked + "2\r\nok\r\n0\r\n",
                        chunked + "2\r\nok\r\n0\r\nX: y\r\n")
                .map(answer -> new Attack("cut after " + answer, answer));
    }
}
