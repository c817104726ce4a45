// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.decision.Verdict;

/**
 * One question about a request. A stage answers from memory, on the request's event loop, without blocking, and knows
 * neither its mode nor the other stages.
 */
public interface Stage {
    StageName name();

    /** Judges the request. Throwing is a bug and denies, whatever the mode. */
    Verdict evaluate(RequestContext context);

    /** Called once for each request that this stage has evaluated, when its outcome is known; must not throw or block. */
    default void onOutcome(RequestContext context, Outcome outcome) {}
}
