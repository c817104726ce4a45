// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.ratelimit.store.IfAbsent;
import io.sallyport.ratelimit.store.LimitKey;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One entry of section {@code routes.<name>.rate-limits}, under the policy's name. */
public record LimitConfig(
        @Setting("What is counted by: subject, client, address, route or claim:<path>.")
        LimitKey key,

        @Setting("How many units the window has; 1 to 1000000000.")
        long limit,

        @Setting(
                "The window, in whole seconds: 1s to 1d. It begins with a key's first request; at its end the limit is whole again.")
        Duration per,

        @Setting(value = "How many units one request takes; 1 to limit.", byDefault = "1")
        long cost,

        @Setting(
                "Of key claim:<path>: what becomes of a caller without the claim: refuse (403 ratelimit.key_missing) or address; refuse when"
                        + " absent. A claim that is a list counts as the set of its values; an object, or nothing, as absent.")
        @Nullable
        IfAbsent ifAbsent) {
    private static final long MAX_LIMIT = 1_000_000_000L;
    private static final Duration MAX_WINDOW = Duration.ofDays(1);

    public LimitConfig(LimitKey key, long limit, Duration per, long cost) {
        this(key, limit, per, cost, null);
    }

    public LimitConfig {
        if (ifAbsent != null && !(key instanceof LimitKey.Claim)) {
            throw new InvalidSetting(
                    "if-absent", ifAbsent.name().toLowerCase(Locale.ROOT), "nothing, because the key is no claim");
        }
        if (limit < 1 || limit > MAX_LIMIT) {
            throw new InvalidSetting("limit", limit, "1 to " + MAX_LIMIT);
        }
        if (per.compareTo(Duration.ofSeconds(1)) < 0 || per.compareTo(MAX_WINDOW) > 0 || per.toNanosPart() != 0) {
            throw new InvalidSetting("per", per, "whole seconds, 1s to 1d");
        }
        if (cost < 1 || cost > limit) {
            throw new InvalidSetting("cost", cost, "1 to the limit, which is " + limit);
        }
    }
}
