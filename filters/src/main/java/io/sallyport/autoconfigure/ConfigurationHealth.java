// SPDX-License-Identifier: Apache-2.0
package io.sallyport.autoconfigure;

import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** Up while a configuration is in force, which it always is: a file that was refused is a detail, not an outage. */
final class ConfigurationHealth implements HealthIndicator {
    private final ConfigurationReloader reloader;

    ConfigurationHealth(ConfigurationReloader reloader) {
        this.reloader = reloader;
    }

    @Override
    public Health health() {
        var status = reloader.status();
        return Health.up()
                .withDetail("revision", status.revision())
                .withDetail("file", status.findings().isEmpty() ? "in force" : "refused")
                .withDetail("findings", status.findings().size())
                .build();
    }
}
