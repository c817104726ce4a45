// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import java.io.PrintWriter;
import java.util.List;
import java.util.function.UnaryOperator;

/** Prints for a human: plain ASCII, in columns, and in colour only where somebody looks at a terminal. */
final class Terminal {
    private static final String RESET = "\u001b[0m";

    private final PrintWriter out;
    private final boolean colours;

    private Terminal(PrintWriter out, boolean colours) {
        this.out = out;
        this.colours = colours;
    }

    /** Colours if standard output is a terminal that has them, and NO_COLOR does not say otherwise. */
    @SuppressWarnings("SystemConsoleNull") // it still is null with -Djdk.console=java.base
    static Terminal on(PrintWriter out) {
        var console = System.console();
        var term = System.getenv("TERM");
        var noColour = System.getenv("NO_COLOR");
        return new Terminal(
                out,
                console != null
                        && console.isTerminal()
                        && term != null
                        && !term.equals("dumb")
                        && (noColour == null || noColour.isEmpty()));
    }

    static Terminal plain(PrintWriter out) {
        return new Terminal(out, false);
    }

    void line(String text) {
        out.println(text);
        out.flush();
    }

    void line() {
        line("");
    }

    String strong(String text) {
        return in("1", text);
    }

    String faint(String text) {
        return in("2", text);
    }

    String good(String text) {
        return in("32", text);
    }

    String bad(String text) {
        return in("31", text);
    }

    private String in(String style, String text) {
        return colours ? "\u001b[" + style + "m" + text + RESET : text;
    }

    /** Prints rows under a header, each column as wide as its longest cell. The last cell of each row is coloured by {@code last}. */
    void table(List<String> header, List<List<String>> rows, UnaryOperator<String> last) {
        var widths = new int[header.size()];
        for (int column = 0; column < widths.length; column++) {
            widths[column] = header.get(column).length();
            for (var row : rows) {
                widths[column] = Math.max(widths[column], row.get(column).length());
            }
        }
        line("  " + strong(cells(header, widths)).stripTrailing());
        for (var row : rows) {
            var text = cells(row, widths);
            var end = row.getLast();
            line("  "
                    + (text.substring(0, text.length() - widths[widths.length - 1]) + last.apply(end)).stripTrailing());
        }
    }

    private static String cells(List<String> row, int[] widths) {
        var text = new StringBuilder();
        for (int column = 0; column < widths.length; column++) {
            if (column > 0) {
                text.append("  ");
            }
            text.append(row.get(column));
            text.repeat(' ', widths[column] - row.get(column).length());
        }
        return text.toString();
    }
}
