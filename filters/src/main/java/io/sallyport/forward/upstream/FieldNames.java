// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.identity.FoldedName;

/** A set of header names that is asked in any spelling ({@link FoldedName}), without making a string of the question. */
public final class FieldNames {
    private final String[] slots;
    private final int mask;

    private FieldNames(String[] names) {
        int size = Integer.highestOneBit(names.length) * 4;
        this.slots = new String[size];
        this.mask = size - 1;
        for (var name : names) {
            int slot = FoldedName.hash(name) & mask;
            while (slots[slot] != null) {
                slot = (slot + 1) & mask;
            }
            slots[slot] = name;
        }
    }

    /**
     * The set of these.
     *
     * @param names folded
     */
    public static FieldNames of(String... names) {
        return new FieldNames(names);
    }

    /** Whether it is one of them, however it is written. */
    public boolean contains(CharSequence name) {
        int slot = FoldedName.hash(name) & mask;
        for (var candidate = slots[slot]; candidate != null; candidate = slots[slot]) {
            if (FoldedName.isSame(candidate, name)) {
                return true;
            }
            slot = (slot + 1) & mask;
        }
        return false;
    }
}
