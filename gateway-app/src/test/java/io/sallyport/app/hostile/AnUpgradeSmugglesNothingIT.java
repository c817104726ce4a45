// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.hostile.RecordingUpstream.Answer;
import io.sallyport.app.hostile.RecordingUpstream.Message;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A connection is HTTP until an upstream has agreed to a WebSocket, and a WebSocket from then on: nothing that is sent is read as
 * the other one. After "Websocket request smuggling", Mikhail Egorov (2019).
 */
@ParameterizedClass
@EnumSource(Way.class)
class AnUpgradeSmugglesNothingIT {
    private static final String[] FIELDS = {
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Origin: https://app.example.org"
    };
    private static final String HANDSHAKE = Attack.get(FIELDS);

    private static final String SWITCHED = """
            HTTP/1.1 101 Switching Protocols
            Upgrade: websocket
            Connection: Upgrade
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=

            """.replace("\n", "\r\n");
    private static final String NEXT = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";

    /** "hi" from a server. */
    private static final String FRAME = "\u0081\u0002hi";

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    static Stream<Attack> sentAhead() {
        return Attack.all(
                Stream.of(
                        new Attack("a request behind a handshake", HANDSHAKE + Attack.SMUGGLED),
                        new Attack("a frame behind a handshake", HANDSHAKE + "\u0081\u0082\u0000\u0000\u0000\u0000hi"),
                        new Attack("a line end behind a handshake", HANDSHAKE + "\r\n"),
                        new Attack("half a request behind a handshake", HANDSHAKE + "GET /smug"),
                        new Attack("a handshake behind a handshake", HANDSHAKE + HANDSHAKE)),
                wrong().map(attack -> new Attack(attack.name() + ", and a request", attack.text() + Attack.SMUGGLED)));
    }

    static Stream<Attack> wrong() {
        return Stream.of(
                new Attack("version 777", HANDSHAKE.replace("Version: 13", "Version: 777")),
                new Attack("no version", HANDSHAKE.replace("Sec-WebSocket-Version: 13\r\n", "")),
                new Attack("no key", HANDSHAKE.replace("Sec-WebSocket-Key", "X-Key")),
                new Attack("a short key", HANDSHAKE.replace("dGhl", "")),
                new Attack("no Connection", HANDSHAKE.replace("Connection: Upgrade", "Connection: keep-alive")),
                new Attack("two protocols", HANDSHAKE.replace("Upgrade: websocket", "Upgrade: websocket, h2c")),
                new Attack("a POST", Attack.post(FIELDS)),
                new Attack("another origin", HANDSHAKE.replace("https://app.", "https://evil.")),
                new Attack("no origin that could be one", HANDSHAKE.replace("https://app.example.org", "null")),
                new Attack("two origins", HANDSHAKE.replace("Origin:", "Origin: https://evil.example\r\nOrigin:")));
    }

