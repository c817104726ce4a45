// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jose;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One text for one sequence of bytes. */
class Base64UrlTest {
    /** RFC 4648 section 10, without padding. */
    @Test
    void the_rfcs_examples_are_decoded() {
        var plain = "foobar";
        for (var text : new String[] {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"}) {
            assertThat(Base64Url.decode(text))
                    .isEqualTo(plain.substring(0, text.length() * 3 / 4).getBytes(StandardCharsets.US_ASCII));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Zg==",
                "Zg=",
                "Zm8=", // padding
                "Zh",
                "Zm9",
                "Zm9vYh", // bits that carry nothing and are not zero
                "Z",
                "Zm9vY", // a length that no bytes have
                "Zm+v",
                "Zm/v", // the other alphabet
                "Zm 9v",
                "Zm9v\n",
                "Zm9v.",
                "Zm9vé",
                "Zm9v\u0141"
            })
    void another_spelling_is_refused(String text) {
        assertThat(Base64Url.decode(text)).isNull();
    }

    @Test
    void whatever_was_encoded_is_decoded_and_every_other_last_character_is_refused() {
        var random = new Random(7);
        for (int length = 1; length < 70; length++) {
            var bytes = new byte[length];
            random.nextBytes(bytes);
            var text = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);

            assertThat(Base64Url.decode(text)).isEqualTo(bytes);
            if (length % 3 != 0) {
                assertThat(Base64Url.decode(text.substring(0, text.length() - 1) + sibling(text)))
                        .isNull();
            }
        }
    }

    /** A last character that a lax decoder would read as the same bytes. */
    private static char sibling(String text) {
        var alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return alphabet.charAt(alphabet.indexOf(text.charAt(text.length() - 1)) | 1);
    }
}
