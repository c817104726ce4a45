// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ShownKidTest {
    @Test
    void a_name_is_shown_on_one_line_in_printable_characters_and_not_at_any_length() {
        assertThat(ShownKid.of(null)).isNull();
        assertThat(ShownKid.of("key-2026-11")).isEqualTo("key-2026-11");
        assertThat(ShownKid.of("x\r\n2026 ERROR \u001b[2J\u202e\u00e9\u0000")).isEqualTo("x??2026 ERROR ?[2J???");
        assertThat(ShownKid.of("k".repeat(5000))).isEqualTo("k".repeat(64) + "...");
    }
}
