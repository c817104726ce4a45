// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static io.sallyport.app.hostile.Attack.get;
import static io.sallyport.app.hostile.Attack.post;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What RFC 9112 allows and few send is one request, with the same body, to the upstream; and as many requests as a client has
 * pipelined, in that order, however the first of them was answered.
 */
@ParameterizedClass
@EnumSource(Way.class)
class WhatIsLetThroughIsReadOnceIT {
    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    @ParameterizedTest(name = "{0}")
    @Rows("withBody")
    void a_body_arrives_as_it_was_sent(Attack odd) throws Exception {
        requireOneRequest(odd, "hello");
    }

    @ParameterizedTest(name = "{0}")
    @Rows("withoutBody")
    void a_request_without_a_body_has_none(Attack odd) throws Exception {
        requireOneRequest(odd, "");
    }

    private void requireOneRequest(Attack odd, String content) throws Exception {
        int mark = world.upstream().mark();
        var target = world.target();
        var next = world.target();
        try (var connection = world.connect()) {
            var response = connection
                    .write(odd.filledIn(target, way)
                            + "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(next, way.host()))
                    .read();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.body()).isEqualTo(target);
            assertThat(connection.read().body())
                    .as("the answer to the pipelined one")
                    .isEqualTo(next);
        }

        world.requireOneNeighbourUnharmed(way);
        var received = world.upstream().since(mark);
        assertThat(received).hasSize(2).allMatch(RecordingUpstream.Message::isWhole);
        assertThat(received.getFirst().target()).isEqualTo(target);
        assertThat(received.getFirst().content()).isEqualTo(content);
        assertThat(received.getFirst().head())
                .doesNotContainIgnoringCase("upgrade")
                .doesNotContainIgnoringCase("http2-settings")
                .doesNotContainIgnoringCase("expect:")
                .doesNotContainIgnoringCase("trailer:")
                .doesNotContainIgnoringCase("keep-alive");
    }

    /** CL.0, after "Browser-Powered Desync Attacks", James Kettle (2022): an upstream that answers without reading the body does not make a request of it. */
    @Test
    void a_body_that_the_upstream_does_not_wait_for_is_still_a_body() throws Exception {
        int mark = world.upstream().mark();
        var target = world.target();
        world.upstream()
                .answer(
                        target,
                        new RecordingUpstream.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, false));
        var smuggled = "GET /smuggled HTTP/1.1\r\nHost: " + way.host() + "\r\n\r\n";
        try (var connection = world.connect()) {
            connection.write("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n"
                    .formatted(target, way.host(), smuggled.length()));
            assertThat(connection.read().body()).isEqualTo("ok");
            var rest = connection
                    .write(smuggled
                            + "GET /next HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n".formatted(way.host()))
                    .readToEnd();
            assertThat(rest).doesNotContain("/smuggled");
        }

