// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

/** A detail of a decision that operators see in its record and clients never see. */
public enum Evidence {
    /** The named rules that decided, joined by comma. */
    RULE_NAME("rule.name"),
    /** The SPIFFE IDs that the route expects of its upstream. */
    UPSTREAM_EXPECTED_IDS("sallyport.upstream.expected_ids"),
    /** The SPIFFE ID that the upstream's certificate carries. */
    UPSTREAM_SPIFFE_ID("sallyport.upstream.spiffe_id"),
    /** Which limit, address or name the decision is about. */
    DETAIL("sallyport.detail"),
    /** The class and message of the failure behind a refusal; never a token, a header or a query. */
    CAUSE("error.message");

    private final String field;

    Evidence(String field) {
        this.field = field;
    }

    /** The record's field, dotted as in ECS. */
    public String field() {
        return field;
    }
}
