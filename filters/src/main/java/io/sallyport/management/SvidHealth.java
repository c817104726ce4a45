// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.identity.TrustBundles;
import io.sallyport.workload.svid.SvidSource;
import io.sallyport.workload.svid.WorkloadIdentity;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
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
        var now = clock.instant();
        var valid = !identity.isExpiredAt(now);
        var bundle = valid ? bundleProblem(identity, now) : null;
        return (valid ? Health.up() : Health.outOfService())
                .withDetail("svid", valid ? "valid" : "expired")
                .withDetail("expires_at", identity.expiresAt().toString())
                .withDetail("trust_domains", identity.bundles().trustDomains().size())
                .withDetail("problem", bundle == null ? "none" : bundle)
                .build();
    }

    /** Upstreams of the gateway's own trust domain are judged by the bundle that has to vouch for the gateway itself. */
    private static @Nullable String bundleProblem(WorkloadIdentity identity, Instant now) {
        return identity.bundles().judge(identity.chain(), TrustBundles.Role.CLIENT, now)
                        instanceof TrustBundles.Untrusted untrusted
                ? "the trust bundle does not vouch for the gateway's own SVID: " + untrusted.why()
                : null;
    }
}
