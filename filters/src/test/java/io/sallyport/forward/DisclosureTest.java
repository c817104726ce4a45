// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.identity.IdentityHeaders;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code X-Forwarded-Prefix} says. */
class DisclosureTest {
    @ParameterizedTest
    @CsvSource({
        // literal prefix, authorized, forwarded, stripped
        "/api/v1, /api/v1/orders/7, /orders/7, /api/v1",
        "/api/v1, /api/v1/orders/7, /v1/orders/7, /api",
        "/api/v1, /api/v1/, /, /api/v1",
        "/api/v1, /api/v1, /, /api/v1",
        "/api, /api/api/7, /api/7, /api",
        // nothing was stripped
        "/api/v1, /api/v1/orders/7, /api/v1/orders/7,",
        "/api, /api, /api,",
        // more than the literal prefix, or not in whole segments
        "/api, /api/acme/orders, /orders,",
        "/api/v1, /api/v1/orders, /1/orders,",
        "'', /acme/orders, /orders,",
        // rewritten to something else
        "/api, /api/orders, /v2/orders,",
        "/api, /api/orders, /purchases,",
        "/api, /api/orders/7, /,",
    })
    void the_prefix_is_what_of_the_literal_one_a_filter_stripped(
            String literalPrefix, String path, String forwarded, @Nullable String stripped) {
        var disclosure = new Disclosure(IdentityHeaders.STANDARD, "api.example.org", literalPrefix, null, null, false);

        assertThat(disclosure.strippedFrom(path, forwarded)).isEqualTo(stripped);
    }
}
