// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RiskScore;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

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

    /**
     * Makes the declared signals.
     *
     * @param failures outlives the snapshot
     */
    public static RiskScoring compile(RiskConfig config, AuthenticationFailureIndex failures) {
        var weighted = new ArrayList<Weighted>();
        var authFailures = config.signals().authFailures();
        if (authFailures != null) {
            weighted.add(new Weighted(new AuthFailuresSignal(authFailures, failures), authFailures.weight()));
        }
        var tokenAge = config.signals().tokenAge();
        if (tokenAge != null) {
            weighted.add(new Weighted(new TokenAgeSignal(tokenAge.olderThan().toSeconds()), tokenAge.weight()));
        }
        var uaScanner = config.signals().uaScanner();
        if (uaScanner != null) {
            weighted.add(new Weighted(new UaScannerSignal(new ScannerNames(uaScanner.names())), uaScanner.weight()));
        }
        var device = config.signals().deviceNoncompliant();
        if (device != null) {
            weighted.add(new Weighted(
                    new DeviceNoncompliantSignal(device.claim(), Set.copyOf(device.compliant())), device.weight()));
        }
        return of(weighted);
    }

    /** Of signals that need not be built in. */
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
