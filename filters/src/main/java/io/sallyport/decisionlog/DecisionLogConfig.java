// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.decisionlog.file.FileConfig;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The {@code decision-log} section. Refusals, would-be refusals and failures are always recorded; what can be chosen is whether
 * what was allowed is too, and where the lines go.
 */
public record DecisionLogConfig(
        @Setting(
                value = "Which requests that were allowed are recorded as well: `none`, `sampled` or `all`.",
                byDefault = "none")
        Allowed allowed,

        @Setting(
                value = "With `allowed: sampled`, one of how many allowed requests is recorded: 1 to 1000000.",
                byDefault = "100")
        int sampleOneIn,

        @Setting(value = "Whether each record is also written to standard output.", byDefault = "true")
        boolean stdout,

        @Setting("The file that records are appended to; without it they go to standard output alone.") @Nullable
        FileConfig file,

        @Setting(
                value =
                        "How many equal refusals (same caller, reason and route) are written one by one within a minute; "
                                + "those after them collapse into one record that counts them. 1 to 10000.",
                byDefault = "10")
        int repeatThreshold,

        @Setting(
                "Holds the key that subjects are pseudonymised with: 32 random bytes in base64, created readable by the "
                        + "owner alone if absent. Without it the key, and so every pseudonym, changes with each start.")
        @Nullable
        Path pseudonymKeyFile) {

    /** Which allowed requests are recorded. */
    public enum Allowed {
        NONE,
        SAMPLED,
        ALL
    }

    public DecisionLogConfig {
        requireRange("sample-one-in", sampleOneIn, 1, 1_000_000);
        requireRange("repeat-threshold", repeatThreshold, 1, 10_000);
        if (!stdout && file == null) {
            throw new InvalidSetting("stdout", "false", "true, or a file: a refusal has to leave evidence somewhere");
        }
    }

    private static void requireRange(String key, int value, int least, int most) {
        if (value < least || value > most) {
            throw new InvalidSetting(key, value, "%d to %d".formatted(least, most));
        }
    }
}
