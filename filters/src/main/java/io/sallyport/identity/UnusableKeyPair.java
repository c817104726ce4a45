// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.security.GeneralSecurityException;

/** Says which of two files is at fault, what is wrong with it, and what is expected. Quotes nothing of a key. */
public final class UnusableKeyPair extends GeneralSecurityException {
    private static final long serialVersionUID = 1L;

    /** The file that is at fault. */
    public enum Part {
        CERTIFICATE,
        KEY
    }

    private final Part part;
    private final String found;
    private final String expected;

    private UnusableKeyPair(Part part, String found, String expected) {
        super("%s (expected: %s)".formatted(found, expected));
        this.part = part;
        this.found = found;
        this.expected = expected;
    }

    static UnusableKeyPair certificate(String found, String expected) {
        return new UnusableKeyPair(Part.CERTIFICATE, found, expected);
    }

    static UnusableKeyPair key(String found, String expected) {
        return new UnusableKeyPair(Part.KEY, found, expected);
    }

    public Part part() {
        return part;
    }

    public String found() {
        return found;
    }

    public String expected() {
        return expected;
    }
}
