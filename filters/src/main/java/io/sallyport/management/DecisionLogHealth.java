// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.decisionlog.DecisionLog;
import java.util.Map;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** Down while a sink does not take records. Not a part of readiness: a full disk must not take the gateway out of service. */
public final class DecisionLogHealth implements HealthIndicator {
    private final DecisionLog decisionLog;

    public DecisionLogHealth(DecisionLog decisionLog) {
        this.decisionLog = decisionLog;
    }

    @Override
    public Health health() {
        var health = decisionLog.health();
        var builder = health.writing() ? Health.up() : Health.down();
        for (var sink : health.sinks()) {
            var problem = sink.problem();
            builder.withDetail(
                    sink.name(),
                    Map.of(
                            "written", sink.written(),
                            "dropped", sink.dropped(),
                            "queued", sink.queued(),
                            "problem", problem == null ? "none" : problem));
        }
        return builder.build();
    }
}
