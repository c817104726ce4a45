// SPDX-License-Identifier: Apache-2.0
package io.sallyport.autoconfigure;

import java.time.InstantSource;
import java.util.TreeMap;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** Out of service while some issuer has no key set: requests with its tokens would be answered 503. */
final class KeySetHealth implements HealthIndicator {
    private final SnapshotSource snapshots;
    private final InstantSource clock;

    KeySetHealth(SnapshotSource snapshots, InstantSource clock) {
        this.snapshots = snapshots;
        this.clock = clock;
    }

    @Override
    public Health health() {
        var now = clock.instant();
        var issuers = new TreeMap<String, Object>();
        boolean complete = true;
        for (var issuer : snapshots.generation().issuers().values()) {
            if (!issuer.hasKeys()) {
                // Asked about each token; whether it answers is seen in the answers.
                continue;
            }
            boolean present = issuer.keys().current(now) != null;
            issuers.put(issuer.name(), present ? "keys present" : "no keys");
            complete &= present;
        }
        return (complete ? Health.up() : Health.outOfService())
                .withDetail("issuers", issuers)
                .build();
    }
}
