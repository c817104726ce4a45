// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.TestForwarders;
import io.sallyport.pipeline.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.springframework.util.unit.DataSize;

/** Bytes that never become a request are answered and recorded like requests that were refused. */
class FramingRefusalTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private static final String FOLDED = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Folded: a\r\n b\r\n\r\n";
    private static final String POST_CHUNKED =
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";

    @Test
    void what_the_guard_refuses_is_a_problem_document_and_a_record() throws Exception {
        try (var server = new WireServer().start();
                var client = server.connect().send(FOLDED)) {
            var answer = client.readToEnd();

            var ended = server.ended();
            var id = ended.context().requestId().toString();
            assertThat(answer)
                    .isEqualTo("HTTP/1.1 400 Bad Request\r\n"
                            + "date: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
                            + "content-type: application/problem+json\r\n"
                            + "content-length: 144\r\n"
                            + "cache-control: no-store\r\n"
                            + "x-request-id: " + id + "\r\n"
                            + "connection: close\r\n"
                            + "\r\n"
                            + "{\"type\":\"https://sallyport.io/errors/bad_request\",\"title\":\"Bad request\",\"status\":400,"
                            + "\"instance\":\"urn:uuid:" + id + "\"}");
            assertThat(reasonOf(ended.outcome())).isEqualTo(Reason.EDGE_HEADER_MALFORMED);
            assertThat(ended.context().client()).isNotNull();
            assertThat(ended.context().head().headers().isEmpty()).isTrue();
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void without_a_configuration_refused_bytes_are_refused_all_the_same() throws Exception {
        try (var server = new WireServer().withoutSnapshot().start();
                var client = server.connect().send(FOLDED)) {
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 400 Bad Request\r\n");
            assertThat(reasonOf(server.outcome())).isEqualTo(Reason.EDGE_HEADER_MALFORMED);
        }
    }

    /** Each read ends within a head, as it does with a client that pipelines without a pause. */
    @Test
    void heads_that_overlap_are_timed_one_by_one() throws Exception {
        int half = GET.length() / 2;
        var timeout = Duration.ofMillis(600);
        try (var server = new WireServer().requestTimeout(timeout).start();
                var client = server.connect().send(GET.substring(0, half))) {
            for (int i = 0; i < 6; i++) {
                Thread.sleep(timeout.dividedBy(4));
                client.send(GET.substring(half) + GET.substring(0, half));
                assertThat(client.readAnswer()).startsWith("HTTP/1.1 200 ");
            }
        }
    }

    @Test
    void a_head_that_is_too_large_is_a_431_before_the_codec_has_its_say() throws Exception {
        try (var server = new WireServer().maxHeaders(DataSize.ofKilobytes(1)).start();
                var client = server.connect()
                        .send("GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: " + "x".repeat(1_100) + "\r\n\r\n")) {
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n");
            assertThat(reasonOf(server.outcome())).isEqualTo(Reason.EDGE_HEADERS_TOO_LARGE);
        }
    }

    @Test
    void requests_before_the_refused_one_are_answered_first() throws Exception {
        var slow = TestForwarders.answeringAfter(Duration.ofMillis(50), "forwarded");
        try (var server = WireServer.permitting(slow).start();
                var client = server.connect().send(GET + GET + FOLDED + GET)) {
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 200 OK\r\n");
            var rest = client.readToEnd();

            assertThat(rest).startsWith("HTTP/1.1 400 Bad Request\r\n");
            assertThat(rest.split("HTTP/1.1 ", -1)).hasSize(2);
            assertThat(List.of(server.outcome(), server.outcome(), server.outcome()))
                    .containsExactly(
                            new Outcome.Answered(200),
                            new Outcome.Answered(200),
                            new Outcome.Refused(new Denial.Rejected(Reason.EDGE_HEADER_MALFORMED)));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_body_that_breaks_its_framing_ends_the_exchange_that_reads_it() throws Exception {
        var forwarding = new CountDownLatch(1);
        var cancelled = new CountDownLatch(1);
        var completed = new CountDownLatch(1);
        Forwarder reading = (permit, client) -> {
            client.onLeave(cancelled::countDown);
            forwarding.countDown();
            TestForwarders.reading((_, _) -> completed.countDown()).forward(permit, client);
        };
        try (var server = WireServer.permitting(reading).start();
                var client = server.connect().send(POST_CHUNKED + "5\r\nhello\r\n")) {
            assertThat(forwarding.await(10, TimeUnit.SECONDS)).isTrue();
            client.send("zz\r\n");

            assertThat(client.readToEnd())
                    .startsWith("HTTP/1.1 400 Bad Request\r\n")
                    .contains("\r\nconnection: close\r\n");
            assertThat(cancelled.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(completed.getCount())
                    .as("the body looked complete to the upstream")
                    .isEqualTo(1);
            assertThat(reasonOf(server.outcome())).isEqualTo(Reason.EDGE_BODY_MALFORMED);
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_body_that_is_cut_ends_the_exchange_and_never_looks_complete() throws Exception {
        var forwarding = new CountDownLatch(1);
        var completed = new CountDownLatch(1);
        Forwarder reading = (permit, client) -> {
            forwarding.countDown();
            TestForwarders.reading((_, _) -> completed.countDown()).forward(permit, client);
        };
        try (var server = WireServer.permitting(reading).start();
                var client =
                        server.connect().send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhello")) {
            assertThat(forwarding.await(10, TimeUnit.SECONDS)).isTrue();
            client.endOutput();

            assertThat(reasonOf(server.outcome())).isEqualTo(Reason.EDGE_BODY_MALFORMED);
            assertThat(completed.getCount())
                    .as("the body looked complete to the upstream")
                    .isEqualTo(1);
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_head_that_trickles_in_is_a_408() throws Exception {
        try (var server =
                        new WireServer().requestTimeout(Duration.ofMillis(100)).start();
                var client = server.connect().send("GET / HTTP/1.1\r\nHost: local")) {
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 408 Request Timeout\r\n");
            assertThat(reasonOf(server.outcome())).isEqualTo(Reason.EDGE_REQUEST_TIMEOUT);
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_head_in_pieces_that_comes_in_time_is_a_request() throws Exception {
        try (var server = new WireServer().start();
                var client = server.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: local").send("host\r\n\r\n");

            assertThat(client.readAnswer()).startsWith("HTTP/1.1 200 OK\r\n");
        }
    }

    @Test
    void an_answer_may_take_longer_than_a_head() throws Exception {
        var slow = TestForwarders.answeringAfter(Duration.ofMillis(300), "forwarded");
        try (var server = WireServer.permitting(slow)
                        .requestTimeout(Duration.ofMillis(100))
                        .start();
                var client = server.connect().send(GET)) {
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
        }
    }

    private static Reason reasonOf(Outcome outcome) {
        return ((Outcome.Refused) outcome).denial().reason();
    }
}
