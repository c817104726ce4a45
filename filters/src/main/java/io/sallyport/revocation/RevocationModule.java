// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation;

import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.pipeline.StageHealth;
import io.sallyport.pipeline.StageModule;
import io.sallyport.revocation.denylist.DenyListIndex;
import io.sallyport.revocation.denylist.DenyListStore;
import io.sallyport.revocation.denylist.MemoryDenyListStore;
import io.sallyport.revocation.journal.DenyListJournal;
import java.time.InstantSource;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stage {@code revocation} and its deny-list.
 *
 * @param denyList what requests are judged by
 * @param store changes it
 */
public record RevocationModule(DenyListIndex denyList, DenyListStore store) implements StageModule {
    private static final Logger log = LoggerFactory.getLogger(RevocationModule.class);

    /** Opens the store that the section names. */
    public static RevocationModule open(RevocationConfig config, InstantSource clock, MeterRegistry meters) {
        var journal = config.journal();
        if (journal == null) {
            log.atWarn().log("the deny-list is kept in memory alone: a restart forgets every revocation");
            return inMemory(config.maxEntries(), clock, meters);
        }
        var denyList = new DenyListIndex(meters);
        return new RevocationModule(
                denyList, DenyListJournal.open(journal, denyList, config.maxEntries(), clock, meters));
    }

    /** Opens nothing outside this process. */
    public static RevocationModule inMemory(int maxEntries, InstantSource clock, MeterRegistry meters) {
        var denyList = new DenyListIndex(meters);
        return new RevocationModule(denyList, new MemoryDenyListStore(denyList, maxEntries, clock));
    }

    @Override
    public RevocationStage stage() {
        return new RevocationStage(denyList);
    }

    /** Out of service while the deny-list could not be read back: what was revoked would not be refused. */
    @Override
    public Supplier<StageHealth> health() {
        return () -> {
            var problem = store.problem();
            return new StageHealth(
                    denyList.isComplete(),
                    Map.of(
                            "entries", denyList.size(),
                            "durable", store.isDurable(),
                            "problem", problem == null ? "none" : problem));
        };
    }

    @Override
    public void close() {
        if (store instanceof DenyListJournal journal) {
            journal.close();
        }
    }
}
