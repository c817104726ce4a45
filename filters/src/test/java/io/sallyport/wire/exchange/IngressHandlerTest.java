// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.codec.http.HttpResponseStatus;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.TestBody;
import io.sallyport.forward.TestForwarders;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.pipeline.Outcome;
import io.sallyport.wire.WireServer;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.util.unit.DataSize;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Every way out of the ingress port, each with exactly one outcome. */
@ExtendWith(OutputCaptureExtension.class)
class IngressHandlerTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private static final String POST_CHUNKED =
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final Denial DENIED = new Denial.Forbidden(Reason.RISK_DENIED);
    private static final Denial REFUSED = new Denial.UpstreamFailed(Reason.FORWARD_CONNECT_FAILED);

    private final CountDownLatch forwarding = new CountDownLatch(1);
    private final CountDownLatch forwardCancelled = new CountDownLatch(1);

    @Test
    void a_permitted_request_is_answered_by_the_forwarder() throws Exception {
        try (var server = new WireServer().start();
                var client = server.connect().send(GET)) {
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\nforwarded");
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    // health checks

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /healthz HTTP/1.1\r\nHost: 10.1.2.3:29443\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: nobody.example.org\r\n\r\n",
                "GET /healthz HTTP/1.1\r\n\r\n",
                "GET /healthz HTTP/1.0\r\n\r\n",
                "GET /healthz?from=lb HTTP/1.0\r\n\r\n",
            })
    void a_health_check_needs_no_host_and_is_nobodys(String check) throws Exception {
        var server = new WireServer()
                .judging(_ -> new Verdict.Deny(DENIED))
                .listening(listener -> listener.healthPath("/healthz"));
        try (var started = server.start();
                var client = started.connect().send(check)) {
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\nok\n");
            assertThat(started.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_health_check_by_HEAD_has_no_body_and_the_connection_goes_on() throws Exception {
        var server = new WireServer().listening(listener -> listener.healthPath("/healthz"));
        try (var started = server.start();
                var client = started.connect().send("HEAD /healthz HTTP/1.1\r\n\r\n" + GET)) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n").contains("\r\ncontent-length: 3\r\n");
            assertThat(client.readAnswer()).endsWith("forwarded");
        }
    }

    @Test
    void a_health_check_is_told_that_the_gateway_stops() throws Exception {
        var server = new WireServer().listening(listener -> listener.healthPath("/healthz"));
        try (var started = server.start();
                var client = started.connect()) {
            started.handler().drain();

            assertThat(client.send("GET /healthz HTTP/1.1\r\n\r\n").readAnswer())
                    .startsWith("HTTP/1.1 503 Service Unavailable\r\n");
            assertThat(client.send(GET).readAnswer()).endsWith("forwarded");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /healthzz", "GET /healthz/", "POST /healthz", "GET /%68ealthz"})
    void nothing_else_is_a_health_check(String request) throws Exception {
        var server = new WireServer()
                .judging(_ -> new Verdict.Deny(DENIED))
                .listening(listener -> listener.healthPath("/healthz"));
        try (var started = server.start();
                var client = started.connect().send(request + " HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 403 Forbidden\r\n");
        }
    }

    @Test
    void without_a_configuration_every_request_is_a_503() throws Exception {
        try (var server = new WireServer().withoutSnapshot().start();
                var client = server.connect().send(GET)) {
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 503 Service Unavailable\r\n");
            assertThat(reasonOf(server.outcome())).isEqualTo(Reason.PIPELINE_NOT_READY);
        }
    }

    @Test
    void a_verdict_that_had_to_be_waited_for_refuses_as_well() throws Exception {
        var server = new WireServer()
                .judging(_ -> new Verdict.Pending<>(
                        Mono.<Verdict>just(new Verdict.Deny(DENIED))
                                .delayElement(Duration.ofMillis(5), Schedulers.boundedElastic()),
                        verdict -> verdict));
        try (var started = server.start();
                var client = started.connect().send(GET)) {
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 403 Forbidden\r\n");
            assertThat(started.outcome()).isEqualTo(new Outcome.Refused(DENIED));
            assertThat(started.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_verdict_that_had_to_be_waited_for_permits_as_well() throws Exception {
        var server = new WireServer()
                .judging(_ -> new Verdict.Pending<>(
                        Mono.<Verdict>just(Verdict.Pass.PASS)
                                .delayElement(Duration.ofMillis(5), Schedulers.boundedElastic()),
                        verdict -> verdict));
        try (var started = server.start();
                var client = started.connect().send(GET)) {
            assertThat(client.readAnswer()).endsWith("forwarded");
            assertThat(started.outcome()).isEqualTo(new Outcome.Answered(200));
        }
    }

    @Test
    void a_client_that_goes_away_cancels_the_stage_that_is_asking() throws Exception {
        var server = new WireServer()
                .judging(_ -> new Verdict.Pending<>(
                        Mono.<Verdict>never()
                                .doOnSubscribe(_ -> forwarding.countDown())
                                .doOnCancel(forwardCancelled::countDown),
                        verdict -> verdict));
        try (var started = server.start();
                var client = started.connect().send(GET)) {
            happens(forwarding);
            client.reset();

            happens(forwardCancelled);
            assertThat(started.outcome()).isEqualTo(new Outcome.Cancelled(0));
            assertThat(started.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_client_that_goes_away_before_the_answer_cancels_the_forwarder() throws Exception {
        try (var server = WireServer.permitting(neverAnswering()).start();
                var client = server.connect().send(GET)) {
            happens(forwarding);
            client.reset();

            happens(forwardCancelled);
            assertThat(server.outcome()).isEqualTo(new Outcome.Cancelled(0));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_client_that_goes_away_within_the_answer_leaves_the_status_it_saw() throws Exception {
        var endless = TestForwarders.streaming(206, new TestBody(body -> body.part("tick")));
        try (var server = WireServer.permitting(endless).start();
                var client = server.connect().send(GET)) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 206 Partial Content\r\n");
            client.reset();

            assertThat(server.outcome()).isEqualTo(new Outcome.Cancelled(206));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_forwarder_that_fails_before_it_answers_is_a_refusal() throws Exception {
        Forwarder failing = (_, client) -> client.fail(new ForwardFailure(REFUSED, null));
        try (var server = WireServer.permitting(failing).start();
                var client = server.connect().send(GET)) {
            assertThat(client.readAnswer())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\n")
                    .contains("https://sallyport.io/errors/upstream_unavailable");
            assertThat(server.outcome()).isEqualTo(new Outcome.Refused(REFUSED));
            assertThat(client.send(GET).readAnswer()).startsWith("HTTP/1.1 502 Bad Gateway\r\n");
        }
    }

    @Test
    void a_forwarder_that_fails_within_its_answer_breaks_the_connection_and_does_not_complete_the_answer()
            throws Exception {
        var failing = TestForwarders.streaming(
                200, new TestBody(body -> body.part("the first half").fail(new ForwardFailure(REFUSED, null))));
        try (var server = WireServer.permitting(failing).start();
                var client = server.connect().send(GET)) {
            assertThatThrownBy(() -> {
                        var answer = client.readToEnd();
                        // A reset may also be told before what was sent is read; a last chunk never is.
                        throw new IOException(answer.endsWith("\r\n0\r\n\r\n") ? "complete" : "cut");
                    })
                    .isInstanceOf(IOException.class)
                    .message()
                    .isNotEqualTo("complete");
            assertThat(server.outcome()).isEqualTo(new Outcome.Aborted(200, REFUSED));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_forwarder_that_throws_is_a_502_that_tells_nothing(CapturedOutput output) throws Exception {
        Forwarder throwing = (_, _) -> {
            throw new IllegalStateException("near Authorization: Bearer s3cret");
        };
        try (var server = WireServer.permitting(throwing).start();
                var client = server.connect()
                        .send(
                                "GET /?access=s3cret HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\n\r\n")) {
            var answer = client.readAnswer();

            assertThat(answer).startsWith("HTTP/1.1 502 Bad Gateway\r\n").doesNotContain("IllegalState", "s3cret");
            var ended = server.ended();
            assertThat(ended.outcome())
                    .isEqualTo(new Outcome.Refused(new Denial.UpstreamFailed(Reason.FORWARD_FAILED)
                            .with(Evidence.Key.CAUSE, "java.lang.IllegalStateException")));
            assertThat(output).contains("a request failed in an unforeseen way").doesNotContain("s3cret");
        }
    }

    @Test
    void a_failure_that_nobody_foresaw_is_a_502_that_tells_nothing(CapturedOutput output) throws Exception {
        Forwarder failing = (_, client) -> client.fail(new LinkageError("s3cret"));
        try (var server = WireServer.permitting(failing).start();
                var client = server.connect().send(GET)) {
            assertThat(client.readAnswer())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\n")
                    .doesNotContain("s3cret");
            assertThat(reasonOf(server.outcome())).isEqualTo(Reason.FORWARD_FAILED);
            assertThat(output).doesNotContain("s3cret");
        }
    }

    @Test
    void a_streamed_body_that_outgrows_the_route_is_a_413_and_the_forwarder_is_cancelled() throws Exception {
        try (var server = WireServer.permitting(readingTheBody())
                        .maxBody(DataSize.ofBytes(10))
                        .start();
                var client = server.connect().send(POST_CHUNKED)) {
            happens(forwarding);
            client.send("6\r\nsix by\r\n").send("6\r\nsix by\r\n");

            assertThat(client.readToEnd())
                    .startsWith("HTTP/1.1 413 Request Entity Too Large\r\n")
                    .contains("\r\nconnection: close\r\n");
            happens(forwardCancelled);
            assertThat(reasonOf(server.outcome())).isEqualTo(Reason.EDGE_BODY_TOO_LARGE);
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_body_that_says_that_it_is_longer_than_the_route_allows_is_a_413_and_nobody_forwards_it() throws Exception {
        try (var server = WireServer.permitting(readingTheBody())
                        .maxBody(DataSize.ofBytes(10))
                        .start();
                var client = server.connect()
                        .send("POST / HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 11\r\n\r\n")) {
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 413 Request Entity Too Large\r\n");
            assertThat(reasonOf(server.outcome())).isEqualTo(Reason.EDGE_BODY_TOO_LARGE);
            assertThat(forwarding.getCount()).isOne();
        }
    }

    @Test
    void a_body_of_just_the_allowed_size_passes() throws Exception {
        try (var server = WireServer.permitting(readingTheBody())
                        .maxBody(DataSize.ofBytes(10))
                        .start();
                var client = server.connect().send(POST_CHUNKED).send("5\r\nfive \r\n5\r\nfive \r\n0\r\n\r\n")) {
            assertThat(client.readAnswer()).endsWith("\r\n\r\nfive five ");
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
        }
    }

    @Test
    void a_body_that_outgrows_the_route_within_the_answer_breaks_the_connection() throws Exception {
        Forwarder eager = (_, client) -> client.answer(HttpResponseStatus.OK, TestForwarders.head(), client.body());
        try (var server = WireServer.permitting(eager)
                        .maxBody(DataSize.ofBytes(10))
                        .start();
                var client = server.connect().send(POST_CHUNKED).send("6\r\nsix by\r\n")) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
            client.send("6\r\nsix by\r\n");

            assertThat(server.outcome())
                    .isEqualTo(new Outcome.Aborted(200, new Denial.Rejected(Reason.EDGE_BODY_TOO_LARGE)));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_body_that_stands_still_is_a_408_and_the_forwarder_is_cancelled() throws Exception {
        try (var server = WireServer.permitting(readingTheBody())
                        .bodyTimeout(Duration.ofMillis(100))
                        .start();
                var client = server.connect().send(POST_CHUNKED).send("6\r\nsix by\r\n")) {
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 408 Request Timeout\r\n");
            happens(forwardCancelled);
            assertThat(reasonOf(server.outcome())).isEqualTo(Reason.EDGE_REQUEST_TIMEOUT);
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_body_that_nobody_reads_yet_does_not_count_against_the_client() throws Exception {
        var slow = TestForwarders.after(Duration.ofMillis(300), TestForwarders.echoing());
        try (var server = WireServer.permitting(slow)
                        .bodyTimeout(Duration.ofMillis(100))
                        .start();
                var client =
                        server.connect().send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")) {
            assertThat(client.readAnswer()).endsWith("\r\n\r\nhello");
        }
    }

    @Test
    void a_client_is_asked_for_its_body_when_somebody_reads_it() throws Exception {
        try (var server = WireServer.permitting(readingTheBody()).start();
                var client = server.connect()
                        .send(
                                "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")) {
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            assertThat(client.send("hello").readAnswer())
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .endsWith("hello");
        }
    }

    @Test
    void a_connection_is_counted_from_its_first_byte_to_its_last() throws Exception {
        try (var server = new WireServer().start();
                var client = server.connect().send(GET)) {
            client.readAnswer();

            assertThat(server.connections.accepted).hasValue(1);
            assertThat(server.connections.open).hasValue(1);
        }
    }

    @Test
    void one_connection_more_than_the_listener_holds_is_closed_and_the_others_serve_on() throws Exception {
        try (var server = new WireServer().maxConnections(1).start();
                var first = server.connect().send(GET)) {
            first.readAnswer();
            try (var second = server.connect()) {
                assertThatThrownBy(() -> second.send(GET).readHead()).isInstanceOf(IOException.class);
            }

            assertThat(first.send(GET).readAnswer()).startsWith("HTTP/1.1 200 OK\r\n");
        }
    }

    @Test
    void forwarded_headers_of_a_client_are_not_believed() throws Exception {
        try (var server = new WireServer().start();
                var client = server.connect().send("""
                        GET / HTTP/1.1
                        Host: localhost
                        X-Forwarded-For: 10.1.1.1
                        X-Forwarded-Host: evil.test
                        X-Forwarded-Proto: https
                        X-Forwarded-Port: 1
                        X-Forwarded-Prefix: /admin
                        Forwarded: for=10.1.1.1;host=evil.test

                        """.replace("\n", "\r\n"))) {
            client.readAnswer();

            var head = server.ended().context().head();
            assertThat(head.peerAddress().getAddress().isLoopbackAddress()).isTrue();
            assertThat(head.headers().get("Host")).isEqualTo("localhost");
            assertThat(head.target()).isEqualTo("/");
        }
    }

    private Forwarder neverAnswering() {
        return TestForwarders.never(forwarding::countDown, forwardCancelled::countDown);
    }

    private Forwarder readingTheBody() {
        return (permit, client) -> {
            client.onLeave(forwardCancelled::countDown);
            forwarding.countDown();
            TestForwarders.echoing().forward(permit, client);
        };
    }

    private static void happens(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    }

    private static Reason reasonOf(Outcome outcome) {
        return ((Outcome.Refused) outcome).denial().reason();
    }
}
