// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.util.AsciiString;

/** A set of header names that is asked in any case of their letters, without making a string of the question. */
public final class FieldNames {
    private final AsciiString[] slots;
    private final int mask;

    private FieldNames(String[] names) {
        int size = Integer.highestOneBit(names.length) * 4;
        this.slots = new AsciiString[size];
        this.mask = size - 1;
        for (var name : names) {
            int slot = AsciiString.hashCode(name) & mask;
            while (slots[slot] != null) {
                slot = (slot + 1) & mask;
            }
            slots[slot] = AsciiString.cached(name);
        }
    }

    /**
     * The set of these.
     *
     * @param names in lower case
     */
    public static FieldNames of(String... names) {
        return new FieldNames(names);
    }

    /** Whether it is one of them, in any case of its letters. */
    public boolean contains(CharSequence name) {
        // Netty's hash is the same for both cases of a letter.
        int slot = AsciiString.hashCode(name) & mask;
        for (var candidate = slots[slot]; candidate != null; candidate = slots[slot]) {
            if (candidate.contentEqualsIgnoreCase(name)) {
                return true;
            }
            slot = (slot + 1) & mask;
        }
        return false;
    }
}
