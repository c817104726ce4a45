// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.decision.Denial;

/** How a request ended. Exactly one is recorded for each request, on every path out. */
public sealed interface Outcome {
    /** The status that the client saw, or 0 if it saw none. */
    int status();

    /** Permitted, and answered in full by the upstream or by the gateway itself. */
    record Answered(int status) implements Outcome {}

    /** Refused by a stage, by the wire, or while forwarding before any of the answer had been sent. */
    record Refused(Denial denial) implements Outcome {
        @Override
        public int status() {
            return denial.status();
        }
    }

    /**
     * Permitted, but the answer broke off after its head had been sent.
     *
     * @param status that the client saw
     * @param denial why; the client sees nothing of it
     */
    record Aborted(int status, Denial denial) implements Outcome {}

    /** The client went away first. The status is 0 if nothing had been answered yet. */
    record Cancelled(int status) implements Outcome {}
}
