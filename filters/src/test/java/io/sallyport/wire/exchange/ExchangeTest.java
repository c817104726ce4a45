// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.forward.CorsPolicy;
import io.sallyport.forward.DirectForwarder;
import io.sallyport.forward.Disclosure;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.RawUpstream;
import io.sallyport.forward.RouteFilters;
import io.sallyport.forward.StreamLimit;
import io.sallyport.forward.TestFront;
import io.sallyport.forward.TestTarget;
import io.sallyport.forward.UpstreamClient;
import io.sallyport.forward.upstream.UpstreamConnections;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.ClientAddress;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.WireServer;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/**
 * Requests of HTTP/1.1 that only go to an upstream, over real sockets. What of a request reaches an upstream, and what of an
 * answer a client, is in {@code AttemptTest}.
 */
class ExchangeTest {
    private static final Denial STOPPED = new Denial.Unavailable(Reason.FORWARD_GATEWAY_STOPPED, Duration.ofSeconds(1));
    private static final Denial DENIED = new Denial.Forbidden(Reason.RISK_DENIED);
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final int A_LOT = 64 * 1024 * 1024;

    private final UpstreamConnections connections = new UpstreamConnections(
            new FakeSvidSource(), Duration.ZERO, Duration.ZERO, InstantSource.system(), new SimpleMeterRegistry());
    private RawUpstream upstream = RawUpstream.plaintext(RawUpstream.text("unused"));

    @AfterEach
    void stop() {
        upstream.close();
        connections.close();
    }

    /** Whose upstream answers as that script says; a request with the field {@code Denied} is refused. */
    private WireServer server(RawUpstream.Script script) {
        upstream.close();
        upstream = RawUpstream.plaintext(script);
        return server(upstream.port());
    }

    private WireServer server(int port) {
        return server(TestFront.route("orders", target(port)));
    }

    private WireServer server(Route route) {
        var direct = new DirectForwarder(new UpstreamClient(connections));
        return WireServer.permitting(direct).on(route).judging(ExchangeTest::judge);
    }

    private static UpstreamTarget target(int port) {
        return TestTarget.plaintext(port).timeout(LONG).build();
    }

    private static Verdict judge(RequestContext context) {
        context.client(new ClientAddress(context.head().peerAddress().getAddress(), false));
        context.principal(Principal.Anonymous.ANONYMOUS);
        return context.head().headers().contains("denied") ? new Verdict.Deny(DENIED) : Verdict.Pass.PASS;
    }

    private static String get(String... fields) {
        return "GET / HTTP/1.1\r\nHost: localhost\r\n" + lines(fields) + "\r\n";
    }

    private static String lines(String... fields) {
        return fields.length == 0 ? "" : String.join("\r\n", fields) + "\r\n";
    }

    private static String field(RawUpstream.Turn turn, String name) {
        return turn.head().replaceFirst("(?is).*\r\n" + name + ": ([^\r]*)\r\n.*", "$1");
    }

    private static RawUpstream.Script naming() {
        return turn -> {
            turn.readBody();
            var text = "answer to " + field(turn, "number");
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s".formatted(text.length(), text));
        };
    }

    // one after the other

