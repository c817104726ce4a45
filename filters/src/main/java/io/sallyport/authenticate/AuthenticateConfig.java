// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.pipeline.StageSection;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/**
 * {@code stages.authenticate}: what holds for every issuer. It is also what this stage reads of the running configuration, as
 * the snapshot's settings of {@code authenticate}.
 *
 * @param tokenCacheSize read once, when the stage is built: the cache survives a reload
 */
public record AuthenticateConfig(
        @Setting("Only enforce; a route is observed by its own insecure-observe.") @Nullable
        Mode mode,

        @Setting("Not for this stage: it must decide.") @Nullable
        FaultPolicy onUndecided,

        @Setting(value = "How far clocks may differ when exp, nbf and iat are judged, 0s to 2m.", byDefault = "30s")
        Duration clockSkew,

        @Setting(
                value = "How many verified tokens are remembered, 100 to 1000000; some 3 KB each.",
                readAtStart = true,
                byDefault = "20000")
        int tokenCacheSize,

        @Setting(
                value =
                        "The longest token that is read, 1 KB to 64 KB. A longer one is a 401; listener.max-headers must have room for it.",
                byDefault = "12KB")
        DataSize maxTokenSize,

        @Setting(
                value =
                        "The directory that keeps each issuer's last good key set over a restart, made if absent, with mode 0700; it belongs"
                                + " to one gateway process alone. Without it a gateway that starts while an issuer cannot be reached has"
                                + " no keys of it.",
                readAtStart = true)
        @Nullable
        Path keySets)
        implements StageSection {
    private static final Duration MAX_CLOCK_SKEW = Duration.ofMinutes(2);

    /** What is written when nothing is. */
    public static final DataSize USUAL_TOKEN_SIZE = DataSize.ofKilobytes(12);

    private static final DataSize LEAST_TOKEN_SIZE = DataSize.ofKilobytes(1);
    private static final DataSize MOST_TOKEN_SIZE = DataSize.ofKilobytes(64);

    public AuthenticateConfig {
        if (clockSkew.isNegative() || clockSkew.compareTo(MAX_CLOCK_SKEW) > 0) {
            throw new InvalidSetting("clock-skew", clockSkew, "0s to 2m");
        }
        if (tokenCacheSize < 100 || tokenCacheSize > 1_000_000) {
            throw new InvalidSetting("token-cache-size", tokenCacheSize, "100 to 1000000");
        }
        if (maxTokenSize.compareTo(LEAST_TOKEN_SIZE) < 0 || maxTokenSize.compareTo(MOST_TOKEN_SIZE) > 0) {
            throw new InvalidSetting(
                    "max-token-size", maxTokenSize, "%s to %s".formatted(LEAST_TOKEN_SIZE, MOST_TOKEN_SIZE));
        }
    }
}
