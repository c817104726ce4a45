// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The text of a file, cut at the entries of its one long section: each can be parsed by itself, and compared with what stood
 * there before.
 *
 * <p>Found by indentation alone, which is less than YAML: the cut is right only if what stands around the entries, with one
 * stand-in for all of them, has it in the section ({@link #standIn}), and if each entry parsed by itself is a mapping of its
 * one name. For then the parser of the whole text would come to each entry as it comes to it here: in the block mapping of the
 * section, with nothing left open.
 */
final class EntryTexts {
    private static final String STAND_IN = "here-stand-the-entries-of-the-section";

    private final String text;
    private final String outer;
    private final String section;
    private final String around;
    private final List<String> names;
    // Where each entry begins, with the indentation of its name, and where the last one ends.
    private final int[] starts;

    private EntryTexts(String text, String outer, String section, String around, List<String> names, int[] starts) {
        this.text = text;
        this.outer = outer;
        this.section = section;
        this.around = around;
        this.names = List.copyOf(names);
        this.starts = starts;
    }

    /**
     * Cuts a text.
     *
     * @param outer the section at the top that the long one is in
     * @param before an earlier text, whose names are used again: they live as long as the configuration
     * @return null if it is written in another way than one line for each name, or has no such entries
     */
    static @Nullable EntryTexts cut(String text, String outer, String section, @Nullable EntryTexts before) {
        return text.contains(STAND_IN) ? null : new Cutter(text, outer, section, before).cut();
    }

    /** In the order of the file; a name that stands there twice is there twice. */
    List<String> names() {
        return names;
    }

    /** The text of the entries from one to another, that one not included. */
    String between(int from, int to) {
        return text.substring(starts[from], starts[to]);
    }

    /** The text with the stand-in for all entries. */
    String around() {
        return around;
    }

    /** The mapping of the stand-in in the tree of {@link #around}; null if the section is not where it seemed to be. */
    YamlNode.@Nullable Mapping standIn(YamlNode root) {
        return valueOf(valueOf(root, outer), section) instanceof YamlNode.Mapping mapping
                        && mapping.entries().size() == 1
                        && valueOf(mapping, STAND_IN) instanceof YamlNode.Scalar scalar
                        && scalar.isNull()
                ? mapping
                : null;
    }

    private static @Nullable YamlNode valueOf(@Nullable YamlNode node, String key) {
        var entry = node instanceof YamlNode.Mapping mapping ? mapping.entries().get(key) : null;
        return entry == null ? null : entry.value();
    }

    /** Whether two entries are the same, character for character. */
    boolean isSame(int index, EntryTexts other, int otherIndex) {
        int from = starts[index];
        int otherFrom = other.starts[otherIndex];
        int length = starts[index + 1] - from;
        return length == other.starts[otherIndex + 1] - otherFrom
                && text.regionMatches(from, other.text, otherFrom, length);
    }

    /** Finds names in a text, at once if they are asked for in its order. */
    static final class Finder {
        private final List<String> names;
        private final Map<String, Integer> indices = new HashMap<>();
        private int next;

        Finder(@Nullable EntryTexts texts) {
            this.names = texts == null ? List.of() : texts.names;
        }

        /** The index of a name that stands in another text from {@code from} to {@code to}, or -1. */
        int find(String text, int from, int to) {
            if (next < names.size() && isName(names.get(next), text, from, to)) {
                return next++;
            }
            if (indices.isEmpty()) {
                for (int i = 0; i < names.size(); i++) {
                    indices.put(names.get(i), i);
                }
            }
            int found = indices.getOrDefault(text.substring(from, to), -1);
            next = found < 0 ? next : found + 1;
            return found;
        }

        private static boolean isName(String name, String text, int from, int to) {
            return name.length() == to - from && text.startsWith(name, from);
        }
    }

    /** Goes through the lines once. */
    private static final class Cutter {
        private final String text;
        private final String outer;
        private final String section;
        private final @Nullable EntryTexts before;
        private final Finder known;
        private final List<String> names = new ArrayList<>();
        private int[] starts = new int[64];
        // The line that is looked at: where it begins, where its first character is that is no space, where it ends.
        private int start;
        private int first;
        private int end = -1;

        private Cutter(String text, String outer, String section, @Nullable EntryTexts before) {
            this.text = text;
            this.outer = outer;
            this.section = section;
            this.before = before;
            this.known = new Finder(before);
        }

        private @Nullable EntryTexts cut() {
            while (nextLine()) {
                if (indent() == 0 && isKeyAlone(outer)) {
                    return nextLine() && findSection(indent()) && nextLine() ? cutEntries() : null;
                }
            }
            return null;
        }

        private boolean findSection(int indent) {
            while (indent() > 0) {
                if (indent() == indent && isKeyAlone(section)) {
                    return true;
                }
                if (!nextLine()) {
                    return false;
                }
            }
            return false;
        }

        private @Nullable EntryTexts cutEntries() {
            int indent = indent();
            if (indent == 0) {
                return null;
            }
            int begin = start;
            int stop = text.length();
            do {
                if (indent() < indent) {
                    stop = start;
                    break;
                }
                if (indent() == indent && !addEntry()) {
                    return null;
                }
            } while (nextLine());
            if (names.isEmpty()) {
                return null;
            }
            starts = Arrays.copyOf(starts, names.size() + 1);
            starts[names.size()] = stop;
            var around = text.substring(0, begin) + " ".repeat(indent) + STAND_IN + ":\n" + text.substring(stop);
            return new EntryTexts(text, outer, section, around, names, starts);
        }

        private boolean addEntry() {
            var name = name();
            if (name == null) {
                return false;
            }
            if (names.size() == starts.length) {
                starts = Arrays.copyOf(starts, 2 * starts.length);
            }
            starts[names.size()] = start;
            names.add(name);
            return true;
        }

        /** Goes to the next line that is neither empty nor a comment, or says that there is none. */
        private boolean nextLine() {
            while (end + 1 < text.length()) {
                start = end + 1;
                int feed = text.indexOf('\n', start);
                end = feed < 0 ? text.length() : feed;
                first = start;
                while (first < end && text.charAt(first) == ' ') {
                    first++;
                }
                if (!isEmptyFrom(first)) {
                    return true;
                }
            }
            return false;
        }

        private boolean isEmptyFrom(int at) {
            return at >= end || text.charAt(at) == '#' || (text.charAt(at) == '\r' && at == end - 1);
        }

        private int indent() {
            return first - start;
        }

        private boolean isKeyAlone(String key) {
            int colon = first + key.length();
            if (!text.startsWith(key, first) || colon >= end || text.charAt(colon) != ':') {
                return false;
            }
            int at = colon + 1;
            while (at < end && text.charAt(at) == ' ') {
                at++;
            }
            return isEmptyFrom(at);
        }

        /** The name that the line begins with, or null if it is none that is sure to be a key. */
        private @Nullable String name() {
            int at = first;
            while (at < end && isOfName(text.charAt(at))) {
                at++;
            }
            boolean isKey = at > first
                    && at < end
                    && text.charAt(at) == ':'
                    && (at + 1 == end || " \r".indexOf(text.charAt(at + 1)) >= 0);
            if (!isKey) {
                return null;
            }
            int index = known.find(text, first, at);
            return before == null || index < 0 ? text.substring(first, at) : before.names.get(index);
        }

        private static boolean isOfName(char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        }
    }
}
