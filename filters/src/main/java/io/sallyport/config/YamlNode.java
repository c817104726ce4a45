// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** A value of the file as it was written, with the line (from 1) on which it begins. */
sealed interface YamlNode {
    int line();

    /** How the value is shown to a human in a finding. */
    String shown();

    /**
     * Text, a number, a boolean or nothing.
     *
     * @param plain whether it was written without quotes, so that YAML takes some texts for something else
     */
    record Scalar(String text, boolean plain, int line) implements YamlNode {
        // The core schema of YAML 1.2 (section 10.3.2).
        private static final Set<String> NULL = Set.of("null", "Null", "NULL", "~", "");
        private static final Pattern NOT_TEXT = Pattern.compile("true|True|TRUE|false|False|FALSE"
                + "|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
                + "|[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?"
                + "|[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)");

        boolean isNull() {
            return plain && NULL.contains(text);
        }

        /** Whether YAML readers take it for a boolean or a number. */
        boolean isNotText() {
            return plain && mayBeNoText() && NOT_TEXT.matcher(text).matches();
        }

        // Most texts are words, and a matcher for each would cost more than all else that is done with them.
        private boolean mayBeNoText() {
            return !text.isEmpty() && "0123456789+-.tTfF".indexOf(text.charAt(0)) >= 0;
        }

        @Override
        public String shown() {
            return isNull() ? "(empty)" : text.isEmpty() ? "\"\"" : text;
        }
    }

    record Sequence(List<YamlNode> items, int line) implements YamlNode {
        public Sequence {
            items = List.copyOf(items);
        }

        @Override
        public String shown() {
            return "(a list)";
        }
    }

    /**
     * A section, or values by name.
     *
     * @param entries in the order of the file; every key stands once
     */
    record Mapping(Map<String, Entry> entries, int line) implements YamlNode {
        @Override
        public String shown() {
            return entries.isEmpty() ? "{}" : "(a section)";
        }

        /** Not if the order is another one: rules and limits are judged in theirs. */
        @Override
        public boolean equals(Object other) {
            return other instanceof Mapping(var otherEntries, int otherLine)
                    && line == otherLine
                    && List.copyOf(entries.entrySet()).equals(List.copyOf(otherEntries.entrySet()));
        }

        @Override
        public int hashCode() {
            return 31 * entries.hashCode() + line;
        }
    }

    /** A value that may not stand in the file; the finding has been made. */
    record Refused(int line) implements YamlNode {
        @Override
        public String shown() {
            return "(refused)";
        }
    }

    /**
     * What stands behind a key.
     *
     * @param line that of the key
     */
    record Entry(YamlNode value, int line) {}
}
