// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects everything that is wrong with one configuration file, so that an operator mends it in one go. */
public final class Findings {
    private final List<Finding> findings = new ArrayList<>();
    private Locator lines = _ -> Position.NOWHERE;

    /** Where the keys of a text stand. */
    @FunctionalInterface
    interface Locator {
        Position of(String path);
    }

    /** Both from 1, or 0. */
    record Position(int line, int column) {
        static final Position NOWHERE = new Position(0, 0);
    }

    /** Where in the file: a dotted path that findings are added at. */
    public Place at(String path) {
        return new Place(this, null, path, Place.NO_INDEX);
    }

    /** From here on a finding that names no line gets the one that {@code lines} knows for its path. */
    void locate(Locator lines) {
        this.lines = lines;
    }

    /** Adds a finding; a value that looks like a secret is hidden, and a long one is cut. */
    public void add(Finding finding) {
        var key = finding.line() == 0 ? lines.of(finding.path()) : new Position(finding.line(), 0);
        int column = finding.column() == Finding.OF_THE_KEY ? key.column() : finding.column();
        var value = Shown.value(finding.path(), finding.value());
        // What was expected is sometimes said by a library, which may repeat the value.
        var expected = value.equals(Shown.HIDDEN)
                ? finding.expected().replace(finding.value(), Shown.HIDDEN)
                : finding.expected();
        var shown = new Finding(finding.path(), value, Shown.text(expected), key.line(), column);
        // A route is compiled once for each of its hosts, and is wrong in the same way on all.
        if (!findings.contains(shown)) {
            findings.add(shown);
        }
    }

    public boolean isEmpty() {
        return findings.isEmpty();
    }

    /** Whether something at that path or below it was found wrong, so that what follows from it need not be said. */
    public boolean concern(String path) {
        return findings.stream()
                .map(Finding::path)
                .anyMatch(at -> at.startsWith(path)
                        && (at.length() == path.length() || ".[".indexOf(at.charAt(path.length())) >= 0));
    }

    /** In the order of their lines; those of no line come first, and those of one line as they were found. */
    public List<Finding> all() {
        return findings.stream().sorted(Comparator.comparingInt(Finding::line)).toList();
    }

    /** A place in the file. Its path is put together only for a finding. */
    public static final class Place {
        private static final int NO_INDEX = -1;

        private final Findings findings;
        private final @Nullable Place parent;
        private final String key;
        private final int index;

        private Place(Findings findings, @Nullable Place parent, String key, int index) {
            this.findings = findings;
            this.parent = parent;
            this.key = key;
            this.index = index;
        }

        public Findings findings() {
            return findings;
        }

        public Place child(String key) {
            return new Place(findings, this, key, NO_INDEX);
        }

        public Place element(int index) {
            return new Place(findings, this, "", index);
        }

        /** Dotted from the top. */
        public String path() {
            if (parent == null) {
                return key;
            }
            var above = parent.path();
            if (index != NO_INDEX) {
                return above + "[" + index + "]";
            }
            return above.isEmpty() ? key : above + "." + key;
        }

        /** Adds a finding about where the key stands, which names its column. */
        void misplaced(String value, String expected) {
            findings.add(new Finding(path(), value, expected, 0, Finding.OF_THE_KEY));
        }

        /** Adds a finding here. */
        public void reject(@Nullable Object value, String expected) {
            findings.add(new Finding(path(), value == null ? Finding.ABSENT : String.valueOf(value), expected));
        }
    }
}
