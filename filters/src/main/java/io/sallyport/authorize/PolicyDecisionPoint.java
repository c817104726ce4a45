// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize;

import io.sallyport.pipeline.RequestContext;

/**
 * Answers whether a request may be made, by rules that somebody else wrote. It decides and does nothing: turning its decision
 * into an answer is {@link AuthorizeStage}'s.
 */
@FunctionalInterface
public interface PolicyDecisionPoint {
    /** Decides from memory, on the request's event loop; reads the context and changes nothing of it. */
    Decision decide(RequestContext context);
}
