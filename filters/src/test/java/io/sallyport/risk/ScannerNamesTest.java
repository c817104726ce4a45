// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScannerNamesTest {
    private final ScannerNames names = new ScannerNames(List.of("sqlmap", "nikto", "Nmap Scripting", "map!"));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sqlmap/1.8#stable (https://sqlmap.org)",
                "Mozilla/5.00 (Nikto/2.5.0)",
                "NIKTO",
                "Mozilla/5.0 (compatible; Nmap Scripting Engine)",
                "sqlsqlmap",
                "sqlmap!",
                "niknikto",
                "xmap!",
            })
    void a_name_is_found_wherever_it_stands_and_however_it_is_written(String userAgent) {
        assertThat(names.occurIn(userAgent)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Mozilla/5.0 (X11; Linux x86_64)", "sql map", "nikt", "ｎｉｋｔｏ", "nikt\u0000o"})
    void what_only_resembles_a_name_is_not_found(String userAgent) {
        assertThat(names.occurIn(userAgent)).isFalse();
    }

    @Test
    void a_long_text_is_looked_at_so_far_and_no_farther() {
        assertThat(names.occurIn("x".repeat(506) + "sqlmap")).isTrue();
        assertThat(names.occurIn("x".repeat(507) + "sqlmap")).isFalse();
    }

    @Test
    void it_finds_exactly_what_a_search_for_each_name_finds() {
        var random = new Random(42);
        for (int round = 0; round < 500; round++) {
            var some = new ArrayList<String>();
            for (int i = 0; i < 5; i++) {
                some.add(text(random, 3 + random.nextInt(3)));
            }
            var automaton = new ScannerNames(some);
            var text = text(random, 60);

            boolean contained = some.stream()
                    .anyMatch(name -> text.toLowerCase(Locale.ROOT).contains(name.toLowerCase(Locale.ROOT)));
            assertThat(automaton.occurIn(text)).as("%s in %s", some, text).isEqualTo(contained);
        }
    }

    /** Of few letters, so that names overlap. */
    private static String text(Random random, int length) {
        var text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append("abAB".charAt(random.nextInt(4)));
        }
        return text.toString();
    }
}
