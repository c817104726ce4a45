// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.forward.Body;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.TestBody;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestForwarders;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.pipeline.Outcome;
import io.sallyport.wire.Http2Client;
import io.sallyport.wire.InsecureTls;
import io.sallyport.wire.WireServer;
import io.sallyport.wire.listener.ListenerConfig;
import io.sallyport.wire.shedding.LoopPace;
import io.sallyport.wire.tls.ClientCertificates;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.unit.DataSize;
import reactor.netty.http.client.HttpClient;

/** The ingress port over TLS and HTTP/2, frame by frame. */
class Http2WireTest {
    private static final String HOST = "api.example.org";
    private static final Denial DENIED = new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED);
    private static final Denial FAILED = new Denial.UpstreamFailed(Reason.FORWARD_UPSTREAM_RESET);

    private static final int HEADERS = 1;
    private static final int PING = 6;
    private static final int CONTINUATION = 9;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;

    private final ListenerConfig.Tls tls;

    Http2WireTest(@TempDir Path files) {
        tls = new ListenerConfig.Tls(
                files.resolve("tls.crt"), files.resolve("tls.key"), java.util.List.of(), ClientCertificates.NONE);
        TestCa.of("example.org").issue(new TestCa.Leaf().dnsName(HOST)).writeTo(tls.certificate(), tls.key());
    }

    @Test
    void a_denial_is_a_problem_document_without_fields_of_http_1() throws Exception {
        try (var server = WireServer.denying(DENIED).tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            var stream = client.request("GET", HOST, true);

            assertThat(stream.next()).isEqualTo("HEADERS 403");
            assertThat(stream.head().get("content-type")).hasToString("application/problem+json");
            assertThat(stream.head().get("content-length")).hasToString("140");
            assertThat(stream.head().contains("connection")).isFalse();
            assertThat(stream.head().contains("transfer-encoding")).isFalse();
            assertThat(stream.next()).startsWith("DATA {\"type\":\"https://sallyport.io/errors/forbidden\"");
            assertThat(server.outcome()).isEqualTo(new Outcome.Refused(DENIED));
        }
    }

    @Test
    void the_head_says_what_the_connection_is() throws Exception {
        try (var server = WireServer.denying(DENIED).tls(tls).start();
                var client = Http2Client.connect(server.port(), "API.example.org")) {
            client.request("GET", HOST, true).next();

            var head = server.ended().context().head();
            assertThat(head.isHttp2()).isTrue();
            assertThat(head.peerAddress().getAddress().isLoopbackAddress()).isTrue();
            var connection = Objects.requireNonNull(head.tls());
            assertThat(connection.protocol()).isEqualTo("TLSv1.3");
            assertThat(connection.serverName()).isEqualTo(HOST);
            assertThat(connection.peer()).isNull();
        }
    }

    @Test
    void a_denied_request_with_a_body_is_answered_and_its_stream_reset_without_error() throws Exception {
        try (var server = WireServer.denying(DENIED).tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            var stream = client.request("POST", HOST, false).send("the first part", false);

            assertThat(stream.next()).isEqualTo("HEADERS 403");
            assertThat(stream.next()).startsWith("DATA {");
            var end = stream.next();
            assertThat(end.equals("DATA .") ? stream.next() : end).isEqualTo("RESET NO_ERROR");
            assertThat(server.outcome()).isEqualTo(new Outcome.Refused(DENIED));

            // The connection serves on.
            assertThat(client.request("GET", HOST, true).next()).isEqualTo("HEADERS 403");
            assertThat(client.isConnected()).isTrue();
        }
    }

    @Test
    void the_answer_to_HEAD_has_no_body() throws Exception {
        try (var server = WireServer.denying(DENIED).tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            assertThat(client.request("HEAD", HOST, true).next()).isEqualTo("HEADERS 403.");
        }
    }

    /** Each request keeps its event loop so busy that two make a turn which is too long. */
    @Test
    void a_loop_that_is_behind_answers_everybody() throws Exception {
        var server = WireServer.denying(DENIED).tls(tls).judging(_ -> {
            long until = System.nanoTime() + LoopPace.LONGEST_TURN * 2 / 3;
            long work = 0;
            while (System.nanoTime() < until) {
                work++;
            }
            assertThat(work).isPositive();
            return new Verdict.Deny(DENIED);
        });
        var clients = new ArrayList<Http2Client>();
        try (var _ = server.start()) {
            var streams = new ArrayList<Http2Client.Stream>();
            for (int i = 0; i < 12; i++) {
                clients.add(Http2Client.connect(server.port(), HOST));
            }
            for (int i = 0; i < 10; i++) {
                for (var client : clients) {
                    streams.add(client.request("GET", HOST, true));
                }
            }
            for (var stream : streams) {
                assertThat(stream.next()).isEqualTo("HEADERS 403");
            }
        } finally {
            for (var client : clients) {
                client.close();
            }
        }
    }

    @Test
    void a_stream_that_the_client_resets_cancels_the_forwarder() throws Exception {
        var forwarding = new CountDownLatch(1);
        var cancelled = new CountDownLatch(1);
        var never = TestForwarders.never(forwarding::countDown, cancelled::countDown);
        try (var server = WireServer.permitting(never).tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            var stream = client.request("GET", HOST, true);
            happens(forwarding);
            stream.reset();

            happens(cancelled);
            assertThat(server.outcome()).isEqualTo(new Outcome.Cancelled(0));
            assertThat(client.isConnected()).isTrue();
        }
    }

    @Test
    void an_answer_that_breaks_off_is_reset_and_not_ended() throws Exception {
        var failing = TestForwarders.streaming(
                200, new TestBody(body -> body.part("the first half").fail(new ForwardFailure(FAILED, null))));
        try (var server = WireServer.permitting(failing).tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            var stream = client.request("GET", HOST, true);

            assertThat(stream.next()).isEqualTo("HEADERS 200");
            var next = stream.next();
            assertThat(next.equals("DATA the first half") ? stream.next() : next)
                    .isEqualTo("RESET INTERNAL_ERROR");
            assertThat(server.outcome()).isEqualTo(new Outcome.Aborted(200, FAILED));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_streamed_body_that_outgrows_the_route_is_a_413() throws Exception {
        var reading = TestForwarders.reading((client, _) -> TestForwarders.answer(client, "read"));
        try (var server = WireServer.permitting(reading)
                        .maxBody(DataSize.ofBytes(10))
                        .tls(tls)
                        .start();
                var client = Http2Client.connect(server.port(), HOST)) {
            var stream =
                    client.request("POST", HOST, false).send("six by", false).send("six by", false);

            assertThat(stream.next()).isEqualTo("HEADERS 413");
            var outcome = (Outcome.Refused) server.outcome();
            assertThat(outcome.denial().reason()).isEqualTo(Reason.EDGE_BODY_TOO_LARGE);
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    /** RFC 9113 leaves it to the codec otherwise, which would answer without a record. */
    @Test
    void a_head_that_is_too_large_is_left_to_the_pipeline_to_refuse() throws Exception {
        try (var server = WireServer.denying(DENIED)
                        .maxHeaders(DataSize.ofKilobytes(1))
                        .tls(tls)
                        .start();
                var client = Http2Client.connect(server.port(), HOST)) {
            assertThat(client.request("GET", HOST, true, "x-large", "x".repeat(2_000))
                            .next())
                    .isEqualTo("HEADERS 403");
            assertThat(server.outcome()).isEqualTo(new Outcome.Refused(DENIED));
        }
    }

    /** Rapid reset, CVE-2023-44487. */
    @Test
    void a_client_that_opens_streams_only_to_reset_them_loses_its_connection() throws Exception {
        var never = TestForwarders.never(() -> {}, () -> {});
        try (var server = WireServer.permitting(never).tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            for (int i = 0; i < 250 && client.isConnected(); i++) {
                client.openAndReset(HOST);
            }

            assertThat(client.isEndedByServer()).isTrue();
        }
    }

    /** CVE-2019-9512. */
    @Test
    void a_flood_of_frames_ends_its_connection_and_is_recorded() throws Exception {
        try (var server = new WireServer().tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            client.request("GET", HOST, true).next();
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
            for (int i = 0; i < 1_020 && client.isConnected(); i++) {
                client.raw(PING, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8);
            }

            assertThat(client.isEndedByServer()).isTrue();
            assertThat(server.outcome()).isEqualTo(refused(Reason.EDGE_PROTOCOL_ERROR));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    /** MadeYouReset, CVE-2025-8671. */
    @Test
    void a_client_that_has_its_streams_reset_again_and_again_loses_its_connection() throws Exception {
        try (var server = new WireServer().tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            for (int i = 0; i < 100; i++) {
                assertThat(client.request("GET", HOST, true, "host", "evil.test")
                                .next())
                        .isEqualTo("RESET PROTOCOL_ERROR");
            }
            assertThat(client.isConnected()).isTrue();

            client.request("GET", HOST, true, "host", "evil.test");

            assertThat(client.isEndedByServer()).isTrue();
        }
    }

    @Test
    void a_head_that_does_not_end_in_time_ends_its_connection_and_is_recorded() throws Exception {
        try (var server = new WireServer()
                        .requestTimeout(Duration.ofMillis(300))
                        .tls(tls)
                        .start();
                var client = Http2Client.connect(server.port(), HOST)) {
            client.request("GET", HOST, true).next();
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));

            // Another piece each time, so that the connection is never idle.
            client.raw(HEADERS, 0, 5, 0x82);
            while (client.isConnected()) {
                client.raw(CONTINUATION, 0, 5);
                if (client.isEndedWithin(Duration.ofMillis(30))) {
                    break;
                }
            }

            assertThat(server.outcome()).isEqualTo(refused(Reason.EDGE_REQUEST_TIMEOUT));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_head_that_the_codec_refuses_is_recorded() throws Exception {
        try (var server = new WireServer().tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            assertThat(client.request("GET", HOST, true, "X-Upper-Case", "x").next())
                    .isEqualTo("RESET PROTOCOL_ERROR");
            assertThat(server.outcome()).isEqualTo(refused(Reason.EDGE_PROTOCOL_ERROR));

            assertThat(client.request("GET", HOST, true).next()).isEqualTo("HEADERS 200");
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
        }
    }

    @Test
    void a_head_without_what_makes_it_a_request_is_reset_and_recorded() throws Exception {
        try (var server = new WireServer().tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            assertThat(client.request("GET", HOST, true, "host", "evil.test").next())
                    .isEqualTo("RESET PROTOCOL_ERROR");
            assertThat(server.outcome()).isEqualTo(refused(Reason.EDGE_PROTOCOL_ERROR));
            assertThat(server.hasAnotherOutcome()).isFalse();
            assertThat(client.isConnected()).isTrue();
        }
    }

    /** RFC 9113 section 5.1. */
    @Test
    void a_head_on_a_stream_that_has_ended_ends_the_connection_and_is_recorded() throws Exception {
        try (var server = new WireServer().tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            var stream = client.request("GET", HOST, true);
            while (!stream.next().endsWith(".")) {
                // its answer
            }
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));

            client.raw(HEADERS, END_STREAM | END_HEADERS, 3, 0x82);

            assertThat(client.isEndedByServer()).isTrue();
            assertThat(server.outcome()).isEqualTo(refused(Reason.EDGE_PROTOCOL_ERROR));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void trailers_on_a_stream_that_was_reset_meanwhile_are_nobodys_fault() throws Exception {
        try (var server = WireServer.denying(DENIED).tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            var stream = client.request("POST", HOST, false);
            while (!stream.next().startsWith("RESET")) {
                // the answer before it
            }

            // A literal field that is not indexed, x: y.
            client.raw(HEADERS, END_STREAM | END_HEADERS, 3, 0, 1, 'x', 1, 'y');

            assertThat(client.request("GET", HOST, true).next()).isEqualTo("HEADERS 403");
        }
    }

    @Test
    void a_body_that_is_not_as_long_as_it_says_is_reset_recorded_and_never_complete() throws Exception {
        var read = new LinkedBlockingQueue<String>();
        var cancelled = new CountDownLatch(1);
        Forwarder reading = (_, client) -> {
            client.onLeave(cancelled::countDown);
            client.body().take(noting(read, () -> read.add("complete")));
        };
        try (var server = WireServer.permitting(reading).tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            var stream = client.request("POST", HOST, false, "content-length", "5")
                    .send("hel", false)
                    .send("lo", false)
                    .send("!", true);

            assertThat(stream.next()).isEqualTo("RESET PROTOCOL_ERROR");
            happens(cancelled);
            assertThat(read).containsExactly("hel");
            assertThat(server.outcome()).isEqualTo(refused(Reason.EDGE_BODY_MALFORMED));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_body_that_is_as_long_as_it_says_is_complete_when_its_stream_ends() throws Exception {
        var read = new LinkedBlockingQueue<String>();
        Forwarder reading = (_, client) -> client.body().take(noting(read, () -> TestForwarders.answer(client, "")));
        try (var server = WireServer.permitting(reading).tls(tls).start();
                var client = Http2Client.connect(server.port(), HOST)) {
            var stream = client.request("POST", HOST, false, "content-length", "5")
                    .send("hel", false)
                    .send("lo", false)
                    .send("", true);

            assertThat(stream.next()).startsWith("HEADERS 200");
            assertThat(String.join("", read)).isEqualTo("hello");
        }
    }

    private static Body.Taker noting(Queue<String> read, Runnable complete) {
        return new Body.Taker() {
            @Override
            public void part(ByteBuf content) {
                read.add(content.toString(StandardCharsets.US_ASCII));
                content.release();
            }

            @Override
            public void pause() {}

            @Override
            public void end(HttpHeaders trailers) {
                complete.run();
            }

            @Override
            public void failed(Throwable why) {}
        };
    }

    private static Outcome refused(Reason reason) {
        return new Outcome.Refused(new Denial.Rejected(reason));
    }

    @Test
    void http_1_over_tls_is_served_and_guarded() throws Exception {
        try (var server = new WireServer().tls(tls).start()) {
            var answer = HttpClient.create()
                    .secure(spec -> spec.sslContext(InsecureTls.CLIENT))
                    .get()
                    .uri("https://localhost:" + server.port() + "/")
                    .responseSingle((response, body) -> body.asString().map(text -> response.version() + " " + text))
                    .block();

            assertThat(answer).isEqualTo("HTTP/1.1 forwarded");
            var head = server.ended().context().head();
            assertThat(head.isHttp2()).isFalse();
            assertThat(Objects.requireNonNull(head.tls()).protocol()).isEqualTo("TLSv1.3");
        }
    }

    @Test
    void http_2_in_plaintext_is_refused() throws Exception {
        try (var server = new WireServer().start();
                var client = server.connect().send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) {
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 400 Bad Request\r\n");
            assertThat(((Outcome.Refused) server.outcome()).denial().reason())
                    .isEqualTo(Reason.EDGE_REQUEST_LINE_MALFORMED);
        }
    }

    @Test
    void an_old_version_or_suite_of_tls_gets_no_handshake() {
        try (var server = new WireServer().tls(tls).start()) {
            for (var old :
                    java.util.List.of("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256")) {
                assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> HttpClient.create()
                                .secure(spec -> spec.sslContext(InsecureTls.withSuite(old)))
                                .get()
                                .uri("https://localhost:" + server.port() + "/")
                                .response()
                                .block()))
                        .as(old)
                        .hasRootCauseInstanceOf(SSLHandshakeException.class);
            }
        }
    }

    private static void happens(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    }
}