    @Test
    void a_connection_serves_one_request_after_the_other_over_one_of_the_upstreams() throws Exception {
        try (var server = server(naming()).start();
                var client = server.connect()) {
            for (int i = 0; i < 3; i++) {
                assertThat(client.send(get("Number: " + i)).readAnswer())
                        .startsWith("HTTP/1.1 200 OK\r\n")
                        .endsWith("answer to " + i);
                assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
            }
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @Test
    void pipelined_requests_are_answered_in_their_order_whoever_answers_them() throws Exception {
        var post = "POST / HTTP/1.1\r\nHost: localhost\r\nNumber: 3\r\nContent-Length: 5\r\n\r\nhello";
        try (var server = server(naming()).start();
                var client = server.connect()
                        .send(get("Number: 1") + get("Denied: yes") + post + get("Number: 4") + get("Number: 5"))) {
            assertThat(client.readAnswer()).endsWith("answer to 1");
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 403 ");
            assertThat(client.readAnswer()).endsWith("answer to 3");
            assertThat(client.readAnswer()).endsWith("answer to 4");
            assertThat(client.readAnswer()).endsWith("answer to 5");
            // The connection is in order.
            assertThat(client.send(get("Number: 6")).readAnswer()).endsWith("answer to 6");
        }
    }

    @Test
    void many_pipelined_requests_are_answered_in_their_order() throws Exception {
        int atOnce = 300;
        try (var server = server(naming()).start();
                var client = server.connect()) {
            for (int round = 0; round < 10; round++) {
                var requests = new StringBuilder();
                for (int i = 0; i < atOnce; i++) {
                    requests.append(i % 7 == 3 ? get("Denied: yes") : get("Number: " + i));
                }
                client.send(requests.toString());
                for (int i = 0; i < atOnce; i++) {
                    var answer = client.readAnswer();
                    if (i % 7 == 3) {
                        assertThat(answer).startsWith("HTTP/1.1 403 ");
                    } else {
                        assertThat(answer).endsWith("answer to " + i);
                    }
                }
            }
        }
    }

    @Test
    void bytes_that_are_no_request_are_refused_behind_the_answer_before_them() throws Exception {
        try (var server = server(naming()).start();
                var client = server.connect().send(get("Number: 1") + "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n")) {
            assertThat(client.readAnswer()).endsWith("answer to 1");
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 400 ");

            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
            assertThat(server.outcome()).isInstanceOf(Outcome.Refused.class);
        }
    }

    @Test
    void who_asks_for_the_last_answer_gets_it_and_the_end() throws Exception {
        try (var server = server(naming()).start();
                var client = server.connect().send(get("Number: 1", "Connection: close") + get("Number: 2"))) {
            assertThat(client.readToEnd())
                    .contains("\r\nconnection: close\r\n")
                    .endsWith("answer to 1")
                    .doesNotContain("answer to 2");
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    // answers

    @Test
    void an_answer_without_a_length_gets_one_if_it_has_come_whole() throws Exception {
        try (var server = server(turn -> turn.send(
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
                        .start();
                var client = server.connect().send(get())) {
            assertThat(client.readAnswer())
                    .endsWith("hello")
                    .contains("\r\ncontent-length: 5\r\n")
                    .doesNotContain("chunked");
        }
    }

    @Test
    void an_answer_that_comes_in_parts_goes_on_in_parts() throws Exception {
        var firstSeen = new CountDownLatch(1);
        RawUpstream.Script inParts = turn -> {
            turn.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
            turn.send("3\r\none\r\n");
            awaitIn(firstSeen);
            turn.send("3\r\ntwo\r\n0\r\nX-Trailer: dropped\r\n\r\n");
        };
        try (var server = server(inParts).start();
                var client = server.connect().send(get())) {
            assertThat(client.readHead()).contains("\r\ntransfer-encoding: chunked\r\n");
            assertThat(client.readLine()).isEqualTo("3");
            assertThat(client.readLine()).isEqualTo("one");
            firstSeen.countDown();
            for (var line : new String[] {"3", "two", "0", ""}) {
                assertThat(client.readLine()).isEqualTo(line);
            }
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
            assertThat(client.send(get()).readHead()).startsWith("HTTP/1.1 200 ");
        }
    }

    private static void awaitIn(CountDownLatch latch) throws IOException {
        try {
            if (!latch.await(10, TimeUnit.SECONDS)) {
                throw new IOException("waited in vain");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void an_upstream_is_not_read_faster_than_the_client_takes_it() throws Exception {
        var sent = new AtomicLong();
        var block = new byte[64 * 1024];
        RawUpstream.Script much = turn -> {
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: " + A_LOT + "\r\n\r\n");
            while (sent.get() < A_LOT) {
                turn.send(block);
                sent.addAndGet(block.length);
            }
        };
        try (var server = server(much).start();
                var client = server.connect().send(get())) {
            assertThat(client.readHead()).contains("\r\ncontent-length: " + A_LOT + "\r\n");
            // What the kernel holds for three connections, at most.
            await().during(Duration.ofSeconds(1)).atMost(Duration.ofSeconds(5)).until(() -> sent.get() < A_LOT);

            client.skip(A_LOT);

            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
            assertThat(client.send(get()).readHead()).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void an_answer_without_a_body_ends_with_its_head() throws Exception {
        RawUpstream.Script heads = turn -> turn.send("HTTP/1.1 " + field(turn, "status") + " X\r\n"
                + (turn.head().startsWith("HEAD") ? "Content-Length: 7\r\n\r\n" : "\r\n"));
        try (var server = server(heads).start();
                var client = server.connect()) {
            assertThat(client.send(get("Status: 200").replace("GET", "HEAD")).readHead())
                    .startsWith("HTTP/1.1 200 ")
                    .contains("\r\ncontent-length: 7\r\n");
            assertThat(client.send(get("Status: 204")).readHead())
                    .startsWith("HTTP/1.1 204 ")
                    .doesNotContain("content-length")
                    .doesNotContain("transfer-encoding");
            assertThat(client.send(get("Status: 304")).readHead())
                    .startsWith("HTTP/1.1 304 ")
                    .doesNotContain("content-length")
                    .doesNotContain("transfer-encoding");
            assertThat(client.send(get("Status: 205", "Denied: yes")).readAnswer())
                    .startsWith("HTTP/1.1 403 ");
        }
    }

    // what goes wrong

    @Test
    void an_upstream_that_does_not_answer_is_a_502_and_the_connection_serves_on() throws Exception {
        try (var server = server(RawUpstream.Turn::reset).start();
                var client = server.connect()) {
            for (int i = 0; i < 2; i++) {
                assertThat(client.send(get()).readAnswer())
                        .startsWith("HTTP/1.1 502 ")
                        .contains("application/problem+json");
                assertThat(reasonOf(server.outcome())).isEqualTo(Reason.FORWARD_UPSTREAM_RESET);
            }
        }
    }

    @Test
    void nobody_there_is_a_502_for_each_of_many() throws Exception {
        upstream.close();
        try (var server = server(upstream.port()).start();
                var client = server.connect().send(get() + get() + get("Connection: close") + get())) {
            assertThat(client.readToEnd().split("HTTP/1.1 502 ", -1)).hasSize(4);
            for (int i = 0; i < 3; i++) {
                assertThat(reasonOf(server.outcome())).isEqualTo(Reason.FORWARD_CONNECT_FAILED);
            }
            assertThat(server.handler().isAnswering()).isFalse();
        }
    }

    @Test
    void an_answer_that_breaks_off_is_not_made_to_look_complete() throws Exception {
        RawUpstream.Script half = turn -> {
            turn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            turn.close();
        };
        try (var server = server(half).start();
                var client = server.connect().send(get())) {
            assertThatThrownBy(client::readToEnd).isInstanceOf(IOException.class);
            assertThat(server.outcome()).isInstanceOf(Outcome.Aborted.class);
        }
    }

    @Test
    void what_fails_while_an_answer_is_written_leaves_nobody_waiting() throws Exception {
        upstream.close();
        upstream = RawUpstream.plaintext(naming());
        CorsPolicy broken = (_, _) -> {
            throw new IllegalStateException("broken");
        };
        var route = Route.builder("orders", "localhost", Route.Kind.UPSTREAM)
                .settings(
                        StageName.FORWARD,
                        new ForwardPlan(
                                target(upstream.port()),
                                RouteFilters.NONE,
                                broken,
                                new StreamLimit(LONG, Duration.ZERO),
                                null,
                                Disclosure.of("localhost")))
                .build();
        try (var server = server(route).start();
                var client = server.connect().send(get("Number: 1"))) {
            assertThatThrownBy(client::readToEnd).isInstanceOf(IOException.class);
            assertThat(server.outcome())
                    .isEqualTo(new Outcome.Refused(new Denial.UpstreamFailed(Reason.FORWARD_FAILED)
                            .with(Evidence.Key.CAUSE, "java.lang.IllegalStateException")));
            assertThat(server.handler().isAnswering()).isFalse();
        }
    }

    @Test
    void a_stage_that_decides_later_is_waited_for() throws Exception {
        var decided = new CompletableFuture<Verdict.Settled>();
        try (var server = server(naming())
                        .judging(context -> {
                            var _ = judge(context);
                            return new Verdict.Pending<>(Mono.fromFuture(decided), verdict -> verdict);
                        })
                        .start();
                var client = server.connect().send(get("Number: 1") + get("Number: 2"))) {
            await().until(server.handler()::isAnswering);
            decided.complete(new Verdict.Deny(DENIED));

            assertThat(client.readAnswer()).startsWith("HTTP/1.1 403 ");
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 403 ");
        }
    }

    @Test
    void a_client_that_goes_away_takes_its_request_with_it() throws Exception {
        var asked = new CountDownLatch(1);
        try (var server = server(turn -> {
                            asked.countDown();
                            turn.awaitClose();
                        })
                        .start();
                var client = server.connect().send(get() + get())) {
            awaitIn(asked);
            client.reset();

            assertThat(server.outcome()).isEqualTo(new Outcome.Cancelled(0));
            assertThat(server.hasAnotherOutcome()).isFalse();
            await().until(() -> upstream.closedByPeer() == 1);
            assertThat(server.handler().isAnswering()).isFalse();
        }
    }

    @Test
    void a_client_that_goes_away_within_its_answer_has_seen_its_status() throws Exception {
        RawUpstream.Script endless = turn -> {
            turn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            turn.awaitClose();
        };
        try (var server = server(endless).start();
                var client = server.connect().send(get())) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            client.reset();

            assertThat(server.outcome()).isEqualTo(new Outcome.Cancelled(200));
        }
    }

    @Test
    void a_client_that_does_not_take_its_answer_is_left() throws Exception {
        var block = new byte[64 * 1024];
        RawUpstream.Script much = turn -> {
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: " + A_LOT + "\r\n\r\n");
            for (int sent = 0; sent < A_LOT; sent += block.length) {
                turn.send(block);
            }
        };
        try (var server = server(much)
                        .listening(listener -> listener.answerTimeout(Duration.ofMillis(500)))
                        .start();
                var client = server.connect().send(get())) {
            assertThat(server.outcome())
                    .isEqualTo(new Outcome.Aborted(200, new Denial.Rejected(Reason.EDGE_ANSWER_TIMEOUT)));
            assertThatThrownBy(client::readToEnd).isInstanceOf(IOException.class);
        }
    }

    // time

    @Test
    void a_connection_that_waits_for_its_answer_is_not_idle_and_is_when_it_has_it() throws Exception {
        var longer = Duration.ofMillis(1_500);
        try (var server = server(turn -> {
                            sleep(longer);
                            naming().answer(turn);
                        })
                        .listening(listener -> listener.idleTimeout(Duration.ofSeconds(1)))
                        .start();
                var client = server.connect().send(get("Number: 1"))) {
            assertThat(client.readAnswer()).endsWith("answer to 1");
            assertThat(client.readToEnd()).isEmpty();
        }
    }

    @Test
    void a_server_that_stops_leaves_an_answer_under_way_to_its_end() throws Exception {
        var asked = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        try (var server = server(turn -> {
                            asked.countDown();
                            awaitIn(go);
                            naming().answer(turn);
                        })
                        .start();
                var client = server.connect().send(get("Number: 1"))) {
            awaitIn(asked);
            assertThat(server.handler().isAnswering()).isTrue();

            server.stop();
            go.countDown();

            assertThat(client.readToEnd()).endsWith("answer to 1");
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
            assertThat(server.handler().isAnswering()).isFalse();
        }
    }

    @Test
    void a_stream_of_events_ends_between_two_events_when_the_gateway_stops() throws Exception {
        var half = new CountDownLatch(1);
        var rest = new CountDownLatch(1);
        RawUpstream.Script events = turn -> {
            turn.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
            turn.send("6\r\ndata: \r\n");
            half.countDown();
            awaitIn(rest);
            turn.send("3\r\n1\n\n\r\n");
            turn.awaitClose();
        };
        try (var server = server(events).start();
                var client = server.connect().send(get())) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            awaitIn(half);
            assertThat(client.readLine()).isEqualTo("6");
            assertThat(client.readLine()).isEqualTo("data: ");

            server.stop();
            assertThat(server.handler().isAnswering()).isTrue();
            rest.countDown();

            assertThat(client.readToEnd()).isEqualTo("3\r\n1\n\n\r\n0\r\n\r\n");
            assertThat(server.outcome()).isEqualTo(new Outcome.Aborted(200, STOPPED));
            await().until(() -> !server.handler().isAnswering());
            await().until(() -> upstream.closedByPeer() == 1);
        }
    }

    @Test
    void a_download_is_completed_within_the_grace_and_broken_off_after_it() throws Exception {
        RawUpstream.Script endless = turn -> {
            turn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            turn.awaitClose();
        };
        try (var server = server(endless)
                        .listening(listener -> listener.shutdownGrace(Duration.ofSeconds(1)))
                        .start();
                var client = server.connect().send(get())) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            server.stop();

            assertThatThrownBy(client::readToEnd).isInstanceOf(IOException.class);
            assertThat(server.outcome()).isEqualTo(new Outcome.Aborted(200, STOPPED));
        }
    }

    private static void sleep(Duration time) throws IOException {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    // requests of every shape

    @Test
    void a_request_may_have_a_body_ask_for_trailers_or_offer_another_protocol() throws Exception {
        try (var server = server(naming()).start();
                var client = server.connect()) {
            assertThat(client.send(get("Number: 1", "TE: trailers", "Connection: te"))
                            .readAnswer())
                    .endsWith("answer to 1");
            assertThat(client.send(get("Number: 2", "Upgrade: h2c", "Connection: upgrade"))
                            .readAnswer())
                    .endsWith("answer to 2");
            assertThat(client.send("POST / HTTP/1.1\r\nHost: localhost\r\nNumber: 3\r\nContent-Length: 2\r\n\r\nhi")
                            .readAnswer())
                    .endsWith("answer to 3");
        }
    }

    private static Reason reasonOf(Outcome outcome) {
        return ((Outcome.Refused) outcome).denial().reason();
    }
}
