// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

/** Told once about each request's end. Runs on the request's event loop; must not block and must not throw. */
@FunctionalInterface
public interface OutcomeListener {
    void onOutcome(RequestContext context, Outcome outcome);
}
