// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.decisionlog.DecisionLog;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** Down while records are not being written. Not a part of readiness: a full disk must not take the gateway out of service. */
public final class DecisionLogHealth implements HealthIndicator {
    private final DecisionLog decisionLog;

    public DecisionLogHealth(DecisionLog decisionLog) {
        this.decisionLog = decisionLog;
    }

    @Override
    public Health health() {
        var health = decisionLog.health();
        return (health.writing() ? Health.up() : Health.down())
                .withDetail("dropped", health.dropped())
                .withDetail("problem", health.problem() == null ? "none" : health.problem())
                .build();
    }
}
