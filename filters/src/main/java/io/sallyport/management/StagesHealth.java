// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.pipeline.StageHealth;
import java.util.Map;
import java.util.function.Supplier;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.registry.HealthContributorRegistry;

/** Shows the health of the stages, under their names. */
public final class StagesHealth {
    /** @param stages what tells the health, by the name that it is shown under */
    public StagesHealth(Map<String, Supplier<StageHealth>> stages, HealthContributorRegistry registry) {
        stages.forEach((name, health) -> registry.registerContributor(name, indicator(health)));
    }

    /** Out of service as long as the stage says so. */
    static HealthIndicator indicator(Supplier<StageHealth> stage) {
        return () -> {
            var health = stage.get();
            return (health.inService() ? Health.up() : Health.outOfService())
                    .withDetails(health.details())
                    .build();
        };
    }
}
