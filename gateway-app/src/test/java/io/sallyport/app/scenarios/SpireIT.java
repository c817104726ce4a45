// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.app.demo.Credentials;
import io.sallyport.app.demo.DecisionRecords.Decision;
import io.sallyport.app.scenarios.Load.Result;
import io.sallyport.app.scenarios.RawConnection.Response;
import io.sallyport.decision.Reason;
import java.io.IOException;
import java.math.BigInteger;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashSet;
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
    private static boolean callerRegistered;

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
        assertNoConnection(world.server().mint(SpireWorld.EXPORT));

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
        // The bundles of JWT-SVIDs go with it, and may be the first.
        Patience.until("the SVID is gone", () -> Double.isNaN(world.metric(TIME_LEFT)));

        assertThat(world.probe("/livez")).isEqualTo(200);
        assertThat(world.probe("/readyz")).isEqualTo(503);
        assertRefused(send("/payments/1", 3), 503, Reason.FORWARD_SVID_MISSING, "payments");

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

        federate();

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
        endFederation();
        assertRefused(send("/partner/1", 3), 502, Reason.FORWARD_PEER_UNTRUSTED, "partner");
        assertThat(world.partnersPayments().bytesReceived()).isEqualTo(bytes);
        report(test, "3 before, 3 while federated, 3 where another is named, 3 after", 12, 9);
    }

    @Test
    void the_internal_listener_shows_each_svid_in_its_turn_and_fails_no_request(TestInfo test) throws Exception {
        givenAnIdentity(RESTLESS);
        var export = world.server().mint(SpireWorld.EXPORT);
        var root = world.server().roots().getFirst();
        var shown = new LinkedHashSet<BigInteger>();
        int sent = 0;
        try (var first = world.connectInside(export, root)) {
            while (shown.size() < 5) {
                // A connection of its own, and the one that has seen them all.
                try (var next = world.connectInside(export, root)) {
                    shown.add(next.certificate().getSerialNumber());
                    assertThat(ask(next, "/certificates/1").status()).isEqualTo(200);
                }
                assertThat(ask(first, "/payments/1").status()).isEqualTo(200);
                sent += 2;
            }
        }

        report(test, "SVIDs shown: " + shown.size(), sent, 0);
    }

    @Test
    void the_internal_listener_lets_in_who_is_named_and_a_partners_workload_only_while_it_is_federated(TestInfo test)
            throws Exception {
        givenAnIdentity(CALM);
        var root = world.server().roots().getFirst();
        var web = world.partner().mint(SpireWorld.PARTNERS_WEB);
        double denied = certificates("id_denied");
        double refused = certificates("refused");

        try (var export = world.connectInside(world.server().mint(SpireWorld.EXPORT), root)) {
            var answer = ask(export, "/certificates/1");
            assertThat(answer.status()).isEqualTo(200);
            assertThat(world.recordOf(answer.field("X-Request-ID")).field("sallyport.client_spiffe_id"))
                    .isEqualTo(SpireWorld.EXPORT.toString());
        }
        try (var audit = world.connectInside(world.server().mint(SpireWorld.AUDIT), root)) {
            assertRefused(ask(audit, "/certificates/1"), Reason.AUTHORIZE_NO_RULE_ALLOWED);
        }
        assertNoConnection(world.server().mint(SpireWorld.NEWSLETTER));
        assertThat(certificates("id_denied")).isEqualTo(denied + 1);
        assertNoConnection(web);
        assertThat(certificates("refused")).isEqualTo(refused + 1);

        federate();
        try (var connection = world.connectInside(web, root)) {
            assertThat(ask(connection, "/certificates/1").status()).isEqualTo(200);
            // The path of a workload of ours that is named.
            assertNoConnection(world.partner().mint(SpireWorld.PARTNERS_EXPORT));
            assertThat(certificates("id_denied")).isEqualTo(denied + 2);

            endFederation();

            assertRefused(ask(connection, "/certificates/1"), Reason.AUTHENTICATE_CERTIFICATE_UNTRUSTED);
            assertRefused(ask(connection, "/payments/1"), Reason.AUTHENTICATE_CERTIFICATE_UNTRUSTED);
        }
        assertNoConnection(web);
        report(test, "named, not named, federated and not", 9, 7);
    }

    @Test
    void a_workload_calls_by_its_certificate_on_the_listener_of_everybody(TestInfo test) throws Exception {
        givenAnIdentity(CALM);

        try (var export = world.connect(world.server().mint(SpireWorld.EXPORT))) {
            assertThat(ask(export, "/certificates/1").status()).isEqualTo(200);
        }
        try (var audit = world.connect(world.server().mint(SpireWorld.AUDIT))) {
            assertRefused(ask(audit, "/certificates/1"), Reason.AUTHORIZE_NO_RULE_ALLOWED);
        }
        try (var newsletter = world.connect(world.server().mint(SpireWorld.NEWSLETTER))) {
            assertRefused(ask(newsletter, "/certificates/1"), Reason.AUTHENTICATE_CERTIFICATE_ID_DENIED);
            assertThat(ask(newsletter, "/payments/1").status()).isEqualTo(200);
        }
        assertRefused(world.get("/certificates/1"), Reason.AUTHENTICATE_CERTIFICATE_MISSING);
        var stranger = world.partner().mint(SpireWorld.PARTNERS_WEB);
        assertThatThrownBy(() -> {
                    try (var connection = world.connect(stranger)) {
                        ask(connection, "/payments/1");
                    }
                })
                .isInstanceOf(IOException.class);
        report(test, "by certificate: 2 accepted, 3 refused, 1 without a connection", 6, 4);
    }

    @Test
    void a_jwt_svid_of_the_agents_is_accepted_for_the_gateway_and_in_no_other_shape(TestInfo test) throws Exception {
        givenAnIdentity(CALM);
        givenACaller();
        var svid = world.agent().jwtSvid(SpireWorld.EXPORT, SpireWorld.AUDIENCE);

        var accepted = world.get("/svids/1", svid);
        assertThat(accepted.statusCode()).isEqualTo(200);
        assertThat(world.recordOf(accepted).field("sallyport.client_spiffe_id"))
                .isEqualTo(SpireWorld.EXPORT.toString());

        assertRefused(
                world.get("/svids/1", world.agent().jwtSvid(SpireWorld.EXPORT, "https://other.example.org")),
                Reason.AUTHENTICATE_JWT_AUD_MISMATCH);
        assertRefused(
                world.get("/svids/1", world.server().mintJwt(SpireWorld.AUDIT, SpireWorld.AUDIENCE)),
                Reason.AUTHORIZE_NO_RULE_ALLOWED);
        assertRefused(
                world.get("/svids/1", world.partner().mintJwt(SpireWorld.PARTNERS_EXPORT, SpireWorld.AUDIENCE)),
                Reason.AUTHENTICATE_JWT_ISS_UNKNOWN);
        var parts = svid.split("\\.", -1);
        var claims = new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8);
        var altered = claims.replace("sa/export", "sa/exporf");
        assertThat(altered).isNotEqualTo(claims);
        var forged = Base64.getUrlEncoder().withoutPadding().encodeToString(altered.getBytes(StandardCharsets.UTF_8));
        assertRefused(
                world.get("/svids/1", parts[0] + "." + forged + "." + parts[2]),
                Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
        assertRefused(
                world.get("/svids/1", parts[0] + "." + parts[1] + "." + withAnotherStart(parts[2])),
                Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
        report(test, "JWT-SVIDs: 1 accepted, 5 refused", 6, 5);
    }

    @Test
    void jwt_svids_are_verified_while_the_agent_is_away(TestInfo test) throws Exception {
        givenAnIdentity(CALM);
        givenACaller();
        var known = world.agent().jwtSvid(SpireWorld.EXPORT, SpireWorld.AUDIENCE);
        assertThat(world.get("/svids/1", known).statusCode()).isEqualTo(200);

        world.agent().kill();
        for (int i = 0; i < ENOUGH; i++) {
            // Some of them with a token that has never been seen.
            var svid = i % 10 == 0 ? world.server().mintJwt(SpireWorld.EXPORT, SpireWorld.AUDIENCE) : known;
            assertThat(world.get("/svids/1", svid).statusCode()).isEqualTo(200);
        }
        world.agent().restart();

        report(test, "JWT-SVIDs without an agent", ENOUGH, 0);
    }

    @Test
    void a_new_jwt_authority_is_trusted_beside_the_former_one_until_that_is_revoked(TestInfo test) throws Exception {
        givenAnIdentity(CALM);
        var ofTheFormer = world.server().mintJwt(SpireWorld.EXPORT, SpireWorld.AUDIENCE);
        assertThat(world.get("/svids/1", ofTheFormer).statusCode()).isEqualTo(200);

        var former = world.server().changeJwtAuthority();
        var ofTheNew = world.server().mintJwt(SpireWorld.EXPORT, SpireWorld.AUDIENCE);
        Patience.until(
                "the new authority is known",
                () -> world.get("/svids/1", ofTheNew).statusCode() == 200);
        for (int i = 0; i < ENOUGH; i++) {
            assertThat(world.get("/svids/1", i % 2 == 0 ? ofTheFormer : ofTheNew)
                            .statusCode())
                    .isEqualTo(200);
        }

        world.server().revokeJwtAuthority(former);
        Patience.until(
                "the former authority verifies nothing",
                () -> world.get("/svids/1", ofTheFormer).statusCode() == 401);
        assertThat(world.get("/svids/1", ofTheNew).statusCode()).isEqualTo(200);
        report(test, "JWT authority replaced, the former one revoked", ENOUGH, 0);
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

    private static void givenACaller() throws Exception {
        if (!callerRegistered) {
            world.registerCaller(SpireWorld.EXPORT);
            callerRegistered = true;
        }
    }

    private static void federate() throws Exception {
        world.server().federateWith(world.partner());
        world.reregister(CALM, SpireWorld.PARTNERS);
        Patience.until("the partner's bundle is there", () -> ageOfPartnersBundle() >= 0);
    }

    private static void endFederation() throws Exception {
        world.reregister(CALM);
        Patience.until("the partner's bundle is gone", () -> Double.isNaN(ageOfPartnersBundle()));
    }

    private static double ageOfPartnersBundle() throws IOException, InterruptedException {
        return world.metric("sallyport_bundle_age_seconds", "trust_domain=\"partner.test\"");
    }

    private static double certificates(String result) throws IOException, InterruptedException {
        return world.count(
                "sallyport_client_certificates_total", "listener=\"internal-listener\"", "result=\"" + result + "\"");
    }

    private static void assertNoConnection(Credentials workload) throws Exception {
        var root = world.server().roots().getFirst();
        assertThatThrownBy(() -> {
                    try (var connection = world.connectInside(workload, root)) {
                        ask(connection, "/payments/1");
                    }
                })
                .isInstanceOf(IOException.class);
    }

    private static Response ask(RawConnection connection, String path) throws IOException {
        return connection
                .write("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .read();
    }

    private static String withAnotherStart(String signature) {
        return (signature.startsWith("A") ? "B" : "A") + signature.substring(1);
    }

    private static void assertRefused(HttpResponse<String> answer, Reason reason) throws Exception {
        assertRefused(answer.statusCode(), world.recordOf(answer), reason);
    }

    private static void assertRefused(Response answer, Reason reason) throws Exception {
        assertRefused(answer.status(), world.recordOf(answer.field("X-Request-ID")), reason);
    }

    private static void assertRefused(int status, Decision record, Reason reason) {
        assertThat(status).isEqualTo(reason.status());
        assertThat(record.field("event.reason")).isEqualTo(reason.code());
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
