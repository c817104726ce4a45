// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SPIFFE-ID section 2, with vectors of our own: the public ones, where they are, are in {@code SpiffeVectorsTest}. */
class StrictSpiffeIdTest {
    private static final String IN_TRUST_DOMAIN = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
    private static final String IN_PATH = IN_TRUST_DOMAIN + "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    @Test
    void of_all_characters_a_trust_domain_has_these_and_a_slash_ends_it() {
        var allowed = IntStream.range(0, 0x180)
                .filter(c -> StrictSpiffeId.parse("spiffe://trust" + (char) c + "domain/path") != null)
                .toArray();

        assertThat(allowed).isEqualTo((IN_TRUST_DOMAIN + "/").chars().sorted().toArray());
    }

    @Test
    void of_all_characters_a_path_has_these_and_a_slash_parts_it() {
        var allowed = IntStream.range(0, 0x180)
                .filter(c -> StrictSpiffeId.parse("spiffe://trustdomain/pa" + (char) c + "th") != null)
                .toArray();

        assertThat(allowed).isEqualTo((IN_PATH + "/").chars().sorted().toArray());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spiffe://example.org",
                "spiffe://example.org/ns/orders/sa/api",
                "spiffe://10.1.2.3/x",
                "spiffe://a/b",
                "spiffe://example.org/...",
                "spiffe://example.org/.hidden/..x/x..",
                "spiffe://example.org/UPPER/Case"
            })
    void this_is_one(String text) {
        assertThat(StrictSpiffeId.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "spiffe",
                "spiffe:",
                "spiffe:/",
                "spiffe://",
                "spiffe:///path",
                "spiffe://example.org/",
                "spiffe://example.org//x",
                "spiffe://example.org/x/",
                "spiffe://example.org/x//y",
                "spiffe://example.org/.",
                "spiffe://example.org/..",
                "spiffe://example.org/x/./y",
                "spiffe://example.org/x/../y",
                "spiffe://example.org/x/..",
                "spiffe://example.org/%2e%2e",
                "spiffe://example.org/x%2Fy",
                "spiffe://example.org:8443/x",
                "spiffe://user@example.org/x",
                "spiffe://user:secret@example.org/x",
                "spiffe://[::1]/x",
                "spiffe://example.org/x?y",
                "spiffe://example.org?y",
                "spiffe://example.org/x#y",
                "spiffe://example.org/x y",
                " spiffe://example.org/x",
                "spiffe://example.org/x ",
                "spiffe://example.org/x\n",
                "spiffe://exämple.org/x",
                "spiffe://example.org/ж",
                "SPIFFE://example.org/x",
                "Spiffe://example.org/x",
                "spiffe://Example.org/x",
                "spiff://example.org/x",
                "spiffe:example.org/x",
                "https://example.org/x",
                "//example.org/x",
                "example.org/x"
            })
    void this_is_none(String text) {
        assertThat(StrictSpiffeId.parse(text)).isNull();
    }

    @Test
    void the_longest_is_of_2048_bytes_and_its_trust_domain_of_255() {
        var longest = "spiffe://" + "a".repeat(255) + "/" + "b".repeat(2048 - 9 - 255 - 1);

        assertThat(longest).hasSize(2048);
        assertThat(StrictSpiffeId.parse(longest)).hasToString(longest);
        assertThat(StrictSpiffeId.parse(longest + "b")).isNull();
        assertThat(StrictSpiffeId.parse("spiffe://" + "a".repeat(256) + "/b")).isNull();
    }

    @Test
    void a_workload_has_a_path() {
        assertThat(StrictSpiffeId.parseWorkload("spiffe://example.org")).isNull();
        assertThat(StrictSpiffeId.parseWorkload("spiffe://example.org/x")).isNotNull();
    }
}
