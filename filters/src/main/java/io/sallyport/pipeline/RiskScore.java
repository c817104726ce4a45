// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.util.List;

/**
 * What {@code risk} made of its signals.
 *
 * @param value 0 (nothing strange) to 100
 * @param reasons the codes of the signals that contributed, in their declared order
 */
public record RiskScore(int value, List<String> reasons) {
    public static final RiskScore NONE = new RiskScore(0, List.of());

    public RiskScore {
        if (value < 0 || value > 100) {
            throw new IllegalArgumentException("risk score: %d (expected: 0 to 100)".formatted(value));
        }
        reasons = List.copyOf(reasons);
    }
}
