// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.config.InvalidSetting;
import io.spiffe.spiffeid.SpiffeId;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExpectedIdsTest {
    @Test
    void an_exact_id_matches_itself_alone() {
        var pin = pin("spiffe://example.org/ns/orders/sa/orders-api");

        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/orders-api")))
                .isTrue();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/orders-api2")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/orders")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/orders-api/v2")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.com/ns/orders/sa/orders-api")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/Orders-Api")))
                .isFalse();
    }

    @Test
    void a_star_matches_one_whole_segment() {
        var pin = pin("spiffe://example.org/ns/*/sa/api");

        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/api")))
                .isTrue();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/sa/api"))).isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/a/b/sa/api")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/other")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://other.test/ns/orders/sa/api")))
                .isFalse();
    }

    @Test
    void no_pin_matches_a_trust_domain_itself() {
        assertThat(pin("spiffe://example.org/ns/*").match(SpiffeId.parse("spiffe://example.org")))
                .isFalse();
    }

    @Test
    void pins_are_equal_whatever_their_order() {
        assertThat(pin("spiffe://a.test/x", "spiffe://a.test/y"))
                .isEqualTo(pin("spiffe://a.test/y", "spiffe://a.test/x"));
        assertThat(pin("spiffe://a.test/x")).isNotEqualTo(pin("spiffe://a.test/x", "spiffe://a.test/y"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spiffe://*/ns/orders/sa/api",
                "spiffe://*.example.org/ns/orders",
                "spiffe://example.org",
                "spiffe://example.org/*",
                "spiffe://example.org/*/*",
                "spiffe://example.org/ns/ord*",
                "spiffe://example.org/ns/*rs",
                "spiffe://example.org/ns/**",
                "spiffe://example.org/ns/orders/",
                "spiffe://example.org//orders",
                "spiffe://Example.org/ns/orders",
                "SPIFFE://example.org/ns/orders",
                "spiffe://example.org/ns/../orders",
                "spiffe://example.org:443/ns/orders",
                "spiffe://example.org/ns/orders?x=1",
                "https://example.org/ns/orders",
                " spiffe://example.org/ns/orders",
                ""
            })
    void what_is_not_the_id_of_a_workload_is_no_pin(String written) {
        assertThatThrownBy(() -> ExpectedId.parse(written))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.value()).isEqualTo(written));
    }

    private static ExpectedIds pin(String... ids) {
        return ExpectedIds.of(Arrays.stream(ids).map(ExpectedId::parse).toList());
    }
}
