// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import java.util.Set;
import java.util.function.Supplier;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** Always up: names the routes whose upstreams answer with {@code Access-Control-*} fields that are removed. */
public final class RemovedCorsHealth implements HealthIndicator {
    private final Supplier<Set<String>> routes;

    public RemovedCorsHealth(Supplier<Set<String>> routes) {
        this.routes = routes;
    }

    @Override
    public Health health() {
        return Health.up().withDetail("removed_for", routes.get()).build();
    }
}
