// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.authorize.pdp.Decision;
import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Answer;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RiskScore;
import io.spiffe.spiffeid.SpiffeId;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What rules can say, what they cannot, and what becomes of one that has no answer. */
class CelRulesTest {
    private static final Set<String> PATH = Set.of("tenant");

    private final Findings findings = new Findings();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "request.method == 'POST'",
                "request.host == 'api.example.org'",
                "request.path == '/v1/tenants/acme/payments'",
                "request.path.startsWith('/v1/tenants/' + path.tenant + '/')",
                "request.headers['x-channel'] == 'web'",
                "request.headers['X-Channel'] == 'web'",
                "request.headers.accept == 'text/html, application/json'",
                "request.headers.exists(name, name == 'x-channel')",
                "request.query.amount == '12 5'",
                "has(request.query.flag) && request.query.flag == ''",
                "path.tenant == 'acme'",
                "'payments:write' in token.scopes && token.claims.tenant_id == path.tenant",
                "token.claims['tenant_id'] == 'acme'",
                "token.claims.realm_access.roles.exists(role, role == 'teller')",
                "token.claims.limits[0] == 10 && token.claims.limits[1] > 2.5",
                "token.claims.level == 3.0",
                "'tenant_id' in token.claims && size(token.claims) == 5",
                "has(token.claims.tenant_id) && !has(token.claims.suspended)",
                "token.claims.exists(name, name.startsWith('realm_'))",
                "token.claims.verified",
                "token.claims == token.claims",
                "token.issuer == 'https://idp.example.org' && token.subject == 'alice'",
                "token.client_id == 'shop' && token.acr == 'phr' && token.amr == ['hwk', 'pin']",
                "token.age == 90",
                "principal.kind == 'subject' && principal.id == 'alice' && !has(principal.spiffe_id)",
                "client.address == '192.0.2.7'",
                "risk.score < 40",
                "now > timestamp('2026-11-22T11:59:59Z') && now.getHours('Europe/Vienna') == 13",
                "request.path.matches('^/v1/tenants/[a-z]+/')",
                "(1 == 1 ? token.claims.tenant_id : 'x') == 'acme'",
                // CEL's own rule: of a disjunction, one true half is enough, whatever the other could not answer.
                "token.claims.nickname == 'x' || true",
            })
    void a_rule_reads_what_the_request_has(String rule) {
        assertThat(decide(Map.of("reads", rule), Map.of(), ordinary()))
                .isEqualTo(new Decision.Allowed("reads", List.of()));
    }

    @Test
    void a_claim_is_compared_with_a_variable_of_the_path() {
        var rule = Map.of("own-tenant", "token.claims.tenant_id == path.tenant");

        assertThat(decide(rule, Map.of(), ordinary().pathVariables(Map.of("tenant", "globex"))))
                .isEqualTo(new Decision.NothingAllowed(List.of("own-tenant"), List.of()));
    }

    @Test
    void the_identity_of_a_workload_is_its_spiffe_id() {
        var workload = new Principal.Workload(
                SpiffeId.parse("spiffe://example.org/ns/shop/sa/cart"), FakeRequest.NOW.plusSeconds(60));
        var rule = "principal.kind == 'workload' && principal.id == principal.spiffe_id"
                + " && principal.spiffe_id == 'spiffe://example.org/ns/shop/sa/cart'";

        assertThat(decide(Map.of("cart", rule), Map.of(), ordinary().by(workload)))
                .isEqualTo(new Decision.Allowed("cart", List.of()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "token.claims.nickname == 'x'",
                "token.claims.nickname.first == 'x'",
                "token.claims['nickname'] == 'x'",
                "!token.claims.nickname",
                "token.claims.nickname != 'x'",
                "request.headers['x-absent'] != 'x'",
                "request.query.absent != 'x'",
                "principal.spiffe_id != 'x'",
            })
    void what_the_request_does_not_have_is_no_match_under_allow_and_a_match_under_deny(String rule) {
        var fault = List.of(new Decision.Fault("reads", "attribute_not_found"));

        assertThat(decide(Map.of("reads", rule), Map.of(), ordinary()))
                .isEqualTo(new Decision.NothingAllowed(List.of("reads"), fault));
        assertThat(decide(Map.of("anyone", "true"), Map.of("reads", rule), ordinary()))
                .isEqualTo(new Decision.Denied(List.of("reads"), fault));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "!has(token.claims.suspended)",
                "!('suspended' in token.claims)",
                "!('admin' in token.scopes)",
                "token.age < 1000000",
            })
    void a_rule_about_the_token_of_a_caller_without_one_is_not_matched(String rule) {
        var anonymous = ordinary().by(Principal.Anonymous.ANONYMOUS);

        assertThat(decide(Map.of("reads", rule), Map.of(), anonymous))
                .isEqualTo(new Decision.NothingAllowed(
                        List.of("reads"), List.of(new Decision.Fault("reads", "attribute_not_found"))));
    }

    @Test
    void a_query_parameter_that_occurs_twice_is_there_but_cannot_be_read() {
        var twice = FakeRequest.get("/v1/tenants/acme/payments?debug=no&debug=yes")
                .by(ordinary().context().principal())
                .pathVariables(Map.of("tenant", "acme"));
        var fault = List.of(new Decision.Fault("reads", "attribute_repeated"));

        assertThat(decide(Map.of("reads", "request.query.debug == 'no'"), Map.of(), twice))
                .isEqualTo(new Decision.NothingAllowed(List.of("reads"), fault));
        assertThat(decide(Map.of("anyone", "true"), Map.of("reads", "request.query.debug == 'yes'"), twice))
                .isEqualTo(new Decision.Denied(List.of("reads"), fault));
        assertThat(decide(Map.of("anyone", "true"), Map.of("reads", "has(request.query.debug)"), twice))
                .isEqualTo(new Decision.Denied(List.of("reads"), List.of()));
        assertThat(decide(Map.of("anyone", "true"), Map.of("reads", "'debug' in request.query"), twice))
                .isEqualTo(new Decision.Denied(List.of("reads"), fault));
    }

    @Test
    void a_claim_that_is_no_boolean_is_no_answer() {
        var rule = Map.of("reads", "token.claims.tenant_id");

        assertThat(decide(rule, Map.of(), ordinary()))
                .isEqualTo(new Decision.NothingAllowed(
                        List.of("reads"), List.of(new Decision.Fault("reads", "not_a_boolean"))));
    }

    @Test
    void deny_overrides_allow_and_every_deny_rule_that_matched_is_named() {
        var deny = new LinkedHashMap<String, String>();
        deny.put("night", "now.getHours() == 12");
        deny.put("never", "false");
        deny.put("acme", "path.tenant == 'acme'");

        assertThat(decide(Map.of("anyone", "true"), deny, ordinary()))
                .isEqualTo(new Decision.Denied(List.of("night", "acme"), List.of()));
    }

    @Test
    void a_rule_that_failed_is_reported_although_another_allowed() {
        var allow = new LinkedHashMap<String, String>();
        allow.put("admins", "token.claims.admin");
        allow.put("anyone", "true");

        assertThat(decide(allow, Map.of(), ordinary()))
                .isEqualTo(
                        new Decision.Allowed("anyone", List.of(new Decision.Fault("admins", "attribute_not_found"))));
    }

    @Test
    void a_rule_that_turns_too_many_rounds_is_stopped_and_has_no_answer() {
        var numbers = IntStream.range(0, 40).mapToObj(String::valueOf).collect(Collectors.joining(",", "[", "]"));
        var rule = "%s.all(a, %s.all(b, a + b >= 0))".formatted(numbers, numbers);

        assertThat(decide(Map.of("loops", rule), Map.of(), ordinary()))
                .isEqualTo(new Decision.NothingAllowed(
                        List.of("loops"), List.of(new Decision.Fault("loops", "iteration_budget_exceeded"))));
    }

    @Test
    void a_misspelt_member_does_not_load_and_the_finding_says_where_and_what_there_is() {
        assertThat(problem("token.claims.tenant_id == path.tenat"))
                .isEqualTo(
                        "a rule that answers true or false; at character 31: 'path' has no member 'tenat' (it has: tenant)");
        assertThat(problem("token.scoops == []"))
                .isEqualTo("a rule that answers true or false; at character 6: 'token' has no member 'scoops'"
                        + " (it has: acr, age, amr, claims, client_id, issuer, scopes, subject)");
        assertThat(problem("tokn.age < 5"))
                .isEqualTo("a rule that answers true or false; at character 1: there is no 'tokn'"
                        + " (there are: client, now, path, principal, request, risk, token)");
    }

    @Test
    void a_rule_that_names_a_variable_which_the_path_lacks_does_not_load() {
        assertThat(CelRules.compile(Map.of("own", "path.tenant == 'a'"), Map.of(), Set.of(), place()))
                .isNull();
        assertThat(findings.all())
                .extracting(Finding::expected)
                .containsExactly("a rule that answers true or false;"
                        + " at character 5: 'path' has no member 'tenant' (the route's path has no variables)");
    }

    @Test
    void what_is_wrong_is_said_in_plain_words() {
        assertThat(problem("path.tenant")).endsWith("; at character 5: it answers with a value of type string");
        assertThat(problem("path.tenant == 3")).endsWith("; at character 13: '==' cannot be applied to (string, int)");
        assertThat(problem("'a' in path")).contains("'in' cannot be applied to (string, sallyport.path)");
        assertThat(problem("true &&\n  token.agee > 1"))
                .contains("at line 2, character 8: 'token' has no member 'agee'");
        assertThat(problem("")).startsWith("a rule that answers true or false; ");
        assertThat(problem("true &&")).contains("at character 8: ");
    }

    @Test
    void a_rule_whose_cost_is_not_bounded_does_not_load() {
        assertThat(problem("path.tenant == '%s'".formatted("x".repeat(4_096))))
                .endsWith("; it is longer than 4096 characters");
        assertThat(problem("true" + " && 1 == 1".repeat(200))).endsWith("it has more than 500 parts");
        assertThat(problem("(".repeat(100) + "true" + ")".repeat(100))).contains("recursion");
        assertThat(problem("request.path.matches(path.tenant)"))
                .endsWith("; at character 26: the pattern of matches has to be a literal");
        assertThat(problem("matches(request.path, path.tenant)"))
                .endsWith("the pattern of matches has to be a literal");
        assertThat(problem("request.path.matches('(x{100}){100}')"))
                .contains("to 10202 instructions, more than the 500");
        assertThat(problem("request.path.matches('[')")).contains("no valid RE2 pattern: ");
        // A macro that builds a list: from here on, memory could grow from round to round.
        assertThat(problem("['x'].map(a, a + a).exists(a, a == '')"))
                .contains("at character 10: there is no function 'map'; ");
    }

    @Test
    void a_literal_that_is_no_time_does_not_load() {
        assertThat(problem("now > timestamp('yesterday')")).contains("at character 17: ");
        assertThat(problem("now - now > duration('long')")).contains("at character 22: ");
    }

    @Test
    void everything_that_is_wrong_is_found_at_once() {
        var allow = new LinkedHashMap<String, String>();
        allow.put("one", "nobody");
        allow.put("right", "true");
        allow.put("two", "path.x == ''");

        assertThat(CelRules.compile(allow, Map.of("three", "1"), PATH, place())).isNull();
        assertThat(findings.all())
                .extracting(Finding::path)
                .containsExactly(
                        "sallyport.routes.r.authorize.allow.one",
                        "sallyport.routes.r.authorize.allow.two",
                        "sallyport.routes.r.authorize.deny.three");
    }

    private String problem(String rule) {
        var separate = new Findings();
        assertThat(CelRules.compile(Map.of("rule", rule), Map.of(), PATH, separate.at("authorize")))
                .isNull();
        assertThat(separate.all()).hasSize(1);
        return separate.all().getFirst().expected();
    }

    private Decision decide(Map<String, String> allow, Map<String, String> deny, FakeRequest request) {
        var rules = CelRules.compile(allow, deny, PATH, place());
        assertThat(findings.all()).isEmpty();
        var context = request.context();
        context.riskScore(new RiskScore(30, List.of("token_age")));
        return ((Answer.Now<Decision>) requireNonNull(rules).decide(context)).value();
    }

    private Findings.Place place() {
        return findings.at("sallyport.routes.r.authorize");
    }

    private static FakeRequest ordinary() {
        return FakeRequest.of(HttpMethod.POST, "/v1/tenants/acme/payments?amount=12+5&flag")
                .header("X-Channel", "web")
                .header("Accept", "text/html")
                .header("Accept", "application/json")
                .pathVariables(Map.of("tenant", "acme"))
                .by(alice());
    }

    private static Principal.Subject alice() {
        return new Principal.Subject(
                "corp",
                "https://idp.example.org",
                "alice",
                "shop",
                "session-1",
                "token-1",
                FakeRequest.NOW.minus(Duration.ofSeconds(90)),
                FakeRequest.NOW.plusSeconds(600),
                Set.of("payments:write", "payments:read"),
                "phr",
                List.of("hwk", "pin"),
                null,
                Map.of(
                        "tenant_id",
                        "acme",
                        "realm_access",
                        Map.of("roles", List.of("customer", "teller")),
                        "limits",
                        List.of(10L, 3L),
                        "level",
                        3L,
                        "verified",
                        true));
    }
}
