// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.RecordBinder;
import io.sallyport.config.Setting;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.Test;

/** Every message that a wrong {@code authorize} section gets. */
class RouteAuthorizationTest {
    private static final Map<String, String> ANYONE = Map.of("anyone", "true");

    @Test
    void the_word_public_opens_a_route() {
        assertThat(RouteAuthorization.parse("public").isPublic()).isTrue();
    }

    @Test
    void another_word_is_refused() {
        refused(() -> RouteAuthorization.parse("anyone"))
                .withMessage(": anyone (expected: the word public, or a section with rules under allow)");
    }

    @Test
    void a_section_without_an_allow_rule_is_refused_and_never_public() {
        refused(() -> new RouteAuthorization(List.of(), new LinkedHashMap<>(), Map.of(), false))
                .withMessage(
                        "allow: {} (expected: at least one rule, or `authorize: public` for a route that anyone may use)");
        refused(() -> new RouteAuthorization(List.of(), Map.of(), Map.of("never", "true"), false))
                .withMessageStartingWith("allow: {} ");
        assertThat(new RouteAuthorization(List.of(), Map.of("public", "true"), Map.of(), false).isPublic())
                .isFalse();
    }

    @Test
    void a_name_that_no_record_could_carry_is_refused() {
        refused(() -> new RouteAuthorization(List.of(), Map.of("a,b", "true"), Map.of(), false))
                .withMessage(
                        "allow: a,b (expected: a rule name of 1 to 64 characters of a-z, 0-9, dash and underscore)");
        refused(() -> new RouteAuthorization(List.of(), ANYONE, Map.of("", "true"), false))
                .withMessageStartingWith("deny: ");
    }

    @Test
    void one_name_for_two_rules_is_refused() {
        refused(() -> new RouteAuthorization(List.of(), ANYONE, Map.of("anyone", "false"), false))
                .withMessage(
                        "deny: anyone (expected: another name than that of an allow rule: records go by the name)");
    }

    @Test
    void a_scope_that_no_token_could_hold_is_refused() {
        for (var scope : List.of("", "a b", "a\"b", "a\\b", "ä")) {
            refused(() -> new RouteAuthorization(List.of(scope), ANYONE, Map.of(), false))
                    .withMessageContaining("RFC 6749 section 3.3");
        }
    }

    @Test
    void rules_keep_the_order_of_the_file() {
        var allow = new LinkedHashMap<String, String>();
        for (var name : List.of("z", "m", "a", "k")) {
            allow.put(name, "true");
        }

        assertThat(new RouteAuthorization(List.of(), allow, Map.of(), false).allow())
                .containsExactlyEntriesOf(allow);
    }

    @Test
    void a_public_route_has_no_rules_to_compile() {
        assertThat(AuthorizeModule.inMemory(new SimpleMeterRegistry())
                        .compile(RouteAuthorization.PUBLIC, Set.of(), new Findings().at("")))
                .isNull();
    }

    @Test
    void a_rule_that_is_wrong_leaves_no_compiled_rules_and_a_finding_at_its_place() {
        var findings = new Findings();
        var section = new RouteAuthorization(List.of(), Map.of("a", "tru"), Map.of("b", "fals"), false);

        assertThat(AuthorizeModule.inMemory(new SimpleMeterRegistry())
                        .compile(section, Set.of(), findings.at("sallyport.routes.r.authorize")))
                .isNull();
        assertThat(findings.all())
                .extracting(finding -> finding.path() + "=" + finding.value())
                .containsExactly(
                        "sallyport.routes.r.authorize.allow.a=tru", "sallyport.routes.r.authorize.deny.b=fals");
    }

    @Test
    void the_section_of_the_file_is_the_word_or_rules_in_their_order() {
        var findings = new Findings();
        var yaml = """
                scopes: [payments:write]
                allow:
                  payers: "token.claims.tenant_id == path.tenant"
                  auditors: "'audit' in token.scopes"
                deny:
                  night: "now.getHours() < 6"
                """;

        var section = requireNonNull(RecordBinder.bind(yaml, RouteAuthorization.class, findings));

        assertThat(RecordBinder.bind("authorize: public", Section.class, findings))
                .isEqualTo(new Section(RouteAuthorization.PUBLIC));
        assertThat(RecordBinder.bind("{}", AuthorizeConfig.class, findings)).isEqualTo(new AuthorizeConfig(null, null));
        assertThat(findings.all()).isEmpty();
        assertThat(section.allow().keySet()).containsExactly("payers", "auditors");
        assertThat(section.deny()).containsExactly(Map.entry("night", "now.getHours() < 6"));
        assertThat(section.scopes()).containsExactly("payments:write");
        assertThat(section.insecureObserve()).isFalse();
        assertThat(section.isPublic()).isFalse();
    }

    record Section(@Setting("As a route has it.") RouteAuthorization authorize) {}

    @Test
    void an_empty_section_of_the_file_does_not_load() {
        for (var yaml : List.of("{}", "{ allow: {} }", "{ deny: { never: 'false' } }", "privat")) {
            var findings = new Findings();

            RecordBinder.bind("authorize: " + yaml, Section.class, findings);

            assertThat(findings.all()).as(yaml).hasSize(1);
        }
    }

    private static ThrowableAssertAlternative<InvalidSetting> refused(ThrowingCallable made) {
        return assertThatExceptionOfType(InvalidSetting.class).isThrownBy(made);
    }
}
