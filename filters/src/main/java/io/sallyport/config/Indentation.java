// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Says in words of keys what is wrong with the indentation of a line: the parser says it in words of tokens. */
final class Indentation {
    private static final Pattern KEY = Pattern.compile("(\"[^\"]*\"|'[^']*'|[^\\s#'\"\\[{][^#]*?):(\\s.*)?");

    /** The keys that are open at a line, from the outside in. */
    private final List<Open> open = new ArrayList<>();

    /** @param isSection whether nothing stands behind the key, so that others may stand below it */
    private record Open(String key, int indent, int line, boolean isSection) {}

    private Indentation() {}

    /**
     * What is wrong with the indentation of that line.
     *
     * @param line from 1, where the parser stopped
     * @return null if it is not the indentation
     */
    static @Nullable Finding findingAt(int line, String text) {
        var lines = text.split("\n", -1);
        if (line < 1 || line > lines.length) {
            return null;
        }
        var found = new Indentation();
        for (int i = 1; i < line; i++) {
            found.add(lines[i - 1], i);
        }
        return found.judge(lines[line - 1], line);
    }

    private void add(String text, int line) {
        int indent = indentOf(text);
        var content = text.strip();
        if (content.isEmpty() || content.startsWith("#")) {
            return;
        }
        // An element of a list is a place of its own, and its first key is deeper than its dash.
        while (content.startsWith("- ")) {
            put("-", indent, line, true);
            var rest = content.substring(1).stripLeading();
            indent += content.length() - rest.length();
            content = rest;
        }
        var key = KEY.matcher(content);
        if (key.matches()) {
            var value = key.group(2);
            put(key.group(1), indent, line, value == null || isNothing(value.strip()));
        }
    }

    private static boolean isNothing(String value) {
        return value.isEmpty() || value.startsWith("#");
    }

    private void put(String key, int indent, int line, boolean isSection) {
        while (!open.isEmpty() && open.getLast().indent() >= indent) {
            open.removeLast();
        }
        open.add(new Open(key, indent, line, isSection));
    }

    private @Nullable Finding judge(String text, int line) {
        int indent = indentOf(text);
        if (indent < text.length() && text.charAt(indent) == '\t') {
            return new Finding("", "a tab before the line's first character", "spaces", line, indent + 1);
        }
        for (int i = open.size() - 1; i >= 0; i--) {
            var at = open.get(i);
            if (at.indent() == indent || (at.indent() < indent && at.isSection() && i == open.size() - 1)) {
                // Beside a key that is open, or the first below one.
                return null;
            }
            if (at.indent() < indent && at.isSection() && i + 1 < open.size()) {
                var first = open.get(i + 1);
                return new Finding(
                        pathOf(i),
                        "not YAML: line %d is indented by %d".formatted(line, indent),
                        "%d, as %s on line %d: what stands below %s (line %d) is indented alike"
                                .formatted(first.indent(), first.key(), first.line(), at.key(), at.line()),
                        line,
                        indent + 1);
            }
        }
        return null;
    }

    private String pathOf(int last) {
        var path = new StringBuilder();
        for (int i = 0; i <= last; i++) {
            if (!open.get(i).key().equals("-")) {
                path.append(path.isEmpty() ? "" : ".").append(open.get(i).key());
            }
        }
        return path.toString();
    }

    private static int indentOf(String text) {
        int indent = 0;
        while (indent < text.length() && text.charAt(indent) == ' ') {
            indent++;
        }
        return indent;
    }
}