    @ParameterizedTest(name = "{0}")
    @Rows({"wrong", "sentAhead"})
    void what_is_no_handshake_reaches_no_upstream_and_nothing_behind_it_is_read(Attack attack) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = world.connect()) {
            var answers =
                    connection.write(attack.filledIn(world.socketTarget(), way)).readToEnd();

            assertThat(answers).matches("(?s)HTTP/1\\.[01] (400|403|426) .*");
            assertThat(answers.split("HTTP/1\\.[01] ", -1)).as("one answer").hasSize(2);
        }
        world.requireNeighboursUnharmed(way);
        assertThat(world.upstream().since(mark)).isEmpty();
    }

    @Test
    void what_a_client_sends_while_the_upstream_thinks_is_read_as_nothing() throws Exception {
        int mark = world.upstream().mark();
        var target = world.socketTarget();
        world.upstream().answer(target, new Answer("", false, false));
        try (var connection = world.connect()) {
            connection.write(HANDSHAKE.replace("{target}", target).replace("{host}", way.host()));
            world.upstream().await(mark, Message::isWhole);

            var answers = connection
                    .write(Attack.SMUGGLED.replace("{host}", way.host()))
                    .readToEnd();

            assertThat(answers).startsWith("HTTP/1.1 400 ");
            assertThat(answers.split("HTTP/1\\.1 ", -1)).as("one answer").hasSize(2);
        }
        world.requireNeighboursUnharmed(way);
        assertThat(world.upstream().since(mark)).hasSize(1);
    }

    @Test
    void a_refused_handshake_ends_the_connection_and_the_upstreams() throws Exception {
        int mark = world.upstream().mark();
        var target = world.socketTarget();
        world.upstream()
                .answer(
                        target,
                        new Answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno" + NEXT, false, false));
        try (var connection = world.connect()) {
            var answer = connection
                    .write(HANDSHAKE.replace("{target}", target).replace("{host}", way.host()))
                    .readToEnd();

            assertThat(answer)
                    .startsWith("HTTP/1.1 403 ")
                    .containsIgnoringCase("\r\nconnection: close\r\n")
                    .endsWith("\r\n\r\nno");
        }
        world.requireNeighboursUnharmed(way);
        assertThat(world.upstream().since(mark)).hasSize(1);
    }

    static Stream<Attack> wrongSwitches() {
        return Stream.of(
                new Attack("an accept of another handshake", SWITCHED.replace("s3pP", "S3pP")),
                new Attack("no accept", SWITCHED.replace("Sec-WebSocket-Accept", "X-Accept")),
                new Attack("another protocol", SWITCHED.replace("websocket", "h2c")),
                new Attack("an extension", SWITCHED.replace("Upgrade: w", "Sec-WebSocket-Extensions: x\r\nUpgrade: w")),
                new Attack("a subprotocol", SWITCHED.replace("Upgrade: w", "Sec-WebSocket-Protocol: x\r\nUpgrade: w")),
                new Attack("a body", SWITCHED.replace("Upgrade: w", "Content-Length: 8\r\nUpgrade: w")));
    }

    @ParameterizedTest(name = "{0}")
    @Rows("wrongSwitches")
    void a_switch_that_is_not_the_one_that_was_asked_for_is_a_502(Attack attack) throws Exception {
        var target = world.socketTarget();
        world.upstream().answer(target, new Answer(attack.text() + FRAME + NEXT, false, false));
        try (var connection = world.connect()) {
            var answer = connection
                    .write(HANDSHAKE.replace("{target}", target).replace("{host}", way.host()))
                    .readToEnd();

            assertThat(answer)
                    .startsWith("HTTP/1.1 502 ")
                    .doesNotContain("smuggled")
                    .doesNotContain(FRAME);
        }
        world.requireNeighboursUnharmed(way);
    }

    @Test
    void a_switch_on_a_route_without_websockets_is_a_502() throws Exception {
        var target = world.target();
        world.upstream().answer(target, new Answer(SWITCHED + FRAME, false, false));
        try (var connection = world.connect()) {
            var answer = connection
                    .write(HANDSHAKE.replace("{target}", target).replace("{host}", way.host()))
                    .readToEnd();

            assertThat(answer).startsWith("HTTP/1.1 502 ").doesNotContain(FRAME);
        }
        world.requireNeighboursUnharmed(way);
    }

    @Test
    void behind_the_switch_a_request_is_no_request_and_an_answer_is_no_answer() throws Exception {
        int mark = world.upstream().mark();
        var target = world.socketTarget();
        world.upstream().answer(target, new Answer(SWITCHED + FRAME, false, false));
        try (var connection = world.connect()) {
            var answer = connection
                    .write(HANDSHAKE.replace("{target}", target).replace("{host}", way.host()))
                    .readHead();
            assertThat(answer.status()).isEqualTo(101);
            assertThat(new String(connection.in().readNBytes(FRAME.length()), ISO_8859_1))
                    .isEqualTo(FRAME);

            var rest = connection
                    .write(Attack.SMUGGLED.replace("{host}", way.host()))
                    .readToEnd();

            // Close, 1002.
            assertThat(rest).startsWith("\u0088").contains("\u0003\u00ea").doesNotContain("HTTP/1.1");
        }
        world.requireNeighboursUnharmed(way);
        assertThat(world.upstream().since(mark)).hasSize(1);
    }
}
