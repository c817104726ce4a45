// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

/**
 * One thing that is wrong with a configuration file.
 *
 * @param path dotted from the top: {@code sallyport.routes.payments.upstream.uri}
 * @param value as written, or {@code (absent)}
 * @param expected what would be right, for a human
 */
public record Finding(String path, String value, String expected) {
    public static final String ABSENT = "(absent)";

    @Override
    public String toString() {
        return "%s: %s (expected: %s)".formatted(path, value, expected);
    }
}
