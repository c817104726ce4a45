// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.authorize.cel.CelValue.Result;
import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.identity.FakeSubject;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Route;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Expressions that say something of a caller. */
class CelValueTest {
    private final Findings findings = new Findings();

    @Test
    void an_expression_says_what_a_token_has() {
        var claims = new HashMap<String, Object>(Map.of(
                "groups", List.of("a,b", "c"), "level", 3L, "admin", true, "realm", Map.of("roles", List.of("x"))));

        assertThat(of("token.subject", claims)).isEqualTo(new Result.Known("alice"));
        assertThat(of("token.claims.groups", claims)).isEqualTo(new Result.Known(List.of("a,b", "c")));
        assertThat(of("token.claims.realm.roles", claims)).isEqualTo(new Result.Known(List.of("x")));
        assertThat(of("token.claims.level", claims)).isEqualTo(new Result.Known(3L));
        assertThat(of("token.claims.admin ? 'admin' : 'user'", claims)).isEqualTo(new Result.Known("admin"));
        assertThat(of("'of ' + path.tenant", claims)).isEqualTo(new Result.Known("of acme"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "token.claims.email",
                "token.claims.realm.none",
                "'x' + token.claims.email",
                "token.claims.nothing",
                "token.client_id",
                "request.headers['x-none']",
                "has(token.claims.email) ? token.claims.email : null",
            })
    void what_the_caller_does_not_have_is_missing(String expression) {
        var claims = new HashMap<String, Object>(Map.of("realm", Map.of()));

        assertThat(of(expression, claims)).isEqualTo(Result.Missing.MISSING);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1 / (token.claims.level - token.claims.level) | divide_by_zero",
                "token.claims.level + token.claims.name | overload_not_found",
                "request.query['q'] | attribute_repeated",
            })
    void what_cannot_be_evaluated_is_a_fault_with_its_kind(String expression, String kind) {
        var claims = new HashMap<String, Object>(Map.of("level", 3L, "name", "x"));

        assertThat(of(expression, claims))
                .isInstanceOfSatisfying(
                        Result.Fault.class, fault -> assertThat(fault.kind()).isIn(kind, "invalid_argument"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "token.", "token.subjects", "path.region", "token.claims.groups.map(g, g + g)", "unknown"})
    void a_wrong_expression_is_a_finding(String expression) {
        assertThat(CelValue.compile(expression, Set.of("tenant"), findings.at("value")))
                .isNull();

        assertThat(findings.all()).extracting(Finding::path).containsExactly("value");
        assertThat(findings.all().getFirst().expected()).startsWith("an expression");
    }

    @Test
    void it_is_known_which_headers_and_variables_an_expression_names() {
        var reads = CelRules.readsOf(
                "request.headers['x-user'] == 'a' && 'x-role' in request.headers && has(request.headers.forwarded)"
                        + " && token.claims['x-none'] == 'b'",
                Set.of());

        assertThat(reads.headers()).containsExactlyInAnyOrder("x-user", "x-role", "forwarded");
        assertThat(reads.variables()).containsExactlyInAnyOrder("request", "token");
        assertThat(CelRules.readsOf("token.", Set.of())).isEqualTo(Reads.NOTHING);
    }

    private Result of(String expression, Map<String, Object> claims) {
        var value = CelValue.compile(expression, Set.of("tenant"), findings.at("value"));
        assertThat(findings.all()).isEmpty();
        var subject = FakeSubject.alice().client(null);
        claims.forEach(subject::claim);
        return Objects.requireNonNull(value)
                .of(FakeRequest.get("/v1?q=1&q=2")
                        .on(Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                                .build())
                        .pathVariables(Map.of("tenant", "acme"))
                        .by(subject.build())
                        .context());
    }
}
