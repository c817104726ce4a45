// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.PolicyName;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.forward.Disclosure;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.RouteFilters;
import io.sallyport.forward.StreamLimit;
import io.sallyport.forward.TestTarget;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.RateLimitState;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.WireServer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a refused client reads, byte for byte. */
class DenialResponseTest {
    private static final Denial FORBIDDEN = new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED);
    private static final String GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    @Test
    void a_denial_is_a_problem_document_that_says_the_public_code_and_the_request_id_alone() throws Exception {
        try (var server = WireServer.denying(FORBIDDEN).start();
                var client = server.connect().send(GET)) {
            var answer = client.readAnswer();

            var id = server.ended().context().requestId().toString();
            assertThat(answer)
                    .isEqualTo("HTTP/1.1 403 Forbidden\r\n"
                            + "date: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
                            + "content-type: application/problem+json\r\n"
                            + "content-length: 140\r\n"
                            + "cache-control: no-store\r\n"
                            + "x-request-id: " + id + "\r\n"
                            + "\r\n"
                            + "{\"type\":\"https://sallyport.io/errors/forbidden\",\"title\":\"Forbidden\",\"status\":403,"
                            + "\"instance\":\"urn:uuid:" + id + "\"}");
        }
    }

    @Test
    void every_challenge_is_a_field_of_its_own() throws Exception {
        var denial = new Denial.Unauthenticated(
                Reason.AUTHENTICATE_JWT_MISSING,
                List.of(Challenge.bearer(Map.of("realm", "corp")), Challenge.bearer(Map.of("realm", "partners"))));

        assertThat(headOf(denial))
                .startsWith("HTTP/1.1 401 Unauthorized\r\n")
                .contains(
                        "\r\nwww-authenticate: Bearer realm=\"corp\"\r\nwww-authenticate: Bearer realm=\"partners\"\r\n");
    }

    @Test
    void a_challenge_that_a_400_or_403_carries_is_sent() throws Exception {
        var challenge = Challenge.bearer(Map.of("error", "invalid_request"));

        assertThat(headOf(new Denial.Rejected(Reason.AUTHENTICATE_JWT_AMBIGUOUS, challenge)))
                .contains("\r\nwww-authenticate: Bearer error=\"invalid_request\"\r\n");
        assertThat(headOf(new Denial.Forbidden(Reason.AUTHORIZE_SCOPE_INSUFFICIENT, challenge)))
                .contains("\r\nwww-authenticate: Bearer error=\"invalid_request\"\r\n");
    }

    @Test
    void a_method_that_is_not_allowed_is_told_which_ones_are() throws Exception {
        var denial = new Denial.MethodNotAllowed(
                Reason.AUTHORIZE_METHOD_NOT_ALLOWED, Set.of(HttpMethod.PUT, HttpMethod.GET));

        assertThat(headOf(denial))
                .startsWith("HTTP/1.1 405 Method Not Allowed\r\n")
                .contains("\r\nallow: GET, PUT\r\n");
    }

    @Test
    void another_version_of_websockets_is_told_which_one_is_spoken() throws Exception {
        assertThat(headOf(new Denial.UpgradeRequired(Reason.FORWARD_WEBSOCKET_VERSION)))
                .startsWith("HTTP/1.1 426 Upgrade Required\r\n")
                .contains("\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n");
    }

    @Test
    void a_refused_client_that_asked_for_another_protocol_is_not_listened_to_any_further() throws Exception {
        try (var server = WireServer.denying(FORBIDDEN).start();
                var client = server.connect()
                        .send("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
                                + GET)) {
            assertThat(client.readToEnd()).containsOnlyOnce("HTTP/1.1").contains("\r\nconnection: close\r\n");
            server.ended();
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void an_exceeded_limit_names_its_policies_and_its_delay_rounded_up() throws Exception {
        var denial = new Denial.Throttled(
                Reason.RATELIMIT_EXCEEDED,
                Duration.ofMillis(1_001),
                List.of(new PolicyName("user"), new PolicyName("route-wide")));
        var server = WireServer.denying(denial).judging(context -> {
            context.rateLimitState(new RateLimitState("\"user\";q=100;w=60", "\"user\";r=0;t=2"));
            return new Verdict.Deny(denial);
        });

        var answer = answerOf(server);

        assertThat(answer)
                .contains("\r\nretry-after: 2\r\n")
                .contains("\r\nratelimit-policy: \"user\";q=100;w=60\r\nratelimit: \"user\";r=0;t=2\r\n")
                .contains(
                        "{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\",\"title\":\"Too many requests\"")
                .endsWith("\",\"violated-policies\":[\"user\",\"route-wide\"]}");
    }

    @Test
    void a_flood_has_no_policy_to_name() throws Exception {
        var denial = new Denial.Throttled(Reason.FLOOD_AUTHENTICATION_FAILURES, Duration.ofSeconds(60), List.of());

        assertThat(answerOf(WireServer.denying(denial)))
                .contains("{\"type\":\"https://sallyport.io/errors/rate_limited\"")
                .contains("\r\nretry-after: 60\r\n")
                .doesNotContain("violated-policies");
    }

    @Test
    void what_could_not_be_decided_may_be_tried_again() throws Exception {
        assertThat(headOf(new Denial.Unavailable(Reason.AUTHENTICATE_JWKS_UNAVAILABLE, Duration.ofSeconds(5))))
                .startsWith("HTTP/1.1 503 Service Unavailable\r\n")
                .contains("\r\nretry-after: 5\r\n");
    }

    @Test
    void the_answer_to_HEAD_has_the_same_head_and_no_body() throws Exception {
        try (var server = WireServer.denying(FORBIDDEN).start();
                var client = server.connect().send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
            var head = client.readHead();

            // What follows the head is the next answer, not a body.
            assertThat(head).contains("\r\ncontent-length: 140\r\n").doesNotContain("transfer-encoding");
            assertThat(client.send(GET).readHead()).startsWith("HTTP/1.1 403 Forbidden\r\n");
        }
    }

    @Test
    void a_denied_request_without_a_body_leaves_the_connection_open() throws Exception {
        try (var server = WireServer.denying(FORBIDDEN).start();
                var client = server.connect()) {
            assertThat(client.send(GET).readAnswer()).doesNotContain("connection:");
            assertThat(client.send(GET).readAnswer()).startsWith("HTTP/1.1 403 Forbidden\r\n");
        }
    }

    @Test
    void pipelined_requests_after_a_denied_one_are_each_answered_in_order() throws Exception {
        try (var server = WireServer.denying(FORBIDDEN).start();
                var client = server.connect().send(GET + GET + GET)) {
            for (int i = 0; i < 3; i++) {
                var answer = client.readAnswer();
                assertThat(answer).contains(server.ended().context().requestId().toString());
            }
        }
    }

    @Test
    void a_denied_request_with_a_body_ends_its_connection_and_nothing_after_it_is_read() throws Exception {
        try (var server = WireServer.denying(FORBIDDEN).start();
                var client = server.connect()
                        .send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello" + GET)) {
            var answer = client.readToEnd();

            assertThat(answer).startsWith("HTTP/1.1 403 Forbidden\r\n").contains("\r\nconnection: close\r\n");
            assertThat(answer.split("HTTP/1.1 ", -1)).hasSize(2);
            assertThat(server.outcome()).isEqualTo(new Outcome.Refused(FORBIDDEN));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_client_that_is_still_sending_a_large_body_reads_the_answer_and_no_reset() throws Exception {
        try (var server = WireServer.denying(FORBIDDEN).start();
                var client = server.connect()
                        .send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n")) {
            var mebibyte = "x".repeat(1 << 20);
            for (int i = 0; i < 4; i++) {
                client.send(mebibyte);
            }
            client.endOutput();

            assertThat(client.readToEnd())
                    .startsWith("HTTP/1.1 403 Forbidden\r\n")
                    .endsWith("\"}");
        }
    }

    @Test
    void a_denied_request_that_expects_100_is_never_asked_for_its_body() throws Exception {
        try (var server = WireServer.denying(FORBIDDEN).start();
                var client = server.connect()
                        .send(
                                "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")) {
            var answer = client.readToEnd();

            assertThat(answer).startsWith("HTTP/1.1 403 Forbidden\r\n").contains("\r\nconnection: close\r\n");
        }
    }

    @Test
    void a_page_that_may_read_the_answers_of_a_route_may_read_its_refusals() throws Exception {
        var plan = new ForwardPlan(
                TestTarget.plaintext(80).build(),
                RouteFilters.NONE,
                LocalForwarderTest.rules("https://app.example.org", HttpMethod.GET),
                new StreamLimit(Duration.ofHours(1), Duration.ZERO),
                null,
                Disclosure.of("localhost"));
        var route = Route.builder("orders", "localhost", Route.Kind.UPSTREAM)
                .settings(StageName.FORWARD, plan)
                .build();
        try (var server = WireServer.denying(FORBIDDEN).on(route).start();
                var client = server.connect()
                        .send("GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example.org\r\n\r\n")) {
            assertThat(client.readAnswer())
                    .startsWith("HTTP/1.1 403 Forbidden\r\n")
                    .contains("\r\naccess-control-allow-origin: https://app.example.org\r\n", "\r\nvary: origin\r\n");
        }
    }

    private static String headOf(Denial denial) throws IOException {
        try (var server = WireServer.denying(denial).start();
                var client = server.connect().send(GET)) {
            return client.readHead();
        }
    }

    private static String answerOf(WireServer server) throws IOException {
        try (var started = server.start();
                var client = started.connect().send(GET)) {
            return client.readAnswer();
        }
    }
}
