// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.scenarios.Load.Result;
import io.sallyport.decision.Reason;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gateway's identity, and its judgement of upstreams', with a real SPIRE that is killed, started again, and told to change its
 * mind. Every scenario looks at what the client, the record and the metrics say.
 */
@ExtendWith(SpireTools.Needed.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SpireIT {
    private static final Logger log = LoggerFactory.getLogger(SpireIT.class);

    /** Renewed after about two seconds, each time, when 13 are left. */
    private static final Duration HURRIED = Duration.ofSeconds(16);

    /** Renewed with each look that the agent takes, every second. */
    private static final Duration RESTLESS = Duration.ofSeconds(12);

    private static final Duration CALM = Duration.ofMinutes(10);
    private static final int ENOUGH = 100;
    private static final String HANDSHAKES = "sallyport_upstream_handshake_total";
    private static final String ROTATIONS = "sallyport_svid_rotations_total";
    private static final String TIME_LEFT = "sallyport_svid_seconds_to_expiry";

    private static SpireWorld world;
    private static boolean registered;

    @BeforeAll
    static void start() throws Exception {
        world = SpireWorld.start(SpireTools.require());
    }

    @AfterAll
    static void stop() {
        if (world != null) {
            world.close();
        }
    }

    private static void givenAnIdentity(Duration ttl) throws Exception {
        if (registered) {
            world.reregister(ttl);
        } else {
            world.register(ttl);
            registered = true;
        }
    }

    @Test
    @Order(1)
    void before_it_has_an_svid_it_lives_is_not_ready_and_connects_to_nobody(TestInfo test) throws Exception {
        assertThat(world.probe("/livez")).isEqualTo(200);
        assertThat(world.probe("/readyz")).isEqualTo(503);

        assertRefused(send("/payments/1", 3), 503, Reason.FORWARD_SVID_MISSING, "payments");

        assertThat(world.metric(TIME_LEFT)).isNaN();
        assertThat(world.payments().bytesReceived()).isZero();

        givenAnIdentity(CALM);
        assertThat(world.get("/payments/1").statusCode()).isEqualTo(200);
        assertThat(world.metric(TIME_LEFT)).isBetween(1.0, CALM.toSeconds() * 1.0);
        report(test, "3 without an SVID, 1 with", 4, 3);
    }

    @Test
    void seven_rotations_fail_no_request(TestInfo test) throws Exception {
        givenAnIdentity(RESTLESS);
        assertThat(world.get("/payments/1").statusCode()).isEqualTo(200);
        var before = world.payments().callerSerials();
        double rotations = world.metric(ROTATIONS);
        double handshakes = handshakes("payments", "verified");
        Result result;
        try (var load = Load.on(world, "payments")) {
            Patience.until("seven more SVIDs are seen upstream", () -> {
                var seen = world.payments().callerSerials();
                return seen.size() >= before.size() + 7;
            });
            load.awaitMore(ENOUGH);
            result = load.stop();
        }

        assertUnharmed(result);
        assertThat(world.metric(ROTATIONS)).isGreaterThanOrEqualTo(rotations + 7);
        assertThat(handshakes("payments", "verified")).isGreaterThanOrEqualTo(handshakes + 7);
        report(test, "rotations: %.0f".formatted(world.metric(ROTATIONS) - rotations), result);
    }

    @Test
    void an_agent_that_is_killed_and_comes_back_fails_no_request(TestInfo test) throws Exception {
        givenAnIdentity(HURRIED);
        Result result;
        try (var load = Load.on(world, "payments")) {
            load.awaitMore(ENOUGH);
            world.agent().kill();
            double rotations = world.metric(ROTATIONS);
            load.awaitMore(5 * ENOUGH);
            assertThat(world.probe("/readyz")).isEqualTo(200);
            assertThat(world.metric(ROTATIONS)).isEqualTo(rotations);

            world.agent().restart();
            Patience.until("the SVID is renewed again", () -> world.metric(ROTATIONS) > rotations);
            load.awaitMore(ENOUGH);
            result = load.stop();
        }

        assertUnharmed(result);
        report(test, "agent killed and back", result);
    }

    @Test
    void a_server_that_is_killed_and_comes_back_fails_no_request(TestInfo test) throws Exception {
        // So long that it outlasts the agent's growing pauses between two attempts.
        givenAnIdentity(Duration.ofSeconds(40));
        Result result;
        try (var load = Load.on(world, "payments")) {
            load.awaitMore(ENOUGH);
            world.server().kill();
            load.awaitMore(5 * ENOUGH);
            assertThat(world.probe("/readyz")).isEqualTo(200);

            world.server().start();
            givenAnIdentity(HURRIED);
            load.awaitMore(ENOUGH);
            result = load.stop();
        }

        assertUnharmed(result);
        report(test, "server killed and back", result);
    }

    @Test
    void an_svid_that_nobody_renews_is_not_used_beyond_its_end_and_the_gateway_recovers(TestInfo test)
            throws Exception {
        givenAnIdentity(Duration.ofSeconds(6));
        assertThat(world.get("/payments/1").statusCode()).isEqualTo(200);
        world.server().kill();
        Patience.until("the SVID has expired", () -> world.metric(TIME_LEFT) < 0);

        assertThat(world.probe("/livez")).isEqualTo(200);
        assertThat(world.probe("/readyz")).isEqualTo(503);
        long requests = world.payments().requests();
        assertRefused(send("/payments/1", 3), 503, Reason.FORWARD_SVID_EXPIRED, "payments");
        assertThat(world.payments().requests()).isEqualTo(requests);

        world.server().start();
        Patience.until("the gateway is ready again", () -> world.probe("/readyz") == 200);
        assertThat(world.get("/payments/1").statusCode()).isEqualTo(200);
        report(test, "3 with an expired SVID, 1 before, 1 after", 5, 3);
    }

    @Test
    void a_deleted_entry_takes_the_identity_away_and_a_new_one_gives_it_back(TestInfo test) throws Exception {
        givenAnIdentity(CALM);
        assertThat(world.get("/payments/1").statusCode()).isEqualTo(200);

        world.unregister();
        registered = false;
        Patience.until("the gateway is not ready", () -> world.probe("/readyz") == 503);

        assertThat(world.probe("/livez")).isEqualTo(200);
        assertRefused(send("/payments/1", 3), 503, Reason.FORWARD_SVID_MISSING, "payments");
        assertThat(world.metric(TIME_LEFT)).isNaN();

        givenAnIdentity(CALM);
        assertThat(world.get("/payments/1").statusCode()).isEqualTo(200);
        report(test, "3 without an entry, 1 before, 1 after", 5, 3);
    }

    @Test
    void another_workload_of_the_same_trust_domain_is_a_mismatch_and_gets_nothing(TestInfo test) throws Exception {
        givenAnIdentity(CALM);
        double mismatches = handshakes("ledger", "identity_mismatch");

        var answers = send("/ledger/1", 3);

        assertRefused(answers, 502, Reason.FORWARD_IDENTITY_MISMATCH, "ledger");
        var record = world.recordOf(answers.getFirst());
        assertThat(record.field("sallyport.upstream.spiffe_id")).isEqualTo(SpireWorld.NEWSLETTER.toString());
        assertThat(record.json().toString()).contains(SpireWorld.LEDGER.toString());
        assertThat(handshakes("ledger", "identity_mismatch")).isEqualTo(mismatches + 3);
        assertThat(world.newsletter().bytesReceived()).isZero();
        report(test, "another ID of the same trust domain", 3, 3);
    }

    @Test
    void a_partners_workload_is_accepted_once_federated_and_only_where_it_is_named(TestInfo test) throws Exception {
        givenAnIdentity(CALM);
        double untrusted = handshakes("partner", "peer_untrusted");

        assertRefused(send("/partner/1", 3), 502, Reason.FORWARD_PEER_UNTRUSTED, "partner");
        assertThat(handshakes("partner", "peer_untrusted")).isEqualTo(untrusted + 3);
        assertThat(world.partnersPayments().bytesReceived()).isZero();

        world.server().federateWith(world.partner());
        world.reregister(CALM, SpireWorld.PARTNERS);
        Patience.until(
                "the partner's bundle is there",
                () -> world.metric("sallyport_bundle_age_seconds", "trust_domain=\"partner.test\"") >= 0);

        for (var answer : send("/partner/1", 3)) {
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body()).contains(SpireWorld.PARTNERS_PAYMENTS.toString());
        }
        long bytes = world.partnersPayments().bytesReceived();
        var mistaken = send("/mistaken/1", 3);
        assertRefused(mistaken, 502, Reason.FORWARD_IDENTITY_MISMATCH, "mistaken");
        assertThat(world.recordOf(mistaken.getFirst()).field("sallyport.upstream.spiffe_id"))
                .isEqualTo(SpireWorld.PARTNERS_PAYMENTS.toString());

        // Not even over the connection that is open: its peer's authority has left.
        world.reregister(CALM);
        Patience.until(
                "the partner's bundle is gone",
                () -> Double.isNaN(world.metric("sallyport_bundle_age_seconds", "trust_domain=\"partner.test\"")));
        assertRefused(send("/partner/1", 3), 502, Reason.FORWARD_PEER_UNTRUSTED, "partner");
        assertThat(world.partnersPayments().bytesReceived()).isEqualTo(bytes);
        report(test, "3 before, 3 while federated, 3 where another is named, 3 after", 12, 9);
    }

    /** The last one, for it leaves behind upstreams that the others would not know. */
    @Test
    @Order(Integer.MAX_VALUE)
    void a_new_authority_fails_no_request_and_the_former_one_vouches_for_nobody_once_it_is_gone(TestInfo test)
            throws Exception {
        givenAnIdentity(CALM);
        var ofTheFormer = world.server().mint(SpireWorld.NEWSLETTER);
        Result result;
        try (var load = Load.on(world, "payments")) {
            load.awaitMore(ENOUGH);
            var former = world.server().changeAuthority();
            world.newsletter().present(world.server().mint(SpireWorld.NEWSLETTER));
            Patience.until("the new authority is trusted", () -> isRefusedFor("identity_mismatch", "ledger"));
            world.payments().trust(world.server().roots());
            world.payments().present(world.server().mint(SpireWorld.PAYMENTS));
            load.awaitMore(ENOUGH);

            double rotations = world.metric(ROTATIONS);
            world.server().taintAuthority(former);
            Patience.until("the SVID is of the new authority", () -> world.metric(ROTATIONS) > rotations);
            world.server().revokeAuthority(former);
            world.newsletter().present(ofTheFormer);
            Patience.until("the former authority is not trusted", () -> isRefusedFor("peer_untrusted", "ledger"));
            load.awaitMore(ENOUGH);
            result = load.stop();
        }

        assertUnharmed(result);
        assertThat(world.newsletter().bytesReceived()).isZero();
        report(test, "authority replaced, the former one revoked", result);
    }

    /** By the metrics: of many equal refusals within a minute the log has a count, and not each one's record. */
    private static boolean isRefusedFor(String result, String route) throws IOException, InterruptedException {
        double before = handshakes(route, result);
        assertThat(world.get("/" + route + "/1").statusCode()).isEqualTo(502);
        return handshakes(route, result) > before;
    }

    private static List<HttpResponse<String>> send(String path, int times) throws IOException, InterruptedException {
        var answers = new ArrayList<HttpResponse<String>>();
        for (int i = 0; i < times; i++) {
            answers.add(world.get(path));
        }
        return answers;
    }

    /** Each of them, with a record that says why, to clients that are not told. */
    private static void assertRefused(List<HttpResponse<String>> answers, int status, Reason reason, String route)
            throws Exception {
        for (var answer : answers) {
            assertThat(answer.statusCode()).isEqualTo(status);
            assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
            assertThat(answer.headers().firstValue("Retry-After").isPresent()).isEqualTo(status == 503);
            assertThat(answer.body()).doesNotContain("spiffe:", reason.code());
            var record = world.recordOf(answer);
            assertThat(record.field("event.reason")).isEqualTo(reason.code());
            assertThat(record.field("sallyport.route")).isEqualTo(route);
            assertThat(record.field("http.response.status_code")).isEqualTo(String.valueOf(status));
        }
        assertThat(world.count(
                        "sallyport_decisions_total", "reason=\"" + reason.code() + "\"", "route=\"" + route + "\""))
                .isGreaterThanOrEqualTo(answers.size());
    }

    /** Every request was answered 200, recorded as a success, and counted as allowed. */
    private static void assertUnharmed(Result result) throws IOException, InterruptedException {
        assertThat(result.failures()).isEmpty();
        assertThat(result.sent()).isGreaterThan(2 * ENOUGH);
        assertThat(result.allowed()).isEqualTo(result.sent());
        Patience.until("every success is in the log", () -> world.successes("payments") >= result.successesUntilThen());
        assertThat(world.successes("payments")).isEqualTo(result.successesUntilThen());
    }

    private static double handshakes(String route, String outcome) throws IOException, InterruptedException {
        return world.count(HANDSHAKES, "route=\"" + route + "\"", "result=\"" + outcome + "\"");
    }

    private static void report(TestInfo test, String what, Result result) {
        report(test, what, result.sent(), result.failures().size());
    }

    private static void report(TestInfo test, String what, int sent, int refused) {
        log.atInfo()
                .addKeyValue("sent", sent)
                .addKeyValue("failed", refused)
                .log("{}: {}", test.getDisplayName(), what);
    }
}
