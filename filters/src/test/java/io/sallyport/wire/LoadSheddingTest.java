// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.pipeline.Outcome;
import io.sallyport.wire.shedding.SheddingConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A listener whose event loops cannot keep up. */
class LoadSheddingTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private static final Denial DENIED = new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED);

    @Test
    void what_is_too_much_is_a_503_that_says_when_to_come_back_and_is_recorded_and_the_rest_is_answered()
            throws Exception {
        var server = new WireServer()
                .judging(_ -> {
                    work(Duration.ofMillis(15));
                    return new Verdict.Deny(DENIED);
                })
                .listening(listener -> listener.shedding(new SheddingConfig(Duration.ofMillis(10), 100)));
        try (var started = server.start()) {
            var answers = answersUntilOneIsRefused(started);

            assertThat(answers).anyMatch(answer -> answer.startsWith("HTTP/1.1 403 "));
            assertThat(answers.getLast())
                    .startsWith("HTTP/1.1 503 Service Unavailable\r\n")
                    .containsPattern("\r\nretry-after: [1-4]\r\n")
                    .contains("https://sallyport.io/errors/unavailable")
                    .doesNotContain("connection: close");
            var outcomes = new ArrayList<Outcome>();
            for (int i = 0; i < answers.size(); i++) {
                outcomes.add(started.outcome());
            }
            assertThat(outcomes)
                    .anySatisfy(outcome -> assertThat(
                                    ((Outcome.Refused) outcome).denial().reason())
                            .isEqualTo(Reason.PIPELINE_OVERLOADED));
            assertThat(started.meters
                            .get("sallyport.event.loop.lag.seconds")
                            .gauge()
                            .value())
                    .isPositive();
        }
    }

    /** More clients than event loops, so that on each loop somebody always waits for somebody else. */
    private static List<String> answersUntilOneIsRefused(WireServer server) throws Exception {
        var clients = new ArrayList<RawClient>();
        var answers = new ArrayList<String>();
        try {
            for (int i = 0; i < 40; i++) {
                clients.add(server.connect());
            }
            for (int round = 0; round < 100; round++) {
                for (var client : clients) {
                    client.send(GET);
                }
                for (var client : clients) {
                    answers.add(client.readAnswer());
                }
                for (int i = answers.size() - clients.size(); i < answers.size(); i++) {
                    if (answers.get(i).startsWith("HTTP/1.1 503 ")) {
                        answers.add(answers.remove(i));
                        return answers;
                    }
                }
            }
            throw new AssertionError("nothing was refused");
        } finally {
            for (var client : clients) {
                client.close();
            }
        }
    }

    /** Keeps the event loop busy, as much work does; blocking it is not allowed. */
    private static void work(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        long looks = 0;
        while (System.nanoTime() < end) {
            looks++;
        }
        assertThat(looks).isPositive();
    }
}
