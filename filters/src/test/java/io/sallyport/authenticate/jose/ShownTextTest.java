// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jose;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ShownTextTest {
    @Test
    void a_name_is_shown_on_one_line_in_printable_characters_and_not_at_any_length() {
        assertThat(ShownText.kid(null)).isEqualTo("null");
        assertThat(ShownText.kid("key-2026-11")).isEqualTo("key-2026-11");
        assertThat(ShownText.kid("x\r\n2026 ERROR \u001b[2J\u202e\u00e9\u0000")).isEqualTo("x??2026 ERROR ?[2J???");
        assertThat(ShownText.kid("k".repeat(5000))).isEqualTo("k".repeat(64) + "...");
    }
}
