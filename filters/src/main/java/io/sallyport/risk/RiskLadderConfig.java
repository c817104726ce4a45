// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Section {@code routes.<name>.risk}: what a score leads to on this route. */
public record RiskLadderConfig(
        @Setting(
                "From this score on the token must satisfy acr-values and max-age, else 401 (RFC 9470); 0 demands it of every"
                        + " request. 0 to 100.")
        @Nullable
        Integer stepUp,

        @Setting("From this score on only GET, HEAD and OPTIONS pass, else 403; 1 to 100, above step-up.") @Nullable
        Integer readOnly,

        @Setting("From this score on nothing passes: 403; 1 to 100, above read-only.") @Nullable
        Integer deny,

        @Setting(
                value = "The acr values that satisfy step-up, the preferred one first; any acr does if there are none.",
                byDefault = "[]")
        List<String> acrValues,

        @Setting(
                value =
                        "How long ago the user may have authenticated (auth_time) to satisfy step-up, in whole seconds, 1s to"
                                + " 1d. A token without auth_time is too old.",
                byDefault = "5m")
        Duration maxAge) {
    private static final Duration LONGEST = Duration.ofDays(1);

    public RiskLadderConfig {
        acrValues = List.copyOf(acrValues);
        requireRung("step-up", stepUp, 0);
        requireRung("read-only", readOnly, 1);
        requireRung("deny", deny, 1);
        if (stepUp == null && readOnly == null && deny == null) {
            throw new InvalidSetting("", "(no rung)", "at least one of step-up, read-only and deny");
        }
        requireAscending("read-only", readOnly, stepUp, "step-up");
        requireAscending("deny", deny, stepUp, "step-up");
        requireAscending("deny", deny, readOnly, "read-only");
        for (var acr : acrValues) {
            // One acr_values parameter carries them all, separated by spaces, in a quoted-string (RFC 9470 section 3).
            if (acr.isEmpty() || !acr.chars().allMatch(c -> c > 0x20 && c <= 0x7e && c != '"' && c != '\\')) {
                throw new InvalidSetting("acr-values", acr, "printable ASCII without space, quote and backslash");
            }
        }
        if (maxAge.compareTo(Duration.ofSeconds(1)) < 0 || maxAge.compareTo(LONGEST) > 0 || maxAge.toNanosPart() != 0) {
            throw new InvalidSetting("max-age", maxAge, "whole seconds, 1s to 1d");
        }
    }

    private static void requireRung(String key, @Nullable Integer score, int lowest) {
        if (score != null && (score < lowest || score > 100)) {
            throw new InvalidSetting(key, score, lowest + " to 100");
        }
    }

    private static void requireAscending(
            String key, @Nullable Integer score, @Nullable Integer below, String belowKey) {
        if (score != null && below != null && score <= below) {
            throw new InvalidSetting(key, score, "more than %s, which is %d".formatted(belowKey, below));
        }
    }
}
