// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.sallyport.pipeline.RequestContext;

/** One thing that may look wrong about a request. */
public interface RiskSignal {
    /** Its name in scores, records and rules: {@code token_age}. */
    String code();

    /**
     * How wrong it looks: 0 for not at all, 1 for its full weight. Answers from memory, on the request's event loop.
     *
     * @throws RuntimeException if it cannot tell; the request is then undecided
     */
    double degree(RequestContext context);
}
