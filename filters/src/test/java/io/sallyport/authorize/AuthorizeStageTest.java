// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.authorize.pdp.Decision;
import io.sallyport.config.Findings;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Answer;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AuthorizeStageTest {
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final AuthorizeStage stage = new AuthorizeStage(meters);

    @Test
    void a_caller_that_a_rule_allows_passes() {
        var context = FakeRequest.get("/")
                .on(route(rules(Map.of("anyone", "true"), Map.of())))
                .by(holding())
                .context();

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void a_caller_that_no_rule_allows_is_forbidden_and_the_record_names_the_rules_that_were_asked() {
        var context = FakeRequest.get("/")
                .on(route(rules(Map.of("writers", "request.method == 'POST'"), Map.of())))
                .by(holding())
                .context();

        assertThat(denialOf(stage.evaluate(context)))
                .isEqualTo(
                        new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED).with(Evidence.Key.RULE_NAME, "writers"));
    }

    @Test
    void a_deny_rule_overrides_an_allow_rule_and_is_named() {
        var context = FakeRequest.get("/")
                .on(route(rules(Map.of("anyone", "true"), Map.of("readers", "request.method == 'GET'"))))
                .by(holding())
                .context();

        assertThat(denialOf(stage.evaluate(context)))
                .isEqualTo(new Denial.Forbidden(Reason.AUTHORIZE_DENY_RULE).with(Evidence.Key.RULE_NAME, "readers"));
    }

    @Test
    void a_rule_that_cannot_be_evaluated_is_named_with_the_kind_of_its_fault_and_counted() {
        var context = FakeRequest.get("/")
                .on(route(rules(Map.of("admins", "token.claims.admin"), Map.of())))
                .by(holding())
                .context();

        assertThat(denialOf(stage.evaluate(context)))
                .isEqualTo(new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED)
                        .with(Evidence.Key.RULE_NAME, "admins")
                        .with(Evidence.Key.DETAIL, "admins: attribute_not_found"));
        assertThat(meters.get("sallyport.authorize.rule.faults")
                        .tags("route", "orders", "rule", "admins")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void a_token_without_every_required_scope_is_forbidden_and_told_which_to_ask_for() {
        var rules = new RouteRules(List.of("orders:read", "orders:write"), _ -> {
            throw new AssertionError("rules must not be asked before the scopes are there");
        });
        var context =
                FakeRequest.get("/").on(route(rules)).by(holding("orders:read")).context();

        var denial = (Denial.Forbidden) denialOf(stage.evaluate(context));

        assertThat(denial.reason()).isEqualTo(Reason.AUTHORIZE_SCOPE_INSUFFICIENT);
        assertThat(requireNonNull(denial.challenge()).headerValue())
                .matches("Bearer error=\"insufficient_scope\", ?scope=\"orders:read orders:write\"");
        assertThat(denial.evidence().get(Evidence.Key.DETAIL)).isEqualTo("orders:read orders:write");
    }

    @Test
    void a_caller_without_a_token_holds_no_scope() {
        var rules =
                new RouteRules(List.of("orders:read"), _ -> new Answer.Now<>(new Decision.Allowed("any", List.of())));
        var context = FakeRequest.get("/").on(route(rules)).context();

        assertThat(denialOf(stage.evaluate(context)).reason()).isEqualTo(Reason.AUTHORIZE_SCOPE_INSUFFICIENT);
    }

    @Test
    void every_required_scope_and_a_rule_let_pass() {
        var rules =
                new RouteRules(List.of("orders:read"), _ -> new Answer.Now<>(new Decision.Allowed("any", List.of())));
        var context = FakeRequest.get("/")
                .on(route(rules))
                .by(holding("orders:write", "orders:read"))
                .context();

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void a_path_that_no_route_has_is_not_found() {
        var context = FakeRequest.get("/nowhere").on(unmatched()).context();

        assertThat(denialOf(stage.evaluate(context))).isEqualTo(new Denial.Rejected(Reason.AUTHORIZE_ROUTE_UNMATCHED));
    }

    @Test
    void a_path_that_a_route_has_for_other_methods_names_them() {
        var context = FakeRequest.of(HttpMethod.DELETE, "/orders")
                .on(unmatched())
                .allowedMethods(HttpMethod.GET, HttpMethod.POST)
                .context();

        assertThat(denialOf(stage.evaluate(context)))
                .isEqualTo(new Denial.MethodNotAllowed(
                        Reason.AUTHORIZE_METHOD_NOT_ALLOWED, Set.of(HttpMethod.GET, HttpMethod.POST)));
    }

    @Test
    void a_public_route_asks_nothing() {
        var open = Route.builder("docs", "api.example.org", Route.Kind.UPSTREAM)
                .makePublic()
                .build();

        assertThat(stage.evaluate(FakeRequest.get("/").on(open).context())).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void what_the_gateway_answers_itself_asks_nothing() {
        var local = Route.builder("sallyport:metadata", "api.example.org", Route.Kind.LOCAL)
                .build();

        assertThat(stage.evaluate(FakeRequest.get("/").on(local).context())).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void a_route_without_compiled_rules_is_a_bug_that_throws_and_so_denies() {
        var bare = Route.builder("bare", "api.example.org", Route.Kind.UPSTREAM).build();
        var context = FakeRequest.get("/").on(bare).context();

        assertThatIllegalStateException()
                .isThrownBy(() -> stage.evaluate(context))
                .withMessageContaining("bare");
    }

    private static RouteRules rules(Map<String, String> allow, Map<String, String> deny) {
        var section = new RouteAuthorization(List.of(), allow, deny, false);
        return requireNonNull(AuthorizeModule.inMemory(new SimpleMeterRegistry())
                .compile(section, Set.of(), new Findings().at("authorize")));
    }

    private static Route route(RouteRules rules) {
        return Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .settings(StageName.AUTHORIZE, rules)
                .build();
    }

    private static Route unmatched() {
        return Route.builder("sallyport:unmatched", "api.example.org", Route.Kind.UNMATCHED)
                .build();
    }

    private static Denial denialOf(Verdict verdict) {
        return ((Verdict.Deny) verdict).denial();
    }

    private static Principal holding(String... scopes) {
        return new Principal.Subject(
                "corp",
                "https://idp.example.org",
                "alice",
                null,
                null,
                null,
                FakeRequest.NOW,
                FakeRequest.NOW.plusSeconds(60),
                Set.of(scopes),
                null,
                List.of(),
                null,
                Map.of());
    }
}
