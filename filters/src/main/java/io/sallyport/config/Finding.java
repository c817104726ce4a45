// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

/**
 * One thing that is wrong with a configuration file.
 *
 * @param path dotted from the top: {@code sallyport.routes.payments.upstream.uri}
 * @param value as written, or {@code (absent)}; never a secret, see {@link Findings#add(Finding)}
 * @param expected what would be right, for a human
 * @param line where it stands, from 1; 0 if it is about no line in particular
 * @param column from 1, where it matters; else 0
 */
public record Finding(String path, String value, String expected, int line, int column) {
    public static final String ABSENT = "(absent)";

    /** A column that {@link Findings} look up with the line. */
    static final int OF_THE_KEY = -1;

    public Finding(String path, String value, String expected) {
        this(path, value, expected, 0, 0);
    }

    public Finding(String path, String value, String expected, int line) {
        this(path, value, expected, line, 0);
    }

    /** With the file's name in front, as compilers do: {@code gateway.yaml:12: sallyport.routes...}. */
    public String in(String file) {
        if (line == 0) {
            return "%s: %s".formatted(file, this);
        }
        return column == 0
                ? "%s:%d: %s".formatted(file, line, this)
                : "%s:%d:%d: %s".formatted(file, line, column, this);
    }

    @Override
    public String toString() {
        return path.isEmpty()
                ? "%s (expected: %s)".formatted(value, expected)
                : "%s: %s (expected: %s)".formatted(path, value, expected);
    }
}
