// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Finds out whether any of many names occurs in a text, upper and lower case alike, in one pass over the text: an Aho-Corasick automaton
 * ("Efficient string matching", 1975) over the characters that the names use. The cost does not grow with the number of names, and
 * no text makes it backtrack.
 */
final class ScannerNames {
    /** A longer User-Agent is looked at so far: no scanner names itself after half a kilobyte. */
    private static final int MAX_LENGTH = 512;

    private static final int ASCII = 128;
    private static final int NONE = -1;

    /** By character: which column of the transitions it selects; 0 for one that no name has. */
    private final byte[] columnOf = new byte[ASCII];

    private final int columns;
    private final int[] transitions;
    private final boolean[] found;

    /** @param names printable ASCII */
    ScannerNames(List<String> names) {
        var lower = names.stream().map(name -> name.toLowerCase(Locale.ROOT)).toList();
        this.columns = assignColumns(lower);
        int states = 1 + lower.stream().mapToInt(String::length).sum();
        this.transitions = new int[states * columns];
        this.found = new boolean[states];
        Arrays.fill(transitions, NONE);
        addNames(lower);
        followFailures(states);
    }

    private int assignColumns(List<String> names) {
        int used = 1;
        for (var name : names) {
            for (int i = 0; i < name.length(); i++) {
                char c = name.charAt(i);
                if (columnOf[c] == 0) {
                    columnOf[c] = (byte) used;
                    columnOf[Character.toUpperCase(c)] = (byte) used;
                    used++;
                }
            }
        }
        return used;
    }

    private void addNames(List<String> names) {
        int next = 1;
        for (var name : names) {
            int state = 0;
            for (int i = 0; i < name.length(); i++) {
                int cell = state * columns + columnOf[name.charAt(i)];
                if (transitions[cell] == NONE) {
                    transitions[cell] = next++;
                }
                state = transitions[cell];
            }
            found[state] = true;
        }
    }

    /** Turns the tree of names into an automaton: where a name breaks off, go on in the longest other one that is begun. */
    private void followFailures(int states) {
        var failure = new int[states];
        var queue = new ArrayDeque<Integer>();
        for (int column = 0; column < columns; column++) {
            int child = transitions[column];
            if (child == NONE) {
                transitions[column] = 0;
            } else {
                queue.add(child);
            }
        }
        while (!queue.isEmpty()) {
            int state = queue.remove();
            found[state] |= found[failure[state]];
            for (int column = 0; column < columns; column++) {
                int cell = state * columns + column;
                int onFailure = transitions[failure[state] * columns + column];
                if (transitions[cell] == NONE) {
                    transitions[cell] = onFailure;
                } else {
                    failure[transitions[cell]] = onFailure;
                    queue.add(transitions[cell]);
                }
            }
        }
    }

    boolean occurIn(String text) {
        int length = Math.min(text.length(), MAX_LENGTH);
        int state = 0;
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            state = transitions[state * columns + (c < ASCII ? columnOf[c] : 0)];
            if (found[state]) {
                return true;
            }
        }
        return false;
    }
}
