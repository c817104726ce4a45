// SPDX-License-Identifier: Apache-2.0
package io.sallyport.flood;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.RecordBinder;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Mode;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.FakeSubject;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.ClientAddress;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FloodStageTest {
    private static final int LIMIT = 3;
    private static final Snapshot SNAPSHOT =
            new Snapshot("test", List.of(), Map.of(StageName.FLOOD, new FloodConfig(null, null, LIMIT, 2)));
    private static final Challenge CHALLENGE = Challenge.bearer(Map.of("realm", "test"));

    private final AuthenticationFailures failures = new AuthenticationFailures();
    private final ConnectionCounts connections = new ConnectionCounts();
    private final FloodStage stage = new FloodStage(failures, connections);

    @ParameterizedTest
    @EnumSource(names = {"FLOOD_AUTHENTICATION_FAILURES", "FLOOD_CONNECTIONS"})
    void every_reason_is_given_for_what_it_says(Reason reason) throws UnknownHostException {
        for (int i = 0; i < LIMIT; i++) {
            if (reason == Reason.FLOOD_CONNECTIONS) {
                connections.opened(InetAddress.getByName("192.0.2.7"));
            } else {
                fail("192.0.2.7", Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
            }
        }

        assertThat(reasonOf(stage.evaluate(from("192.0.2.7").context()))).isEqualTo(reason);
        assertThat(stage.evaluate(from("192.0.2.8").context())).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void as_many_failures_and_connections_as_allowed_do_not_throttle() throws UnknownHostException {
        connections.opened(InetAddress.getByName("192.0.2.7"));
        connections.opened(InetAddress.getByName("192.0.2.7"));
        fail("192.0.2.7", Reason.AUTHENTICATE_JWT_EXPIRED);
        fail("192.0.2.7", Reason.AUTHENTICATE_JWT_EXPIRED);

        assertThat(stage.evaluate(from("192.0.2.7").context())).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void the_answer_says_when_to_come_back_and_then_the_network_may() {
        exhaust("192.0.2.7");

        var denial = denialOf(stage.evaluate(
                from("192.0.2.7").at(FakeRequest.NOW.plusSeconds(10)).context()));

        assertThat(denial)
                .isEqualTo(
                        new Denial.Throttled(Reason.FLOOD_AUTHENTICATION_FAILURES, Duration.ofSeconds(50), List.of()));
        assertThat(stage.evaluate(
                        from("192.0.2.7").at(FakeRequest.NOW.plusSeconds(60)).context()))
                .isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void being_throttled_is_no_further_failure() {
        exhaust("192.0.2.7");
        var throttled = from("192.0.2.7").at(FakeRequest.NOW.plusSeconds(30)).context();
        stage.onOutcome(throttled, new Outcome.Refused(denialOf(stage.evaluate(throttled))));

        assertThat(stage.evaluate(
                        from("192.0.2.7").at(FakeRequest.NOW.plusSeconds(60)).context()))
                .isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void addresses_of_one_ipv6_64_fail_together() {
        for (int i = 1; i <= LIMIT; i++) {
            fail("2001:db8::" + i, Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
        }

        assertThat(reasonOf(stage.evaluate(from("2001:db8::ffff").context())))
                .isEqualTo(Reason.FLOOD_AUTHENTICATION_FAILURES);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ANY, names = "AUTHENTICATE_.*")
    void a_refused_credential_is_a_failure_and_a_missing_one_or_a_fault_of_ours_is_not(Reason reason) {
        for (int i = 0; i < LIMIT; i++) {
            fail("192.0.2.7", reason);
        }

        boolean counts = switch (reason) {
            case AUTHENTICATE_JWT_MISSING,
                    AUTHENTICATE_CERTIFICATE_MISSING,
                    AUTHENTICATE_JWKS_UNAVAILABLE,
                    AUTHENTICATE_INTROSPECTION_UNAVAILABLE,
                    AUTHENTICATE_BUNDLE_UNAVAILABLE -> false;
            default -> true;
        };
        assertThat(stage.evaluate(from("192.0.2.7").context()) != Verdict.Pass.PASS)
                .isEqualTo(counts);
    }

    @ParameterizedTest
    @EnumSource(names = {"AUTHORIZE_NO_RULE_ALLOWED", "RISK_STEP_UP_REQUIRED", "REVOCATION_TOKEN_REVOKED"})
    void what_other_stages_refuse_does_not_throttle_the_network(Reason reason) {
        for (int i = 0; i < LIMIT; i++) {
            fail("192.0.2.7", reason);
        }

        assertThat(stage.evaluate(from("192.0.2.7").context())).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void a_refusal_that_is_only_observed_counts_as_well() {
        var observed = Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .mode(StageName.AUTHENTICATE, Mode.OBSERVE)
                .build();
        var pipeline = new Pipeline(List.of(stage, new Refusing()), (_, _) -> {});
        for (int i = 0; i < LIMIT; i++) {
            var context = from("192.0.2.7").on(observed).context();
            assertThat(pipeline.admit(context)).isInstanceOf(Admission.Permitted.class);
            pipeline.conclude(context, new Outcome.Answered(200));
        }

        assertThat(reasonOf(stage.evaluate(from("192.0.2.7").context())))
                .isEqualTo(Reason.FLOOD_AUTHENTICATION_FAILURES);
    }

    @Test
    void a_public_route_is_not_closed_by_failures_elsewhere() {
        exhaust("192.0.2.7");
        var open = Route.builder("docs", "api.example.org", Route.Kind.UPSTREAM)
                .makePublic()
                .build();

        assertThat(stage.evaluate(from("192.0.2.7").on(open).context())).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void the_connections_of_a_trusted_proxy_are_not_its_clients() throws UnknownHostException {
        for (int i = 0; i < 10; i++) {
            connections.opened(InetAddress.getByName("192.0.2.7"));
        }
        var context = from("10.0.0.1").context();
        context.client(new ClientAddress(InetAddress.getByName("192.0.2.7"), true));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void a_revoked_token_counts_against_its_subject_wherever_it_comes_from() {
        var stolen = FakeSubject.alice().build();
        var attempt = from("198.51.100.1").by(stolen).context();
        stage.onOutcome(attempt, refused(Reason.REVOCATION_TOKEN_REVOKED));

        assertThat(failures.lastMinute(from("192.0.2.7").by(stolen).context())).isEqualTo(1);
        assertThat(failures.lastMinute(from("192.0.2.7")
                        .by(FakeSubject.alice().named("bob").build())
                        .context()))
                .isZero();
        assertThat(failures.lastMinute(from("198.51.100.1").context())).isZero();
    }

    @Test
    void the_larger_of_the_networks_and_the_subjects_failures_speaks_against_a_request() {
        var alice = FakeSubject.alice().build();
        stage.onOutcome(from("192.0.2.7").by(alice).context(), refused(Reason.REVOCATION_SESSION_REVOKED));
        fail("192.0.2.7", Reason.AUTHENTICATE_JWT_EXPIRED);
        fail("192.0.2.7", Reason.AUTHENTICATE_JWT_EXPIRED);

        assertThat(failures.lastMinute(from("192.0.2.7").by(alice).context())).isEqualTo(2);
    }

    @Test
    void more_addresses_than_there_is_room_for_take_no_more_memory() {
        var small = new AuthenticationFailures(1000);
        var stage = new FloodStage(small, connections);
        for (int i = 0; i < 20_000; i++) {
            var context = from("10." + (i >> 16 & 255) + "." + (i >> 8 & 255) + "." + (i & 255))
                    .context();
            stage.onOutcome(context, refused(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID));
        }

        assertThat(small.size()).isLessThanOrEqualTo(1000);
    }

    @Test
    void limits_are_positive() {
        assertThatThrownBy(() -> new FloodConfig(null, null, 0, 1))
                .isInstanceOf(InvalidSetting.class)
                .hasMessage("failures-per-minute: 0 (expected: 1 to 10000000)");
        assertThatThrownBy(() -> new FloodConfig(null, null, 1, 0))
                .isInstanceOf(InvalidSetting.class)
                .hasMessage("connections-per-address: 0 (expected: 1 to 1000000)");
    }

    @Test
    void the_section_of_the_file_is_bound_with_its_defaults() {
        var findings = new Findings();

        assertThat(RecordBinder.bind("{}", FloodConfig.class, findings))
                .isEqualTo(new FloodConfig(null, null, 20, 1024));
        assertThat(findings.all()).isEmpty();
    }

    private void exhaust(String address) {
        for (int i = 0; i < LIMIT; i++) {
            fail(address, Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
        }
    }

    private void fail(String address, Reason reason) {
        stage.onOutcome(from(address).context(), refused(reason));
    }

    private static Outcome refused(Reason reason) {
        return new Outcome.Refused(
                switch (reason.status()) {
                    case 400 -> new Denial.Rejected(reason);
                    case 401 -> new Denial.Unauthenticated(reason, List.of(CHALLENGE));
                    case 403 -> new Denial.Forbidden(reason);
                    default -> new Denial.Unavailable(reason, Duration.ofSeconds(1));
                });
    }

    private static FakeRequest from(String address) {
        return FakeRequest.get("/orders").from(address).snapshot(SNAPSHOT);
    }

    private static Denial denialOf(Verdict verdict) {
        return ((Verdict.Deny) verdict).denial();
    }

    private static Reason reasonOf(Verdict verdict) {
        return denialOf(verdict).reason();
    }

    private static final class Refusing implements Stage {
        @Override
        public StageName name() {
            return StageName.AUTHENTICATE;
        }

        @Override
        public Verdict evaluate(RequestContext context) {
            return new Verdict.Deny(new Denial.Unauthenticated(Reason.AUTHENTICATE_JWT_EXPIRED, List.of(CHALLENGE)));
        }
    }
}
