// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.telemetry.FileDescriptors;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** Down while the process has no file descriptor left. Not a part of readiness: a restart elsewhere would need them too. */
public final class FileDescriptorHealth implements HealthIndicator {
    private final FileDescriptors descriptors;

    public FileDescriptorHealth(FileDescriptors descriptors) {
        this.descriptors = descriptors;
    }

    @Override
    public Health health() {
        var state = descriptors.state();
        return (state.level() == FileDescriptors.Level.NONE ? Health.down() : Health.up())
                .withDetail("open", state.open())
                .withDetail("limit", state.limit())
                .build();
    }
}
