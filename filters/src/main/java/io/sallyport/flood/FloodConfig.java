// SPDX-License-Identifier: Apache-2.0
package io.sallyport.flood;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.pipeline.StageSection;
import org.jspecify.annotations.Nullable;

/** Section {@code stages.flood}. */
public record FloodConfig(
        @Setting("Always enforce.") @Nullable Mode mode,

        @Setting("Not for this stage: it always decides.") @Nullable
        FaultPolicy onUndecided,

        @Setting(
                value =
                        "How many failed authentications one address (an IPv6 /64) may have within a minute before it is"
                                + " answered 429 on every route that is not public; 1 to 10000000.",
                byDefault = "20")
        int failuresPerMinute,

        @Setting(
                value =
                        "How many connections one address (an IPv6 /64) may hold at once before it is answered 429; 1 to"
                                + " 1000000. Not counted for trusted proxies.",
                byDefault = "1024")
        int connectionsPerAddress)
        implements StageSection {

    public FloodConfig {
        requireBetween("failures-per-minute", failuresPerMinute, 10_000_000);
        requireBetween("connections-per-address", connectionsPerAddress, 1_000_000);
    }

    private static void requireBetween(String key, int value, int max) {
        if (value < 1 || value > max) {
            throw new InvalidSetting(key, value, "1 to " + max);
        }
    }
}
