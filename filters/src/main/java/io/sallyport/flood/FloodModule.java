// SPDX-License-Identifier: Apache-2.0
package io.sallyport.flood;

import io.sallyport.pipeline.StageModule;

/**
 * The stage {@code flood} and what it counts.
 *
 * @param failures which the risk score reads too
 * @param connections which the listeners count
 */
public record FloodModule(AuthenticationFailures failures, ConnectionCounts connections) implements StageModule {
    public FloodModule() {
        this(new AuthenticationFailures(), new ConnectionCounts());
    }

    @Override
    public FloodStage stage() {
        return new FloodStage(failures, connections);
    }
}
