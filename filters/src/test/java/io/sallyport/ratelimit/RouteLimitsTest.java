// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.RecordBinder;
import io.sallyport.identity.ClaimPath;
import io.sallyport.ratelimit.store.IfAbsent;
import io.sallyport.ratelimit.store.LimitKey;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RouteLimitsTest {
    private static final LimitConfig LIMIT = new LimitConfig(LimitKey.Word.SUBJECT, 1, Duration.ofSeconds(1), 1);

    private final Findings findings = new Findings();

    @Test
    void a_name_that_cannot_stand_in_a_field_is_a_finding() {
        assertThat(RouteLimits.compile(Map.of("Per User", LIMIT), "orders", false, findings.at("rate-limits")))
                .isNull();
        assertThat(findings.all())
                .singleElement()
                .extracting(Finding::toString)
                .asString()
                .contains(
                        "rate-limits.Per User", "(expected: a policy name of 1 to 64 characters of a-z, 0-9 and dash)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"subject", "client", "claim:tenant"})
    void what_an_anonymous_caller_does_not_have_is_no_key_of_a_public_route(String key) {
        var limit = new LimitConfig(LimitKey.parse(key), 1, Duration.ofSeconds(1), 1);

        assertThat(RouteLimits.compile(Map.of("user", limit), "docs", true, findings.at("rate-limits")))
                .isNull();
        assertThat(findings.all())
                .singleElement()
                .extracting(Finding::toString)
                .asString()
                .contains(
                        "rate-limits.user.key",
                        key,
                        "(expected: address or route, because every caller of a public route is anonymous)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"address", "route"})
    void address_and_route_are_keys_of_a_public_route(String key) {
        var limit = new LimitConfig(LimitKey.parse(key), 1, Duration.ofSeconds(1), 1);

        assertThat(RouteLimits.compile(Map.of("all", limit), "docs", true, findings.at("rate-limits")))
                .isNotNull();
    }

    @Test
    void more_policies_than_a_request_should_be_charged_to_are_a_finding() {
        var limits = new HashMap<String, LimitConfig>();
        for (int i = 0; i < 9; i++) {
            limits.put("p" + i, LIMIT);
        }

        assertThat(RouteLimits.compile(limits, "orders", false, findings.at("rate-limits")))
                .isNull();
        assertThat(findings.all()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "0, PT1M, 1, limit: 0 (expected: 1 to 1000000000)",
        "1000000001, PT1M, 1, limit: 1000000001 (expected: 1 to 1000000000)",
        "1, PT0S, 1, 'per: PT0S (expected: whole seconds, 1s to 1d)'",
        "1, PT1.5S, 1, 'per: PT1.5S (expected: whole seconds, 1s to 1d)'",
        "1, PT25H, 1, 'per: PT25H (expected: whole seconds, 1s to 1d)'",
        "5, PT1M, 0, 'cost: 0 (expected: 1 to the limit, which is 5)'",
        "5, PT1M, 6, 'cost: 6 (expected: 1 to the limit, which is 5)'",
    })
    void a_limit_holds_no_wrong_value(long limit, Duration per, long cost, String message) {
        assertThatThrownBy(() -> new LimitConfig(LimitKey.Word.SUBJECT, limit, per, cost))
                .isInstanceOf(InvalidSetting.class)
                .hasMessage(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"subject", "client", "address", "route"})
    void what_becomes_of_a_missing_claim_is_nothing_for_another_key_to_say(String key) {
        assertThatThrownBy(() -> new LimitConfig(LimitKey.parse(key), 1, Duration.ofSeconds(1), 1, IfAbsent.REFUSE))
                .isInstanceOf(InvalidSetting.class)
                .hasMessage("if-absent: refuse (expected: nothing, because the key is no claim)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "ip", "Subject", "claim", "claim:"})
    void a_key_is_one_of_those_there_are(String key) {
        assertThatThrownBy(() -> LimitKey.parse(key)).isInstanceOf(InvalidSetting.class);
    }

    @Test
    void an_entry_of_the_file_is_bound_with_its_default() {
        var limit = RecordBinder.bind("{ key: claim:org.tenant, limit: 100, per: 1m }", LimitConfig.class, findings);
        var stage = RecordBinder.bind("{}", RateLimitConfig.class, findings);

        assertThat(findings.all()).isEmpty();
        assertThat(limit)
                .isEqualTo(new LimitConfig(
                        new LimitKey.Claim(ClaimPath.parse("org.tenant")), 100, Duration.ofMinutes(1), 1));
        assertThat(stage).isEqualTo(new RateLimitConfig(null, null));
    }

    @Test
    void a_key_that_there_is_not_is_a_finding_that_says_which_there_are() {
        RecordBinder.bind("{ key: ip, limit: 100, per: 1m }", LimitConfig.class, findings);

        assertThat(findings.all())
                .singleElement()
                .extracting(Finding::toString)
                .asString()
                .contains("key", "ip", "(expected: subject, client, address, route or claim:<path>)");
    }
}
