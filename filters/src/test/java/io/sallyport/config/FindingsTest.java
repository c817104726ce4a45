// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FindingsTest {
    private final Findings findings = new Findings();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "upstream.password    | hunter2",
                "store.client-secret  | x",
                "identity.files.key   | -----BEGIN PRIVATE KEY-----",
                "routes.a.authorize   | eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln",
                "upstream.uri         | https://user:hunter2@upstream.example/",
                "identity.files.key   | 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            })
    void a_value_that_may_be_a_secret_is_not_shown(String path, String value) {
        findings.at(path).reject(value, "something else than " + value);

        assertThat(findings.all().getFirst().toString())
                .contains("(hidden")
                .doesNotContain(": " + value, "than " + value);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://payments.payments.svc.cluster.local:8443/v1/tenants",
                "spiffe://example.org/ns/payments-of-the-region/sa/payments-2-of-the-region",
                "'payments:write' in token.scopes && token.claims.tenant_id == path.tenant",
                "/run/spire/agent-sockets/spire-agent-2.sock",
                "a-rather-long-name-of-a-route-of-ours-without-digits",
            })
    void a_value_that_is_none_is_shown(String value) {
        findings.at("x").reject(value, "y");

        assertThat(findings.all().getFirst().value()).isEqualTo(value);
    }

    @Test
    void a_finding_is_one_line_and_not_a_long_one() {
        findings.at("x").reject("a\n\u001b[31mb\u202e" + "c d ".repeat(100), "y");

        assertThat(findings.all().getFirst().value())
                .startsWith("a  [31mb c d ")
                .hasSize(203)
                .endsWith("...");
    }

    @Test
    void what_concerns_a_path_is_at_it_or_below_it() {
        findings.at("issuers.corp.audiences").element(0).reject("x", "y");

        assertThat(findings.concern("issuers.corp")).isTrue();
        assertThat(findings.concern("issuers.corp.audiences")).isTrue();
        assertThat(findings.concern("issuers.co")).isFalse();
        assertThat(findings.concern("issuers.corp.audiences[0].x")).isFalse();
    }

    @Test
    void findings_come_in_the_order_of_the_file() {
        findings.add(new Finding("b", "1", "x", 7));
        findings.add(new Finding("a", "1", "x", 3));
        findings.add(new Finding("", "no file", "x"));

        assertThat(findings.all()).extracting(Finding::line).containsExactly(0, 3, 7);
    }
}
