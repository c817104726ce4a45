// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.files;

import java.nio.file.Path;

/** Says which file keeps the gateway from an identity, and why. Quotes nothing of a key. */
final class UnusableSvid extends Exception {
    private static final long serialVersionUID = 1L;

    private final String key;
    private final String value;
    private final String expected;
    private final boolean mayBeMended;

    /**
     * @param key of the file in the section
     * @param found what is wrong with it
     * @param mayBeMended whether the same file may be readable by the next look
     */
    UnusableSvid(String key, Path file, String found, String expected, boolean mayBeMended) {
        super("%s: %s (expected: %s)".formatted(file, found, expected), null, false, false);
        this.key = key;
        this.value = "%s: %s".formatted(file, found);
        this.expected = expected;
        this.mayBeMended = mayBeMended;
    }

    String key() {
        return key;
    }

    String value() {
        return value;
    }

    String expected() {
        return expected;
    }

    boolean mayBeMended() {
        return mayBeMended;
    }
}
