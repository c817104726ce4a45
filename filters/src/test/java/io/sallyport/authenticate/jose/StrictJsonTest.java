// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jose;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What can be read in one way is read; the rest is refused. */
class StrictJsonTest {
    @Test
    void values_become_what_they_are() {
        assertThat(parse("""
                        { "text":"a\\u00e9\\ud83d\\ude00\\n\\/ é😀" ,"int":-7,"max":9223372036854775807,"frac":1.5e2,
                          "yes":true,"no":false,"none":null,"list":[1,"b",[],{}],"object":{"a":{"a":1}}, "":0 }
                        """))
                .isEqualTo(Map.of(
                        "text",
                        "aé😀\n/ é😀",
                        "int",
                        -7L,
                        "max",
                        Long.MAX_VALUE,
                        "frac",
                        150.0,
                        "yes",
                        true,
                        "no",
                        false,
                        "none",
                        StrictJson.Null.NULL,
                        "list",
                        List.of(1L, "b", List.of(), Map.of()),
                        "object",
                        Map.of("a", Map.of("a", 1L)),
                        "",
                        0L));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "null",
                "[]",
                "\"a\"",
                "7",
                "{",
                "}",
                "{}{}",
                "{} x",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":1,}",
                "{,\"a\":1}",
                "{a:1}",
                "{'a':1}",
                "{\"a\":1 \"b\":2}",
                "{\"a\":[1,]}",
                "{\"a\":[,1]}",
                "{\"a\":[1}",
                "{\"a\":\"}",
                "{\"a\":\"\\\"}",
                "{\"a\":\"\\x41\"}",
                "{\"a\":\"\\u004\"}",
                "{\"a\":\"\\u00zz\"}",
                "{\"a\":\"\t\"}",
                "{\"a\":\"\u0000\"}",
                "{\"a\":\"\\\u0001\"}",
                "{\"a\":tru}",
                "{\"a\":True}",
                "{\"a\":nulll}",
                "{\"a\":NaN}",
                "{\"a\":Infinity}",
                "{\"a\":01}",
                "{\"a\":+1}",
                "{\"a\":-}",
                "{\"a\":.5}",
                "{\"a\":1.}",
                "{\"a\":1e}",
                "{\"a\":0x10}",
                "{\"a\":1/*c*/}",
                "\ufeff{}",
                "{\u00a0}"
            })
    void other_text_is_refused(String text) {
        assertThat(parse(text)).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"a\":1,\"a\":1}",
                "{\"a\":1,\"\\u0061\":2}",
                "{\"o\":{\"a\":null,\"a\":1}}",
                "{\"l\":[[{\"a\":1,\"b\":2,\"a\":3}]]}"
            })
    void a_member_may_occur_once_at_every_level_however_it_is_spelt(String text) {
        assertThat(parse(text)).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "9223372036854775808",
                "-9223372036854775808",
                "12345678901234567890123",
                "1e400",
                "-1e400",
                "0.00000000000000000000000000000000000000001",
                "1234567890123456789012345678901234567890123"
            })
    void a_number_that_would_lose_its_value_is_refused(String number) {
        assertThat(parse("{\"a\":" + number + "}")).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\ud800", "\\udc00", "\\udc00\\ud800", "\\ud800x", "x\\ud83d\\u0041"})
    void half_a_surrogate_pair_is_refused(String escaped) {
        assertThat(parse("{\"a\":\"" + escaped + "\"}")).isNull();
    }

    /** Overlong NUL and slash, a surrogate, beyond Unicode, a lone continuation, a cut sequence. */
    @Test
    void invalid_utf_8_is_refused() {
        for (var invalid : List.of(
                new int[] {0xc0, 0x80},
                new int[] {0xc0, 0xaf},
                new int[] {0xed, 0xa0, 0x80},
                new int[] {0xf4, 0x90, 0x80, 0x80},
                new int[] {0x80},
                new int[] {0xff},
                new int[] {0xe2, 0x82})) {
            var text = "{\"a\":\"";
            var bytes = new byte[text.length() + invalid.length + 2];
            System.arraycopy(text.getBytes(StandardCharsets.US_ASCII), 0, bytes, 0, text.length());
            for (int i = 0; i < invalid.length; i++) {
                bytes[text.length() + i] = (byte) invalid[i];
            }
            bytes[bytes.length - 2] = '"';
            bytes[bytes.length - 1] = '}';

            assertThat(StrictJson.parseObject(bytes)).isNull();
        }
    }

    @Test
    void depth_is_bounded() {
        assertThat(parse("{\"a\":" + "[".repeat(15) + "]".repeat(15) + "}")).isNotNull();
        assertThat(parse("{\"a\":" + "[".repeat(16) + "]".repeat(16) + "}")).isNull();
        assertThat(parse("{\"a\":".repeat(16) + "1" + "}".repeat(16))).isNotNull();
        assertThat(parse("{\"a\":".repeat(17) + "1" + "}".repeat(17))).isNull();
        assertThat(parse("{\"a\":" + "[".repeat(200_000))).isNull();
    }

    /** Every text ends in an object or in null: a few thousand mutations of one that is right. */
    @Test
    void no_text_makes_it_throw() {
        var good = "{\"a\":[1,-2.5e3,\"x\\u0041\\n\"],\"b\":{\"c\":null,\"d\":true}}";
        var random = new Random(11);
        for (int i = 0; i < 20_000; i++) {
            var bytes = good.getBytes(StandardCharsets.UTF_8);
            for (int change = random.nextInt(3); change >= 0; change--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            var cut = Arrays.copyOf(bytes, random.nextInt(bytes.length) + 1);
            StrictJson.parseObject(bytes);
            assertThat(StrictJson.parseObject(cut) == null || cut.length == bytes.length)
                    .isTrue();
        }
    }

    private static @Nullable Map<String, Object> parse(String text) {
        return StrictJson.parseObject(text.getBytes(StandardCharsets.UTF_8));
    }
}
