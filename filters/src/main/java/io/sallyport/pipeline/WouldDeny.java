// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.decision.Denial;

/**
 * A denial that did not stop the request.
 *
 * @param cause why it did not
 */
public record WouldDeny(StageName stage, Denial denial, Cause cause) {
    public enum Cause {
        /** The stage is being observed. */
        OBSERVED,
        /** The stage could not decide, and its fault policy is to pass. */
        UNDECIDED
    }
}
