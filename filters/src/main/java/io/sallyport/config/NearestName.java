// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.util.Collection;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/** Guesses which known name somebody meant by one that is not known. */
public final class NearestName {
    private NearestName() {}

    /** What to put after "expected:": the nearest of the known names, or all of them where none is near. */
    public static String expectation(String name, Collection<String> known) {
        var nearest = nearest(name, known);
        return nearest != null ? nearest : known.isEmpty() ? "none" : oneOf(known);
    }

    /** The known name with the fewest typing errors between, if there are few enough for it to be a guess. */
    public static @Nullable String nearest(String name, Collection<String> known) {
        int tolerated = Math.max(1, Math.min(3, name.length() / 3));
        return known.stream()
                .filter(candidate -> distance(name, candidate) <= tolerated)
                .min(Comparator.comparingInt((String candidate) -> distance(name, candidate))
                        .thenComparing(Comparator.naturalOrder()))
                .orElse(null);
    }

    static String oneOf(Collection<String> names) {
        return names.size() == 1 ? names.iterator().next() : "one of " + String.join(", ", names);
    }

    /** Insertions, deletions, replacements and swaps of neighbours (Damerau's "optimal string alignment"). */
    private static int distance(String a, String b) {
        var before = new int[b.length() + 1];
        var previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            var current = new int[b.length() + 1];
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(replaced, Math.min(previous[j], current[j - 1]) + 1);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    current[j] = Math.min(current[j], before[j - 2] + 1);
                }
            }
            before = previous;
            previous = current;
        }
        return previous[b.length()];
    }
}
