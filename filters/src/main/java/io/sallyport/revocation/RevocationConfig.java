// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.pipeline.StageSection;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Section {@code stages.revocation}. */
public record RevocationConfig(
        @Setting("off, observe or enforce; enforce when absent.") @Nullable
        Mode mode,

        @Setting(
                "What becomes of a request while the deny-list could not be read back: deny or pass; deny when absent.")
        @Nullable
        FaultPolicy onUndecided,

        @Setting(
                value =
                        "The file that keeps the deny-list over a restart, made if absent, with mode 0600; it belongs to one gateway process"
                                + " alone. Without it a restart forgets every revocation.",
                readAtStart = true)
        @Nullable
        Path journal,

        @Setting(
                value =
                        "How many entries the deny-list holds at most; one more is refused, none is forgotten before its"
                                + " time. 1 to 10000000.",
                readAtStart = true,
                byDefault = "100000")
        int maxEntries)
        implements StageSection {

    public RevocationConfig {
        if (maxEntries < 1 || maxEntries > 10_000_000) {
            throw new InvalidSetting("max-entries", maxEntries, "1 to 10000000");
        }
    }
}
