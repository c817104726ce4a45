// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a file says, and what its successor needs to take over the entries of its long section that say what they said. */
public final class Bound<T extends Record> {
    private final T value;
    private final @Nullable EntryTexts texts;
    private final Map<String, Object> entries;

    /**
     * What a file says.
     *
     * @param texts null if the file could not be cut: nothing is taken over then
     * @param entries the values of the long section
     */
    Bound(T value, @Nullable EntryTexts texts, Map<String, Object> entries) {
        this.value = value;
        this.texts = texts;
        this.entries = entries;
    }

    public T value() {
        return value;
    }

    @Nullable
    EntryTexts texts() {
        return texts;
    }

    /** What that entry of the texts was bound to. */
    @Nullable
    Object entry(int index) {
        return texts == null ? null : entries.get(texts.names().get(index));
    }
}
