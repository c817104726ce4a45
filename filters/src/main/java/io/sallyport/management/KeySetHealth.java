// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.authenticate.issuer.Issuer;
import java.time.InstantSource;
import java.util.Collection;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** Out of service while some issuer has no key set: requests with its tokens would be answered 503. */
public final class KeySetHealth implements HealthIndicator {
    private final Supplier<Collection<Issuer>> issuers;
    private final InstantSource clock;

    /** @param issuers those of the configuration in force */
    public KeySetHealth(Supplier<Collection<Issuer>> issuers, InstantSource clock) {
        this.issuers = issuers;
        this.clock = clock;
    }

    @Override
    public Health health() {
        var now = clock.instant();
        var states = new TreeMap<String, Object>();
        boolean complete = true;
        for (var issuer : issuers.get()) {
            if (!issuer.hasKeys()) {
                // Asked about each token; whether it answers is seen in the answers.
                continue;
            }
            boolean present = issuer.keys().current(now) != null;
            states.put(issuer.name(), present ? "keys present" : "no keys");
            complete &= present;
        }
        return (complete ? Health.up() : Health.outOfService())
                .withDetail("issuers", states)
                .build();
    }
}