        assertNothingSmuggledSince(mark);
    }

    private void assertNothingSmuggledSince(int mark) throws Exception {
        world.requireNeighboursUnharmed(way);
        assertThat(world.upstream().since(mark))
                .noneMatch(message -> message.target().equals("/smuggled"))
                .noneMatch(RecordingUpstream.Message::isNonsense);
    }

    /** After "HTTP/1.1 must die", James Kettle (2025): who waits for 100 and who does not must agree on what the body is. */
    @ParameterizedTest
    @ValueSource(strings = {"100-continue", "100-CONTINUE", " 100-continue\t"})
    void a_body_behind_an_expectation_is_still_a_body(String expectation) throws Exception {
        int mark = world.upstream().mark();
        var target = world.target();
        world.upstream()
                .answer(
                        target,
                        new RecordingUpstream.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, false));
        var smuggled = "GET /smuggled HTTP/1.1\r\nHost: " + way.host() + "\r\n\r\n";
        try (var connection = world.connect()) {
            var answers = connection
                    .write("POST %s HTTP/1.1\r\nHost: %s\r\nExpect: %s\r\nContent-Length: %d\r\n\r\n"
                                    .formatted(target, way.host(), expectation, smuggled.length())
                            + smuggled
                            + "GET /next HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n".formatted(way.host()))
                    .readToEnd();
            assertThat(answers).doesNotContain("/smuggled");
        }

        assertNothingSmuggledSince(mark);
    }

    /** Client-side desync: a request without a body to an upstream that closes is never repeated on another connection. */
    @Test
    void a_request_that_may_do_something_is_sent_once_even_if_the_upstream_closes_without_an_answer() throws Exception {
        int mark = world.upstream().mark();
        var target = world.target();
        world.upstream().answer(target, new RecordingUpstream.Answer("", false, true));
        try (var connection = world.connect()) {
            var response = connection
                    .write("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n\r\n".formatted(target, way.host()))
                    .read();
            assertThat(response.status()).isEqualTo(502);
        }

        world.requireNeighboursUnharmed(way);
        assertThat(world.upstream().since(mark)).hasSize(1);
    }

    /** The connection that a neighbour has used is the one that it ends on. */
    @Test
    void one_that_may_not_is_sent_twice_at_the_most() throws Exception {
        world.requireNeighboursUnharmed(way);
        int mark = world.upstream().mark();
        var target = world.target();
        world.upstream().answer(target, new RecordingUpstream.Answer("", false, true));
        try (var connection = world.connect()) {
            var response = connection
                    .write("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(target, way.host()))
                    .read();
            assertThat(response.status()).isEqualTo(502);
        }

        world.requireNeighboursUnharmed(way);
        assertThat(world.upstream().since(mark)).hasSizeBetween(1, 2);
    }

    static Stream<Attack> withBody() {
        return Attack.all(
                Stream.of(
                                "Transfer-Encoding: chunked",
                                "transfer-encoding: chunked",
                                "Transfer-Encoding:chunked",
                                "Transfer-Encoding:\tchunked",
                                "Transfer-Encoding: \t chunked \t",
                                "Transfer-Encoding: CHUNKED",
                                "TRANSFER-ENCODING: Chunked",
                                "Transfer-Encoding: chunked\r\nX:",
                                "Transfer-Encoding: chunked\r\nTE: trailers",
                                "Transfer-Encoding: chunked\r\nTrailer: X",
                                "Transfer-Encoding: chunked\r\nConnection: Upgrade\r\nUpgrade: websocket")
                        .map(field -> new Attack(field, post(field) + "5\r\nhello\r\n0\r\n\r\n")),
                Stream.of(
                                "5\r\nhello\r\n0\r\n\r\n",
                                "05\r\nhello\r\n00\r\n\r\n",
                                "00000005\r\nhello\r\n00000000\r\n\r\n",
                                "1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n2\r\nlo\r\n0\r\n\r\n",
                                "5;a\r\nhello\r\n0;b\r\n\r\n",
                                "5;a=b\r\nhello\r\n0\r\n\r\n",
                                "5;a=\"b c;d\\\"\"\r\nhello\r\n0;e=\"\"\r\n\r\n",
                                "5;a;b=c;d\r\nhello\r\n0\r\n\r\n",
                                "5\r\nhello\r\n0\r\nX: y\r\n\r\n",
                                "5\r\nhello\r\n0\r\nX: y\r\nY:\r\n\r\n")
                        .map(body -> new Attack("chunks " + body, post("Transfer-Encoding: chunked") + body)),
                Stream.of(
                                "Content-Length: 5",
                                "content-length:5",
                                "CONTENT-LENGTH: \t5\t ",
                                "Content-Length: 5\r\nX: y",
                                "Content-Length: 5\r\nConnection: keep-alive",
                                "Content-Length: 5\r\nKeep-Alive: timeout=5",
                                "Content-Length: 5\r\nConnection: keep-alive\r\nUpgrade: h2c")
                        .map(field -> new Attack(field, post(field) + "hello")),
                Stream.of(new Attack("a body of a GET", get("Content-Length: 5") + "hello")));
    }

    static Stream<Attack> withoutBody() {
        return Stream.of(
                new Attack("one empty line first", "\r\n" + get()),
                new Attack("a length of nothing", post("Content-Length: 0")),
                new Attack("a chunked nothing", post("Transfer-Encoding: chunked") + "0\r\n\r\n"),
                new Attack("a POST without a length", post()),
                new Attack("a Host in capitals", get().replace("Host: {host}", "HOST: {host}")),
                new Attack("a Host with a port", get().replace("{host}", "{host}:443")),
                new Attack("white space around a Host", get().replace("{host}", " \t{host}\t ")),
                new Attack("an absolute target", get().replace("{target}", "http://{host}{target}")),
                new Attack("an absolute target of https", get().replace("{target}", "HTTPS://{host}{target}")),
                new Attack(
                        "h2c in the first request",
                        get(
                                "Connection: Upgrade, HTTP2-Settings",
                                "Upgrade: h2c",
                                "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")),
                new Attack(
                        "an upgrade to a WebSocket",
                        get(
                                "Connection: Upgrade",
                                "Upgrade: websocket",
                                "Sec-WebSocket-Version: 13",
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")),
                new Attack("an upgrade to TLS", get("Connection: upgrade", "Upgrade: TLS/1.0, HTTP/1.1")),
                new Attack("h2c that is not nominated", get("Upgrade: h2c", "HTTP2-Settings: AAMAAABk")),
                new Attack("bytes above 0x7f in a value", get("X: \u00e9\u00ff\u0080")),
                new Attack("a tab in a value", get("X: a\tb")),
                new Attack("an empty value", get("X:")));
    }
}
