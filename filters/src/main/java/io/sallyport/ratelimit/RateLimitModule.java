// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.config.Findings;
import io.sallyport.pipeline.StageModule;
import io.sallyport.ratelimit.store.LimitStore;
import java.time.InstantSource;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The stage {@code ratelimit} and its store.
 *
 * @param store where limits are counted
 */
public record RateLimitModule(LimitStore store) implements StageModule {
    /** Opens the store that the section names: there is one, in the memory of this process. */
    public static RateLimitModule open(RateLimitConfig config, InstantSource clock, MeterRegistry meters) {
        return inMemory();
    }

    /** Opens nothing outside this process. */
    public static RateLimitModule inMemory() {
        return new RateLimitModule(LimitStore.inMemory());
    }

    @Override
    public RateLimitStage stage() {
        return new RateLimitStage(store);
    }

    /**
     * Compiles {@code routes.<name>.rate-limits}.
     *
     * @param isPublic whether callers of the route are anonymous
     * @return null, and findings at {@code at}, if a limit cannot stand on this route
     */
    public @Nullable RouteLimits compile(
            Map<String, LimitConfig> section, String route, boolean isPublic, Findings.Place at) {
        return RouteLimits.compile(section, route, isPublic, at);
    }
}
