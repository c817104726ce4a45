// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RiskScore;
import java.util.ArrayList;
import java.util.List;

/** The declared signals with their weights, compiled: the gateway-wide settings of {@code risk} in a snapshot. */
public final class RiskScoring {
    private static final int HIGHEST = 100;

    private final RiskSignal[] signals;
    private final int[] weights;

    private RiskScoring(List<Weighted> weighted) {
        this.signals = weighted.stream().map(Weighted::signal).toArray(RiskSignal[]::new);
        this.weights = weighted.stream().mapToInt(Weighted::weight).toArray();
    }

    /**
     * A signal and what it contributes at most.
     *
     * @param weight 0 to 100
     */
    public record Weighted(RiskSignal signal, int weight) {}

    /** Of these signals. */
    public static RiskScoring of(List<Weighted> signals) {
        return new RiskScoring(signals);
    }

    /**
     * Asks every signal and adds up.
     *
     * @throws RuntimeException if a signal could not tell
     */
    RiskScore score(RequestContext context) {
        int sum = 0;
        List<String> reasons = null;
        for (int i = 0; i < signals.length; i++) {
            double degree = signals[i].degree(context);
            // Written so that a NaN fails too.
            if (!(degree >= 0 && degree <= 1)) {
                throw new IllegalStateException(
                        "signal %s: %s (expected: 0 to 1)".formatted(signals[i].code(), degree));
            }
            int contribution = (int) Math.round(degree * weights[i]);
            if (contribution > 0) {
                sum += contribution;
                reasons = reasons == null ? new ArrayList<>(signals.length) : reasons;
                reasons.add(signals[i].code());
            }
        }
        return reasons == null ? RiskScore.NONE : new RiskScore(Math.min(sum, HIGHEST), reasons);
    }
}
