// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.workload.svid.SvidSource;
import java.time.InstantSource;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** Out of service while the gateway cannot prove itself to upstreams: no SVID yet, or one that has expired. */
public final class SvidHealth implements HealthIndicator {
    private final SvidSource svids;
    private final boolean required;
    private final InstantSource clock;

    /** @param required whether the file has an identity at all */
    public SvidHealth(SvidSource svids, boolean required, InstantSource clock) {
        this.svids = svids;
        this.required = required;
        this.clock = clock;
    }

    @Override
    public Health health() {
        if (!required) {
            return Health.up().withDetail("svid", "not configured").build();
        }
        var identity = svids.current();
        if (identity == null) {
            return Health.outOfService().withDetail("svid", "none received").build();
        }
        var valid = !identity.isExpiredAt(clock.instant());
        return (valid ? Health.up() : Health.outOfService())
                .withDetail("svid", valid ? "valid" : "expired")
                .withDetail("expires_at", identity.expiresAt().toString())
                .withDetail("trust_domains", identity.bundles().trustDomains().size())
                .build();
    }
}
