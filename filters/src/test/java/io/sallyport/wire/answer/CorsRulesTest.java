// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The section {@code cors}, and what it makes of answers. */
class CorsRulesTest {
    private final CorsRules rules = LocalForwarderTest.rules("https://app.example.org", HttpMethod.GET);

    @Test
    void an_answer_to_an_allowed_origin_may_be_read_by_it_alone() {
        var answer = answerTo("https://app.example.org");

        assertThat(answer.get("access-control-allow-origin")).isEqualTo("https://app.example.org");
        assertThat(answer.get("access-control-allow-credentials")).isEqualTo("true");
        assertThat(answer.get("access-control-expose-headers"))
                .isEqualTo("ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id, x-total");
        assertThat(answer.get("vary")).isEqualTo("origin");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://evil.test",
                "http://app.example.org",
                "https://app.example.org:8443",
                "https://APP.example.org",
                "https://app.example.org/",
                "null",
                "*"
            })
    void an_answer_to_any_other_origin_says_only_that_origins_differ(String origin) {
        assertThat(answerTo(origin).entries()).hasSize(1);
        assertThat(answerTo(origin).get("vary")).isEqualTo("origin");
    }

    @Test
    void a_vary_of_the_upstream_is_kept() {
        var answer = new DefaultHttpHeaders().add("vary", "accept-encoding");

        rules.writeTo(new DefaultHttpHeaders(), answer);

        assertThat(answer.getAll("vary")).containsExactly("accept-encoding", "origin");
    }

    @Test
    void a_route_that_takes_OPTIONS_itself_cannot_have_the_section() {
        var findings = new Findings();

        var compiled = CorsRules.compile(
                config("https://app.example.org"),
                Set.of(HttpMethod.GET, HttpMethod.OPTIONS),
                findings.at("sallyport.routes.r.cors"));

        assertThat(compiled).isNull();
        assertThat(findings.all())
                .containsExactly(new Finding(
                        "sallyport.routes.r.cors",
                        "(a section)",
                        "nothing while match.methods has OPTIONS: with cors the gateway answers it"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "*",
                "null",
                "app.example.org",
                "https://*.example.org",
                "https://app.example.org/",
                "https://app.example.org/path",
                "https://app.example.org:443",
                "http://app.example.org:80",
                "https://APP.example.org",
                "https://user@app.example.org",
                "https://app.example.org?q",
                "ftp://app.example.org",
                "https://"
            })
    void what_a_browser_would_not_write_is_no_origin(String text) {
        assertThatThrownBy(() -> Origin.parse(text))
                .isInstanceOf(InvalidSetting.class)
                .hasMessageContaining(text)
                .hasMessageContaining("expected: an origin as browsers send it");
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://app.example.org", "http://localhost:3000", "https://[2001:db8::1]:8443"})
    void what_a_browser_writes_is_an_origin(String text) {
        assertThat(Origin.parse(text)).hasToString(text);
    }

    @Test
    void each_wrong_setting_is_named() {
        assertThatThrownBy(() -> new CorsConfig(List.of(), List.of(), List.of(), false, Duration.ZERO))
                .hasMessage("origins: [] (expected: at least one origin)");
        var origins = List.of(new Origin("https://app.example.org"));
        assertThatThrownBy(() -> new CorsConfig(origins, List.of("*"), List.of(), false, Duration.ZERO))
                .hasMessage("headers: * (expected: the name of a header, of letters, digits and dashes)");
        assertThatThrownBy(() -> new CorsConfig(origins, List.of(), List.of("a b"), false, Duration.ZERO))
                .hasMessage("exposed-headers: a b (expected: the name of a header, of letters, digits and dashes)");
        assertThatThrownBy(() -> new CorsConfig(origins, List.of(), List.of(), false, Duration.ofDays(2)))
                .hasMessage("max-age: PT48H (expected: 0s to 24h)");
    }

    private HttpHeaders answerTo(String origin) {
        var answer = new DefaultHttpHeaders();
        rules.writeTo(new DefaultHttpHeaders().add("origin", origin), answer);
        return answer;
    }

    private static CorsConfig config(String origin) {
        return new CorsConfig(List.of(new Origin(origin)), List.of(), List.of(), false, Duration.ZERO);
    }
}
