// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sallyport.config.InvalidSetting;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an operator may write as a path, and what a route gets out of one. */
class PathPatternTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/**",
                "/*",
                "/{a}",
                "/v1/orders",
                "/v1/{tenant}/*/x/**",
                "/caf%C3%A9",
                "/a.b",
                "/.well-known"
            })
    void patterns_of_whole_segments_are_read(String text) {
        assertThat(PathPattern.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "v1, a path such as /v1/orders",
                "\"\", a path such as /v1/orders",
                "/v1/, no slash at the end",
                "//, no slash at the end",
                "/a//b, a path such as",
                "/**/a, ** as the last segment only",
                "/a*, a path such as",
                "/***, a path such as",
                "/{a}.json, a path such as",
                "/{a, a path such as",
                "/{}, variables named by letters",
                "/{1a}, variables named by letters",
                "/{a-b}, variables named by letters",
                "/{a*}, variables named by letters",
                "/{a}/{a}, each variable once; {a} is there twice",
                "/caf%c3%a9, the canonical spelling of that segment: caf%C3%A9",
                "/%61, the canonical spelling of that segment: a",
                "/caf\u00e9, segments that a request may have",
                "/a/../b, segments that a request may have",
                "/a;b, segments that a request may have",
                "/a%2fb, segments that a request may have",
                "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/31/32/33, at most 32 segments",
            })
    void what_is_wrong_with_a_pattern_is_said(String text, String expected) {
        assertThatExceptionOfType(InvalidSetting.class)
                .isThrownBy(() -> PathPattern.parse(text))
                .satisfies(e -> assertThat(e.expected()).startsWith(expected))
                .satisfies(e -> assertThat(e.value()).isEqualTo(text));
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/orders, /v1/orders",
        "/v1/{tenant}/orders, /v1",
        "/v1/*/orders, /v1",
        "/v1/**, /v1",
        "/**, ''",
        "/, ''"
    })
    void the_literal_prefix_ends_before_the_first_segment_that_varies(String text, String prefix) {
        assertThat(PathPattern.parse(text).literalPrefix()).isEqualTo(prefix);
    }

    @Test
    void variables_are_decoded_by_name() {
        var pattern = PathPattern.parse("/v1/{tenant}/*/{id}/**");

        assertThat(pattern.variablesOf("/v1/caf%C3%A9/x/7/rest/of/it"))
                .isEqualTo(Map.of("tenant", "caf\u00e9", "id", "7"));
        assertThat(pattern.variablesOf("/v1/a/x/7")).isEqualTo(Map.of("tenant", "a", "id", "7"));
        assertThat(pattern.variablesOf("/v1/a/x/7/")).isEqualTo(Map.of("tenant", "a", "id", "7"));
        assertThat(pattern.variableNames()).containsExactly("tenant", "id");
    }

    @Test
    void a_pattern_is_equal_to_one_of_the_same_text() {
        assertThat(PathPattern.parse("/a/{b}"))
                .isEqualTo(PathPattern.parse("/a/{b}"))
                .hasSameHashCodeAs(PathPattern.parse("/a/{b}"))
                .isNotEqualTo(PathPattern.parse("/a/{c}"));
    }
}
