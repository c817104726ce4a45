// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.AsciiString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** Which headers are somebody's word about a caller, however they are written. */
class IdentityHeadersTest {

    @Test
    void names_are_known_in_every_case_and_as_every_kind_of_text() {
        for (var name : IdentityHeaders.NAMES) {
            assertThat(IdentityHeaders.STANDARD.contains(name)).as(name).isTrue();
            assertThat(IdentityHeaders.STANDARD.contains(name.toUpperCase(Locale.ROOT)))
                    .isTrue();
            assertThat(IdentityHeaders.STANDARD.contains(new AsciiString(name))).isTrue();
            assertThat(IdentityHeaders.STANDARD.contains(name + "x"))
                    .as(name + "x")
                    .isFalse();
        }
        for (var family : IdentityHeaders.FAMILIES) {
            assertThat(IdentityHeaders.STANDARD.contains(family + "anything"))
                    .as(family)
                    .isTrue();
            assertThat(IdentityHeaders.STANDARD.contains(new AsciiString(family.toUpperCase(Locale.ROOT) + "ANYTHING")))
                    .isTrue();
            assertThat(IdentityHeaders.STANDARD.contains("a" + family))
                    .as("a" + family)
                    .isFalse();
        }
        assertThat(IdentityHeaders.STANDARD.contains("")).isFalse();
    }

    @Test
    void the_documentation_lists_them_all() throws IOException {
        var documentation = Files.readString(Path.of("../docs/routing.md")).toLowerCase(Locale.ROOT);

        assertThat(IdentityHeaders.NAMES)
                .allSatisfy(name -> assertThat(documentation).contains("`" + name + "`"));
        assertThat(IdentityHeaders.FAMILIES)
                .allSatisfy(family -> assertThat(documentation).contains("`" + family + "*`"));
    }
}
