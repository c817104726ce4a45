// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.pdp;

import io.sallyport.pipeline.Answer;
import io.sallyport.pipeline.RequestContext;

/**
 * Answers whether a request may be made, by rules that somebody else wrote. It decides and does nothing: turning its decision
 * into an answer is the stage's.
 */
@FunctionalInterface
public interface PolicyDecisionPoint {
    /**
     * Decides. Called on the request's event loop; reads the context there and changes nothing of it, and must not block.
     *
     * @return {@link Answer.Now} where the decision is made from memory. {@link Answer.Later} fails where no decision could be had: that is
     *     {@code authorize.pdp_unavailable} and denies
     */
    Answer<Decision> decide(RequestContext context);
}
