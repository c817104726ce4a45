// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.InvalidSetting;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.decisionlog.sink.RecordSink;
import io.sallyport.identity.FakeSubject;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.CanonicalPath;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RiskScore;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import io.sallyport.pipeline.TlsConnection;
import io.spiffe.spiffeid.SpiffeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** One line of evidence for each refusal, exact counts of everything, and nobody's secret in it. */
class DecisionLogTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Outcome FORBIDDEN =
            new Outcome.Refused(new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED));

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final MovableClock clock = new MovableClock(FakeRequest.NOW);
    private final KeepingSink sink = new KeepingSink();

    @TempDir
    Path folder;

    @Test
    void a_refusal_leaves_one_line_with_its_facts() {
        var request = FakeRequest.of(HttpMethod.POST, "/v1/tenants/acme/payments?debug=1")
                .from("2001:db8:0:0:0:0:0:7")
                .header("User-Agent", "curl/8.9")
                .header("X-Request-ID", "client-0001")
                .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
                .tls(new TlsConnection("TLSv1.3", "api.example.org", null, false, null))
                .by(alice());
        var context = request.context();
        context.riskScore(new RiskScore(42, List.of("token_age")));
        var denial = new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED)
                .with(Evidence.Key.RULE_NAME, "payers,own-tenant")
                .with(Evidence.Key.DETAIL, "payers: attribute_not_found");

        var record = only(linesOf(log -> log.onOutcome(context, new Outcome.Refused(denial))));

        var id = context.requestId().toString();
        assertThat(withoutDuration(record)).isEqualTo(JSON.readTree("""
                        {
                          "@timestamp": "2026-11-22T12:00:00.000Z",
                          "ecs": {"version": "8.11.0"},
                          "event": {
                            "id": "%s",
                            "kind": "event",
                            "category": ["iam", "web"],
                            "type": ["denied"],
                            "dataset": "sallyport.decisions",
                            "action": "request-refused",
                            "outcome": "failure",
                            "reason": "authorize.no_rule_allowed"
                          },
                          "service": {"name": "sallyport", "version": "1.2.3"},
                          "transaction": {"id": "%s"},
                          "http": {
                            "request": {"method": "POST", "id": "client-0001"},
                            "response": {"status_code": 403}
                          },
                          "url": {"domain": "api.example.org", "path": "/v1/tenants/acme/payments"},
                          "user_agent": {"original": "curl/8.9"},
                          "tls": {
                            "version": "1.3",
                            "version_protocol": "tls",
                            "client": {"server_name": "api.example.org"}
                          },
                          "source": {"ip": "2001:db8::7"},
                          "user": {"id": "%s"},
                          "sallyport": {
                            "issuer": "corp",
                            "client_id": "shop",
                            "jti_hash": "%s",
                            "route": "orders",
                            "mode": "enforce",
                            "stage": "authorize",
                            "reasons": ["authorize.no_rule_allowed"],
                            "config_revision": "test",
                            "risk": {"score": 42, "reasons": ["token_age"]},
                            "detail": "payers: attribute_not_found"
                          },
                          "rule": {"name": ["payers", "own-tenant"]}
                        }
                        """.formatted(
                        id, id, record.at("/user/id").asString(), Pseudonyms.ofTokenId("token-1"))));
        assertThat(record.at("/event/duration").isIntegralNumber()).isTrue();
    }

    /** A client that acts for itself is its token's subject. */
    @Test
    void a_client_that_is_the_subject_has_the_subjects_pseudonym_and_no_name() {
        var context = FakeRequest.get("/")
                .by(FakeSubject.alice().named("batch-job").client("batch-job").build())
                .context();

        var lines = linesOf(log -> log.onOutcome(context, FORBIDDEN));

        var record = only(lines);
        assertThat(record.at("/sallyport/client_id").asString())
                .isEqualTo(record.at("/user/id").asString())
                .hasSize(22);
        assertThat(record.toString()).doesNotContain("batch-job");
    }

    @Test
    void a_refusal_before_anything_is_known_leaves_what_is_known() {
        var context = FakeRequest.get("/%2e%2e/?secret=1")
                .on(null)
                .host("not a host <script>")
                .header("X-Request-ID", "bad id\n")
                .header("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01")
                .context();

        var record = only(linesOf(
                log -> log.onOutcome(context, new Outcome.Refused(new Denial.Rejected(Reason.EDGE_PATH_AMBIGUOUS)))));

        assertThat(record.at("/source/ip").asString()).isEqualTo("192.0.2.7");
        assertThat(record.at("/event/category").toString()).isEqualTo("[\"web\"]");
        for (var absent :
                List.of("/url", "/http/request/id", "/trace", "/user", "/tls", "/sallyport/route", "/user_agent")) {
            assertThat(record.at(absent).isMissingNode()).as(absent).isTrue();
        }
    }

    @Test
    void an_observed_denial_leaves_a_record_of_its_own_beside_that_of_the_outcome() {
        var route = Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .mode(StageName.RISK, Mode.OBSERVE)
                .onUndecided(StageName.REVOCATION, FaultPolicy.PASS)
                .build();
        var lines = linesOf(log -> {
            var context = FakeRequest.get("/").on(route).context();
            var pipeline = new Pipeline(
                    List.of(
                            stage(
                                    StageName.REVOCATION,
                                    new Verdict.Undecided(
                                            new Denial.Unavailable(
                                                    Reason.REVOCATION_UNAVAILABLE, Duration.ofSeconds(1)),
                                            null)),
                            stage(StageName.RISK, deny(Reason.RISK_DENIED)),
                            stage(StageName.AUTHORIZE, deny(Reason.AUTHORIZE_DENY_RULE))),
                    log);
            pipeline.admit(context);
            pipeline.conclude(context, new Outcome.Refused(new Denial.Forbidden(Reason.AUTHORIZE_DENY_RULE)));
        });

        assertThat(lines)
                .extracting(line -> line.at("/event/action").asString())
                .containsExactly("request-passed-undecided", "request-would-be-refused", "request-refused");
        assertThat(lines).extracting(line -> line.at("/event/id").asString()).doesNotHaveDuplicates();
        assertThat(lines)
                .extracting(line -> line.at("/http/response/status_code").asInt())
                .containsOnly(403);
        assertThat(lines)
                .extracting(line -> line.at("/sallyport/reasons").toString())
                .containsOnly("[\"revocation.unavailable\",\"risk.denied\",\"authorize.deny_rule\"]");
        var would = lines.get(1);
        assertThat(would.at("/event/outcome").asString()).isEqualTo("unknown");
        assertThat(would.at("/sallyport/mode").asString()).isEqualTo("observe");
        assertThat(would.at("/sallyport/stage").asString()).isEqualTo("risk");
        assertThat(would.at("/sallyport/would/status").asInt()).isEqualTo(403);
        assertThat(would.at("/sallyport/would/reason").asString()).isEqualTo("risk.denied");
    }

    /** The limit is observed and a rule denies: neither record carries what the other's denial is about. */
    @Test
    void each_record_carries_the_evidence_of_its_own_denial() {
        var route = Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .mode(StageName.RATELIMIT, Mode.OBSERVE)
                .mode(StageName.RISK, Mode.OBSERVE)
                .build();
        var limit = new Denial.Throttled(Reason.RATELIMIT_EXCEEDED, Duration.ofSeconds(1), List.of())
                .with(Evidence.Key.RULE_NAME, "per-user");
        var rule = new Denial.Forbidden(Reason.AUTHORIZE_DENY_RULE)
                .with(Evidence.Key.RULE_NAME, "readers")
                .with(Evidence.Key.DETAIL, "admins: attribute_not_found");
        var lines = linesOf(log -> {
            var context = FakeRequest.get("/").on(route).context();
            var pipeline = new Pipeline(
                    List.of(
                            stage(StageName.RATELIMIT, new Verdict.Deny(limit)),
                            stage(StageName.RISK, deny(Reason.RISK_DENIED)),
                            stage(StageName.AUTHORIZE, new Verdict.Deny(rule))),
                    log);
            var refused = (Admission.Refused) pipeline.admit(context);
            pipeline.conclude(context, new Outcome.Refused(refused.denial()));
        });

        assertThat(lines)
                .extracting(DecisionLogTest::evidenceIn)
                .containsExactly(
                        "ratelimit.exceeded [\"per-user\"] ",
                        "risk.denied  ",
                        "authorize.deny_rule [\"readers\"] \"admins: attribute_not_found\"");
    }

    private static String evidenceIn(JsonNode line) {
        return "%s %s %s"
                .formatted(line.at("/event/reason").asString(), line.at("/rule/name"), line.at("/sallyport/detail"));
    }

    @Test
    void what_was_allowed_beside_an_observed_denial_shows_none_of_its_evidence() {
        var route = Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .mode(StageName.RISK, Mode.OBSERVE)
                .build();
        var observed = new Denial.Forbidden(Reason.RISK_DENIED).with(Evidence.Key.DETAIL, "token_age");
        var lines = linesOf(config(DecisionLogConfig.Allowed.ALL), log -> {
            var context = FakeRequest.get("/").on(route).context();
            var pipeline = new Pipeline(List.of(stage(StageName.RISK, new Verdict.Deny(observed))), log);
            pipeline.admit(context);
            pipeline.conclude(context, new Outcome.Answered(200));
        });

        assertThat(lines).extracting(DecisionLogTest::evidenceIn).containsExactly("risk.denied  \"token_age\"", "  ");
    }

    @Test
    void a_broken_answer_is_a_failure_and_leaves_a_record() {
        var record = only(linesOf(log -> log.onOutcome(
                FakeRequest.get("/").context(),
                new Outcome.Aborted(
                        200,
                        new Denial.UpstreamFailed(Reason.FORWARD_UPSTREAM_RESET)
                                .with(Evidence.Key.CAUSE, "java.io.IOException")))));

        assertThat(record.at("/event/action").asString()).isEqualTo("request-aborted");
        assertThat(record.at("/error/message").asString()).isEqualTo("java.io.IOException");
        assertThat(record.at("/event/category").toString()).isEqualTo("[\"network\",\"web\"]");
        assertThat(record.at("/http/response/status_code").asInt()).isEqualTo(200);
    }

    @Test
    void what_was_allowed_leaves_no_record_by_default() {
        var lines = linesOf(log -> {
            log.onOutcome(FakeRequest.get("/").context(), new Outcome.Answered(200));
            log.onOutcome(FakeRequest.get("/").context(), new Outcome.Cancelled(0));
            log.onOutcome(FakeRequest.get("/").on(null).context(), new Outcome.Cancelled(0));
        });

        assertThat(lines).isEmpty();
    }

    @Test
    void what_was_allowed_can_be_recorded_as_well() {
        var lines = linesOf(config(DecisionLogConfig.Allowed.ALL), log -> {
            log.onOutcome(FakeRequest.get("/").context(), new Outcome.Answered(200));
            log.onOutcome(FakeRequest.get("/").context(), new Outcome.Cancelled(0));
        });

        assertThat(lines)
                .extracting(line -> line.at("/event/action").asString() + " "
                        + line.at("/event/type").get(0).asString() + " "
                        + line.at("/event/outcome").asString())
                .containsExactly("request-allowed allowed success", "request-cancelled end unknown");
        assertThat(lines.getLast().at("/http/response").isMissingNode()).isTrue();
    }

    @Test
    void a_sample_of_what_was_allowed_is_chosen_by_the_id_of_the_request() {
        var config = new DecisionLogConfig(DecisionLogConfig.Allowed.SAMPLED, 4, true, null, 10, null);

        var lines = linesOf(config, log -> {
            for (long id = 0; id < 40; id++) {
                log.onOutcome(withId(id), new Outcome.Answered(200));
            }
        });

        assertThat(lines).hasSize(10);
    }

    @Test
    void a_hundred_thousand_refusals_leave_few_lines_that_add_up_exactly() {
        var lines = linesOf(log -> {
            var threads = new ArrayList<Thread>();
            for (int t = 0; t < 4; t++) {
                var contexts = List.of(
                        FakeRequest.get("/").from("192.0.2.1").context(),
                        FakeRequest.get("/").from("192.0.2.2").context());
                threads.add(Thread.ofPlatform().start(() -> {
                    for (int i = 0; i < 25_000; i++) {
                        log.onOutcome(contexts.get(i % 2), FORBIDDEN);
                    }
                }));
            }
            for (var thread : threads) {
                join(thread);
            }
        });

        assertThat(lines).hasSize(2 * (10 + 1));
        assertThat(sumOf(lines)).isEqualTo(100_000);
        assertThat(lines)
                .extracting(line -> line.at("/event/id").asString())
                .contains("019a0000-0000-7000-8000-000000000001/repeats");
    }

    @Test
    void refusals_for_which_the_queue_has_no_place_are_counted_and_not_lost() {
        var config = new DecisionLogConfig(DecisionLogConfig.Allowed.NONE, 100, true, null, 10_000, null);
        var log = new DecisionLog(config, meters, clock, "1.2.3", List.of(sink), Duration.ofSeconds(10));
        sink.block();
        for (int i = 0; i < 9_999; i++) {
            log.onOutcome(FakeRequest.get("/").context(), FORBIDDEN);
        }
        sink.unblock();
        log.close();

        assertThat(sink.lines.size()).isLessThan(9_999);
        assertThat(sumOf(sink.lines)).isEqualTo(9_999);
        assertThat(healthOf(log)).isEqualTo(new DecisionLog.SinkHealth("fake", 9_999, 0, 0, null));
    }

    @Test
    @Timeout(30)
    void what_cannot_be_written_is_counted_exactly_and_shown_until_it_can() {
        var log = new DecisionLog(
                config(DecisionLogConfig.Allowed.NONE), meters, clock, "1.2.3", List.of(sink), Duration.ofSeconds(10));
        sink.fail(true);
        for (int i = 0; i < 25; i++) {
            log.onOutcome(FakeRequest.get("/").context(), FORBIDDEN);
        }
        while (healthOf(log).dropped() < 10) {
            Thread.onSpinWait();
        }

        assertThat(healthOf(log)).isEqualTo(new DecisionLog.SinkHealth("fake", 0, 10, 0, "no space left on device"));
        assertThat(log.health().writing()).isFalse();
        sink.fail(false);
        log.close();

        // The fifteen that had collapsed were written when the disk was back.
        assertThat(sumOf(sink.lines)).isEqualTo(15);
        assertThat(healthOf(log)).isEqualTo(new DecisionLog.SinkHealth("fake", 15, 10, 0, null));
        assertThat(meters.get("sallyport.denial.log.dropped")
                        .tag("sink", "fake")
                        .counter()
                        .count())
                .isEqualTo(10);
    }

    @Test
    void what_comes_after_the_end_is_counted_as_dropped() {
        var log = new DecisionLog(
                config(DecisionLogConfig.Allowed.NONE), meters, clock, "1.2.3", List.of(sink), Duration.ofSeconds(10));
        log.close();

        log.onOutcome(FakeRequest.get("/").context(), FORBIDDEN);

        assertThat(healthOf(log).dropped()).isEqualTo(1);
    }

    @Test
    void whatever_a_client_sends_makes_one_line_of_valid_json() {
        var nasty = "\"}\n{\"forged\":true}\r\u0000\u0007\u001b[31m\u0085\u2028\u2029\ud800 \udc00\ud83d\ude00\ufffe\\";
        var context = FakeRequest.get("/")
                .on(Route.builder("r", "api.example.org", Route.Kind.UPSTREAM).build())
                .header("User-Agent", nasty)
                .tls(new TlsConnection(nasty, nasty, null, false, null))
                .by(new Principal.Subject(
                        nasty,
                        nasty,
                        nasty,
                        nasty,
                        nasty,
                        nasty,
                        FakeRequest.NOW,
                        FakeRequest.NOW.plusSeconds(60),
                        Set.of(nasty),
                        nasty,
                        List.of(nasty),
                        null,
                        Map.of(nasty, nasty)))
                .context();
        Denial denial = new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED);
        for (var key : Evidence.Key.values()) {
            denial = denial.with(key, nasty);
        }
        var outcome = new Outcome.Refused(denial);
        context.riskScore(new RiskScore(1, List.of(nasty)));

        var record = only(linesOf(log -> log.onOutcome(context, outcome)));

        assertThat(record.at("/user_agent/original").asString())
                .isEqualTo(nasty.replace("\ud800 \udc00", "\ufffd \ufffd"));
        assertThat(record.at("/forged").isMissingNode()).isTrue();
        assertThat(sink.raw.getFirst()).matches("[ -~]+\n");
    }

    @Test
    void no_token_header_query_or_subject_is_in_any_line() {
        var canary = "CANARY";
        var context = FakeRequest.get("/orders?access_token=" + canary + "query")
                .host(canary + "host.example.org")
                .authorization("Bearer " + canary + "bearer")
                .header("DPoP", canary + "dpop")
                .header("Cookie", "session=" + canary + "cookie")
                .header("X-Api-Key", canary + "key")
                .header("X-Forwarded-For", canary + "hop")
                .header("Referer", "https://example.org/?token=" + canary + "referer")
                .header("X-Request-ID", "not*" + canary)
                .header("traceparent", "00-" + canary + "-x")
                .by(new Principal.Subject(
                        "corp",
                        "https://idp.example.org",
                        canary + "subject",
                        "shop",
                        canary + "session",
                        canary + "token-id",
                        FakeRequest.NOW,
                        FakeRequest.NOW.plusSeconds(60),
                        Set.of(canary + "scope"),
                        canary + "acr",
                        List.of(canary + "amr"),
                        null,
                        Map.of("email", canary + "@example.org")))
                .context();

        linesOf(config(DecisionLogConfig.Allowed.ALL), log -> {
            log.onOutcome(context, FORBIDDEN);
            log.onOutcome(context, new Outcome.Answered(200));
        });

        assertThat(sink.raw).hasSize(2).noneMatch(line -> line.contains(canary));
        assertThat(DecisionRecord.ofOutcome(context, FORBIDDEN, 1).toString()).doesNotContain(canary);
    }

    @Test
    void a_user_agent_is_cut_after_256_characters_and_never_within_one() {
        var context = FakeRequest.get("/")
                .header("User-Agent", "a".repeat(255) + "\ud83d\ude00" + "b".repeat(16_000))
                .context();

        var record = only(linesOf(log -> log.onOutcome(context, FORBIDDEN)));

        assertThat(record.at("/user_agent/original").asString()).isEqualTo("a".repeat(255));
    }

    @Test
    void a_workload_is_named_by_its_spiffe_id() {
        var context = FakeRequest.get("/")
                .by(new Principal.Workload(
                        SpiffeId.parse("spiffe://example.org/ns/shop/sa/cart"), FakeRequest.NOW.plusSeconds(60)))
                .context();

        var record = only(linesOf(log -> log.onOutcome(context, FORBIDDEN)));

        assertThat(record.at("/sallyport/client_spiffe_id").asString())
                .isEqualTo("spiffe://example.org/ns/shop/sa/cart");
        assertThat(record.at("/user").isMissingNode()).isTrue();
    }

    @Test
    void a_subject_has_one_pseudonym_as_long_as_the_key_file_stays_and_another_under_another_key() {
        var key = folder.resolve("key");
        var first = userIdWith(key);

        assertThat(userIdWith(key)).isEqualTo(first).hasSize(22);
        assertThat(userIdWith(folder.resolve("other"))).isNotEqualTo(first);
        assertThat(userIdWith(null)).isNotEqualTo(userIdWith(null));
    }

    @Test
    void the_key_file_is_readable_by_its_owner_alone() throws IOException {
        userIdWith(folder.resolve("key"));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("key"))))
                .isEqualTo("rw-------");
    }

    @Test
    void a_key_file_that_holds_no_key_is_refused_without_showing_what_it_holds() throws IOException {
        for (var wrong : List.of("", "c2hvcnQ=", "another secret")) {
            var file = Files.writeString(folder.resolve("wrong"), wrong);

            assertThatExceptionOfType(InvalidSetting.class)
                    .isThrownBy(() -> userIdWith(file))
                    .withMessage("pseudonym-key-file: %s (expected: a file with at least 32 bytes in base64)"
                            .formatted(file));
        }
        assertThatExceptionOfType(InvalidSetting.class)
                .isThrownBy(() -> userIdWith(folder.resolve("no/such/folder/key")))
                .withMessageContaining("(expected: a file that can be read, or created (");
    }

    @ParameterizedTest
    @EnumSource
    void every_reason_makes_a_line(Reason reason) {
        var aborted = new Outcome.Aborted(200, denialFor(reason));

        var record = only(linesOf(log -> log.onOutcome(FakeRequest.get("/").context(), aborted)));

        assertThat(record.at("/event/reason").asString()).isEqualTo(reason.code());
        assertThat(record.at("/sallyport/stage").asString()).isEqualTo(reason.origin());
    }

    private String userIdWith(@Nullable Path key) {
        sink.lines.clear();
        var config = new DecisionLogConfig(DecisionLogConfig.Allowed.NONE, 100, true, null, 10, key);
        var lines = linesOf(
                config, log -> log.onOutcome(FakeRequest.get("/").by(alice()).context(), FORBIDDEN));
        return only(lines).at("/user/id").asString();
    }

    private interface Use {
        void of(DecisionLog log);
    }

    private List<JsonNode> linesOf(Use use) {
        return linesOf(config(DecisionLogConfig.Allowed.NONE), use);
    }

    private List<JsonNode> linesOf(DecisionLogConfig config, Use use) {
        try (var log = new DecisionLog(config, meters, clock, "1.2.3", List.of(sink), Duration.ofSeconds(10))) {
            use.of(log);
        }
        return List.copyOf(sink.lines);
    }

    private static DecisionLogConfig config(DecisionLogConfig.Allowed allowed) {
        return new DecisionLogConfig(allowed, 100, true, null, 10, null);
    }

    private static DecisionLog.SinkHealth healthOf(DecisionLog log) {
        return log.health().sinks().getFirst();
    }

    private static JsonNode only(List<JsonNode> lines) {
        assertThat(lines).hasSize(1);
        return lines.getFirst();
    }

    private static JsonNode withoutDuration(JsonNode record) {
        var copy = record.deepCopy();
        ((ObjectNode) copy.get("event")).remove("duration");
        return copy;
    }

    private static long sumOf(List<JsonNode> lines) {
        return lines.stream()
                .mapToLong(line -> line.at("/sallyport/repeat_count").asLong(1))
                .sum();
    }

    private static RequestContext withId(long id) {
        var plain = FakeRequest.get("/").context();
        var context = new RequestContext(
                plain.head(), plain.snapshot(), new UUID(0x7000, id), FakeRequest.NOW, 0L, Runnable::run);
        context.matched(FakeRequest.ROUTE, new CanonicalPath("/"), null, Map.of());
        return context;
    }

    private static Denial denialFor(Reason reason) {
        var second = Duration.ofSeconds(1);
        return switch (reason.status()) {
            case 401 -> new Denial.Unauthenticated(reason, List.of(Challenge.clientCertificate("orders")));
            case 403 -> new Denial.Forbidden(reason);
            case 405 -> new Denial.MethodNotAllowed(reason, Set.of());
            case 426 -> new Denial.UpgradeRequired(reason);
            case 429 -> new Denial.Throttled(reason, second, List.of());
            case 502, 504 -> new Denial.UpstreamFailed(reason);
            case 503 -> new Denial.Unavailable(reason, second);
            default -> new Denial.Rejected(reason);
        };
    }

    private static Verdict deny(Reason reason) {
        return new Verdict.Deny(new Denial.Forbidden(reason));
    }

    private static Stage stage(StageName name, Verdict verdict) {
        return new Stage() {
            @Override
            public StageName name() {
                return name;
            }

            @Override
            public Verdict evaluate(RequestContext context) {
                return verdict;
            }
        };
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static Principal alice() {
        return new Principal.Subject(
                "corp",
                "https://idp.example.org",
                "alice",
                "shop",
                "session-1",
                "token-1",
                FakeRequest.NOW,
                FakeRequest.NOW.plusSeconds(60),
                Set.of(),
                null,
                List.of(),
                null,
                Map.of());
    }

    /** Keeps lines as they would be on disk; can be slow, and can be full. */
    private static final class KeepingSink implements RecordSink {
        private final List<String> raw = new ArrayList<>();
        private final List<JsonNode> lines = new ArrayList<>();
        private volatile CountDownLatch open = new CountDownLatch(0);
        private volatile boolean full;

        void block() {
            open = new CountDownLatch(1);
        }

        void unblock() {
            open.countDown();
        }

        void fail(boolean failing) {
            full = failing;
        }

        @Override
        public String name() {
            return "fake";
        }

        @Override
        public void write(byte[] line) throws IOException {
            try {
                open.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            if (full) {
                throw new IOException("no space left on device");
            }
            var text = new String(line, UTF_8);
            raw.add(text);
            lines.add(JSON.readTree(text));
        }

        @Override
        public void sync() {}

        @Override
        public void close() {}
    }
}
