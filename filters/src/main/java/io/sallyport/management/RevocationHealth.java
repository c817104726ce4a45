// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.revocation.denylist.DenyListIndex;
import io.sallyport.revocation.denylist.DenyListStore;
import io.sallyport.revocation.journal.DenyListJournal;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** Out of service while the deny-list could not be read back: what was revoked would not be refused. */
public final class RevocationHealth implements HealthIndicator {
    private final DenyListIndex denyList;
    private final DenyListStore store;

    public RevocationHealth(DenyListIndex denyList, DenyListStore store) {
        this.denyList = denyList;
        this.store = store;
    }

    @Override
    public Health health() {
        var problem = store instanceof DenyListJournal journal ? journal.problem() : null;
        return (denyList.isComplete() ? Health.up() : Health.outOfService())
                .withDetail("entries", denyList.size())
                .withDetail("durable", store.isDurable())
                .withDetail("problem", problem == null ? "none" : problem)
                .build();
    }
}
