// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import org.jspecify.annotations.Nullable;

/** Thrown by the constructor of a section's record, or by a {@code parse}, for a value that it cannot hold. */
public final class InvalidSetting extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String key;
    private final String value;
    private final String expected;

    /**
     * @param key below the section, with dashes: {@code step-up}; empty for the section or value itself
     * @param expected completes the sentence "expected: ..."
     */
    public InvalidSetting(String key, @Nullable Object value, String expected) {
        super("%s: %s (expected: %s)".formatted(key, value, expected));
        this.key = key;
        this.value = String.valueOf(value);
        this.expected = expected;
    }

    public String key() {
        return key;
    }

    public String value() {
        return value;
    }

    public String expected() {
        return expected;
    }
}
