// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.pdp;

import java.util.List;

/** What a {@link PolicyDecisionPoint} returned, with the rules that it rests on. */
public sealed interface Decision {
    /** Rules that could not be evaluated on the way, in the order in which they were asked. */
    List<Fault> faults();

    /**
     * No deny rule matched, and this allow rule did.
     *
     * @param rule the first that matched; those after it were not asked
     */
    record Allowed(String rule, List<Fault> faults) implements Decision {}

    /**
     * Deny rules matched, or could not be evaluated. They override every allow rule.
     *
     * @param rules all of them, at least one
     */
    record Denied(List<String> rules, List<Fault> faults) implements Decision {}

    /**
     * No deny rule matched, and no allow rule did.
     *
     * @param rules the allow rules, all of which were asked
     */
    record NothingAllowed(List<String> rules, List<Fault> faults) implements Decision {}

    /**
     * A rule that could not be evaluated.
     *
     * @param kind what kind of fault, in words of the evaluator's own and never with a value of the request:
     *     {@code attribute_not_found}
     */
    record Fault(String rule, String kind) {}
}
