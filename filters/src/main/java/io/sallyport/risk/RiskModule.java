// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.config.Findings;
import io.sallyport.pipeline.StageModule;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The stage {@code risk} and the state that its signals read.
 *
 * @param failures read by {@code auth-failures}
 */
public record RiskModule(AuthenticationFailureIndex failures) implements StageModule {
    /** Opens what the declared signals read. None reads anything outside this process yet. */
    public static RiskModule open(
            RiskConfig config, AuthenticationFailureIndex failures, InstantSource clock, MeterRegistry meters) {
        return inMemory(failures);
    }

    /** Opens nothing outside this process. */
    public static RiskModule inMemory(AuthenticationFailureIndex failures) {
        return new RiskModule(failures);
    }

    @Override
    public RiskStage stage() {
        return new RiskStage();
    }

    /** Compiles {@code stages.risk}: makes the declared signals. */
    public RiskScoring compile(RiskConfig section) {
        var weighted = new ArrayList<RiskScoring.Weighted>();
        var authFailures = section.signals().authFailures();
        if (authFailures != null) {
            weighted.add(
                    new RiskScoring.Weighted(new AuthFailuresSignal(authFailures, failures), authFailures.weight()));
        }
        var tokenAge = section.signals().tokenAge();
        if (tokenAge != null) {
            weighted.add(new RiskScoring.Weighted(
                    new TokenAgeSignal(tokenAge.olderThan().toSeconds()), tokenAge.weight()));
        }
        var uaScanner = section.signals().uaScanner();
        if (uaScanner != null) {
            weighted.add(new RiskScoring.Weighted(
                    new UaScannerSignal(new ScannerNames(uaScanner.names())), uaScanner.weight()));
        }
        var device = section.signals().deviceNoncompliant();
        if (device != null) {
            weighted.add(new RiskScoring.Weighted(
                    new DeviceNoncompliantSignal(device.claim(), Set.copyOf(device.compliant())), device.weight()));
        }
        return RiskScoring.of(weighted);
    }

    /**
     * Compiles {@code routes.<name>.risk}.
     *
     * @param isPublic whether callers of the route are anonymous
     * @return null if there is no such section, or, with findings at {@code at}, if the ladder cannot stand on this route
     */
    public @Nullable RiskLadder compile(@Nullable RiskLadderConfig section, boolean isPublic, Findings.Place at) {
        return section == null ? null : RiskLadder.compile(section, isPublic, at);
    }
}
