// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one denial shows operators in its record, and never shows clients. An immutable part of a {@link Denial}: a request with
 * several denials has the evidence of each apart. A value is never a token, a header or a query.
 *
 * <p>Facts of the request as a whole (who called, which route, which risk) are no evidence: a record takes those from the
 * request.
 */
public final class Evidence {
    /** Of a denial whose reason says everything. */
    public static final Evidence NONE = new Evidence(Map.of());

    private final Map<Key, String> values;

    /** What a piece of evidence is, and its field in the record. */
    public enum Key {
        /** The named rules or limits that decided, joined by comma. */
        RULE_NAME("rule.name"),
        /** The SPIFFE IDs that the route expects of its upstream. */
        UPSTREAM_EXPECTED_IDS("sallyport.upstream.expected_ids"),
        /** The SPIFFE ID that the upstream's certificate carries. */
        UPSTREAM_SPIFFE_ID("sallyport.upstream.spiffe_id"),
        /** Which limit, address or name the denial is about. */
        DETAIL("sallyport.detail"),
        /** The class and message of the failure behind a denial. */
        CAUSE("error.message");

        private final String field;

        Key(String field) {
            this.field = field;
        }

        /** The record's field, dotted as in ECS. */
        public String field() {
            return field;
        }
    }

    private Evidence(Map<Key, String> values) {
        this.values = values;
    }

    /** This evidence and one piece more, which replaces an earlier one of that key. */
    public Evidence with(Key key, String value) {
        if (values.isEmpty()) {
            // Most evidence is one piece. A map of one costs a refusal 24 bytes, an EnumMap 80.
            return new Evidence(Map.of(key, value));
        }
        var more = new EnumMap<>(values);
        more.put(key, value);
        return new Evidence(Collections.unmodifiableMap(more));
    }

    /** The value of that key, or null if this evidence has none. */
    public @Nullable String get(Key key) {
        return values.get(key);
    }

    /** Every piece, in the order of the keys; unmodifiable. */
    public Map<Key, String> values() {
        return values;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Evidence that && values.equals(that.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    /** Its keys alone: a line that logs a denial by accident must not log whom it is about. */
    @Override
    public String toString() {
        return "Evidence" + values.keySet();
    }
}
