// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.http1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.forward.TestForwarders;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.wire.RawClient;
import io.sallyport.wire.WireServer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

class Http1ConnectionTest {
    private static final Denial DENIED = new Denial.Forbidden(Reason.RISK_DENIED);
    private static final String YES = "GET /yes HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private static final String NO = "GET /no HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private static final Outcome REFUSED = new Outcome.Refused(DENIED);
    private static final Outcome ANSWERED = new Outcome.Answered(200);

    /** More than all buffers between two processes hold. */
    private static final int MUCH = 256 * 1024 * 1024;

    private static WireServer server() {
        return new WireServer().judging(Http1ConnectionTest::judge);
    }

    private static Verdict judge(RequestContext context) {
        return context.head().target().equals("/no") ? new Verdict.Deny(DENIED) : Verdict.Pass.PASS;
    }

    @Test
    void a_connection_serves_on_after_a_refusal() throws Exception {
        try (var server = server().start();
                var client = server.connect()) {
            assertThat(client.send(NO).readAnswer()).startsWith("HTTP/1.1 403 ").doesNotContain("connection:");
            assertThat(client.send(NO).readAnswer()).startsWith("HTTP/1.1 403 ");
            assertThat(client.send(YES).readAnswer()).startsWith("HTTP/1.1 200 ");
            assertThat(client.send(NO).readAnswer()).startsWith("HTTP/1.1 403 ");

            for (var outcome : new Outcome[] {REFUSED, REFUSED, ANSWERED, REFUSED}) {
                assertThat(server.outcome()).isEqualTo(outcome);
            }
        }
    }

    @Test
    void a_refusal_keeps_its_place_among_pipelined_requests() throws Exception {
        var slow = TestForwarders.answeringAfter(Duration.ofMillis(50), "forwarded");
        try (var server = WireServer.permitting(slow)
                        .judging(Http1ConnectionTest::judge)
                        .start();
                var client = server.connect().send(NO + YES + NO + NO + YES + NO + NO.replace("GET", "HEAD") + YES)) {
            var statuses = new ArrayList<String>();
            for (int i = 0; i < 8; i++) {
                var head = client.readHead();
                statuses.add(head.substring(9, 12));
                if (i != 6) {
                    skipBody(client, head);
                }
            }

            assertThat(statuses).containsExactly("403", "200", "403", "403", "200", "403", "403", "200");
        }
    }

    private static void skipBody(RawClient client, String head) throws IOException {
        if (head.contains("chunked")) {
            // One chunk and the last.
            assertThat(client.readLine()).isEqualTo("9");
            client.skip("forwarded\r\n0\r\n\r\n".length());
        } else {
            client.skip(Integer.parseInt(head.replaceFirst("(?s).*content-length: (\\d+)\r\n.*", "$1")));
        }
    }

    @Test
    void a_refused_head_request_gets_the_head_alone() throws Exception {
        try (var server = server().start();
                var client = server.connect().send(NO.replace("GET", "HEAD"))) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 403 ").contains("\r\ncontent-length: ");
            assertThat(client.send(YES).readAnswer()).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void who_asks_for_the_last_answer_gets_it_and_the_end() throws Exception {
        assertRefusedAndEnded(NO.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    }

    @Test
    void nothing_is_judged_behind_a_permitted_request_that_is_the_last() throws Exception {
        var last = YES.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        try (var server = server().start();
                var client = server.connect().send(last + NO)) {
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 200 ").doesNotContain("HTTP/1.1 403");
            assertThat(server.outcome()).isEqualTo(ANSWERED);
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_refused_body_is_neither_read_nor_taken_for_a_request() throws Exception {
        assertRefusedAndEnded(
                "POST /no HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + YES.length() + "\r\n\r\n" + YES);
    }

    /** And nothing of what follows has been taken for a request. */
    private static void assertRefusedAndEnded(String request) throws Exception {
        try (var server = server().start();
                var client = server.connect().send(request + YES)) {
            assertThat(client.readToEnd())
                    .startsWith("HTTP/1.1 403 ")
                    .contains("\r\nconnection: close\r\n")
                    .doesNotContain("HTTP/1.1 200");
            assertThat(server.outcome()).isEqualTo(REFUSED);
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    /** What is not read any more stays with the kernel, and then with the client. */
    @Test
    void who_asks_and_never_reads_is_not_listened_to_for_long() throws Exception {
        try (var server = server().listening(listener -> listener.answerTimeout(Duration.ofMillis(300)))
                        .start();
                var client = server.connect()) {
            var many = NO.repeat(1_000);

            assertThatThrownBy(() -> {
                        for (int sent = 0; sent < MUCH; sent += many.length()) {
                            client.send(many);
                        }
                    })
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void who_reads_its_refusals_late_gets_them_all() throws Exception {
        int all = 50_000;
        try (var server = server().requestTimeout(Duration.ofMillis(200)).start();
                var client = server.connect()) {
            var sender = Thread.ofVirtual().start(() -> {
                try {
                    client.send(NO.repeat(all));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            int judged = 0;
            while (server.ended(Duration.ofMillis(500)) != null) {
                judged++;
            }
            // Nothing goes either way until somebody reads.
            assertThat(judged).isLessThan(all);
            int each = client.readAnswer().length();
            client.skip((all - 1) * each);
            assertThat(client.send(YES).readAnswer()).startsWith("HTTP/1.1 200 ");
            sender.join();
        }
    }
}
