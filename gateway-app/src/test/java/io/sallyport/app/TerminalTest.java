// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class TerminalTest {
    private final StringWriter text = new StringWriter();
    private final Terminal terminal = Terminal.plain(new PrintWriter(text));

    @Test
    void a_table_has_columns_as_wide_as_their_longest_cell_and_no_blanks_at_the_end_of_a_line() {
        terminal.table(
                List.of("case", "actual", "ok"),
                List.of(List.of("no token", "401", "ok"), List.of("x", "200", "DIFFERS")),
                UnaryOperator.identity());

        assertThat(text.toString().lines())
                .containsExactly("  case      actual  ok", "  no token  401     ok", "  x         200     DIFFERS");
    }

    @Test
    void where_nobody_looks_at_a_terminal_there_are_no_colours() {
        assertThat(terminal.good("a") + terminal.bad("b") + terminal.strong("c") + terminal.faint("d"))
                .isEqualTo("abcd");
    }
}
