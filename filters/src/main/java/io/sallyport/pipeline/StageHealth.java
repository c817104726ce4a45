// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.util.Map;

/**
 * How the parts are doing that a stage depends on.
 *
 * @param inService if false, the gateway is not ready
 * @param details for an operator, in no order; no secrets
 */
public record StageHealth(boolean inService, Map<String, Object> details) {
    public StageHealth {
        details = Map.copyOf(details);
    }
}
