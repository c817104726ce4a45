// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** Up while a configuration is in force, which it always is: a file that was refused is a detail, not an outage. */
public final class ConfigurationHealth implements HealthIndicator {
    private final Supplier<State> state;

    /**
     * How the configuration is now.
     *
     * @param revision of what is in force
     * @param findings how many the file had when it was last read; 0 if it is in force
     * @param problem why the file cannot be read now; null if it can
     */
    public record State(
            String revision, int findings, @Nullable String problem) {}

    public ConfigurationHealth(Supplier<State> state) {
        this.state = state;
    }

    @Override
    public Health health() {
        var now = state.get();
        var refused = now.findings() == 0 ? "in force" : "refused";
        return Health.up()
                .withDetail("revision", now.revision())
                .withDetail("file", now.problem() == null ? refused : "unreadable")
                .withDetail("findings", now.findings())
                .withDetail("problem", now.problem() == null ? "none" : now.problem())
                .build();
    }
}
