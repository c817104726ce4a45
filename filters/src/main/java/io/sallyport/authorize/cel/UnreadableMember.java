// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

/**
 * The request has no such value, or has it more than once where a rule can read only one. Without stack traces: a missing claim
 * is everyday input, not a bug.
 */
final class UnreadableMember extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The kind of what a request does not have; CEL's own code for it. */
    static final String MISSING = "attribute_not_found";

    private final String kind;

    private UnreadableMember(String kind) {
        super(kind, null, false, false);
        this.kind = kind;
    }

    static UnreadableMember missing() {
        return new UnreadableMember(MISSING);
    }

    static UnreadableMember repeated() {
        return new UnreadableMember("attribute_repeated");
    }

    /** The kind of fault, for the record. */
    String kind() {
        return kind;
    }
}
