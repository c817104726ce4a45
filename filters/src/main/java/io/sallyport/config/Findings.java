// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects everything that is wrong with one configuration file, so that an operator mends it in one go. */
public final class Findings {
    private final List<Finding> findings = new ArrayList<>();

    /** Where in the file: a dotted path that findings are added at. */
    public Place at(String path) {
        return new Place(this, path);
    }

    public void add(Finding finding) {
        findings.add(finding);
    }

    public boolean isEmpty() {
        return findings.isEmpty();
    }

    /** In the order in which they were found. */
    public List<Finding> all() {
        return List.copyOf(findings);
    }

    /**
     * A place in the file.
     *
     * @param path dotted from the top
     */
    public record Place(Findings findings, String path) {
        public Place child(String key) {
            return new Place(findings, path.isEmpty() ? key : path + "." + key);
        }

        public Place element(int index) {
            return new Place(findings, "%s[%d]".formatted(path, index));
        }

        /** Adds a finding here. */
        public void reject(@Nullable Object value, String expected) {
            findings.add(new Finding(path, value == null ? Finding.ABSENT : String.valueOf(value), expected));
        }
    }
}
