// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClaimPathTest {
    @Test
    void a_name_is_that_claim() {
        assertThat(ClaimPath.parse("tenant_id").in(Map.of("tenant_id", "t1"))).isEqualTo("t1");
    }

    @Test
    void a_dotted_path_goes_into_objects() {
        var claims = Map.<String, Object>of("realm", Map.of("plan", Map.of("tier", "gold")));

        assertThat(ClaimPath.parse("realm.plan.tier").in(claims)).isEqualTo("gold");
        assertThat(ClaimPath.parse("realm.plan.none").in(claims)).isNull();
        assertThat(ClaimPath.parse("realm.none.tier").in(claims)).isNull();
    }

    @Test
    void a_claim_whose_own_name_has_dots_comes_first() {
        var claims = Map.<String, Object>of("https://example.org/tenant", "t1", "https://example", Map.of("x", "y"));

        assertThat(ClaimPath.parse("https://example.org/tenant").in(claims)).isEqualTo("t1");
    }

    @Test
    void nothing_is_found_below_a_value_that_is_no_object() {
        assertThat(ClaimPath.parse("tenant.id").in(Map.of("tenant", "t1"))).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "tenant id", "tenant\n"})
    void what_can_be_no_claim_is_refused(String path) {
        assertThatThrownBy(() -> ClaimPath.parse(path))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(expected: 1 to 256 characters without spaces)");
    }
}
