// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.sallyport.authorize.AuthorizeModule;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.flood.FloodModule;
import io.sallyport.pipeline.StageHealth;
import io.sallyport.pipeline.StageModule;
import io.sallyport.pipeline.StageName;
import io.sallyport.ratelimit.RateLimitModule;
import io.sallyport.revocation.RevocationModule;
import io.sallyport.risk.RiskModule;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The list of the stages' modules: the one place where a module is registered. Nothing else asks a module to compile, for its health, or
 * to close.
 *
 * <p>The stages {@code edge}, {@code authenticate} and {@code route} have none: they are compiled with the route table, the issuers and the
 * upstreams, which several routes share.
 */
public record StageModules(
        FloodModule flood,
        RevocationModule revocation,
        RateLimitModule rateLimit,
        RiskModule risk,
        AuthorizeModule authorize)
        implements AutoCloseable {
    /**
     * Opens what the sections of the stages name.
     *
     * @throws InvalidSetting if something cannot be opened; its key is below {@code stages}
     */
    public static StageModules open(StagesConfig stages, InstantSource clock, MeterRegistry meters) {
        var flood = new FloodModule();
        return new StageModules(
                flood,
                RevocationModule.open(stages.revocation(), clock, meters),
                RateLimitModule.open(stages.ratelimit(), clock, meters),
                RiskModule.open(stages.risk(), flood.failures()::lastMinute, clock, meters),
                AuthorizeModule.open(stages.authorize(), clock, meters));
    }

    /** Modules that compile, and open nothing outside this process. Nothing is judged by them. */
    static StageModules forChecking() {
        InstantSource clock = () -> Instant.EPOCH;
        var meters = new CompositeMeterRegistry();
        return new StageModules(
                new FloodModule(),
                RevocationModule.inMemory(1, clock, meters),
                RateLimitModule.inMemory(),
                RiskModule.inMemory(_ -> 0),
                AuthorizeModule.inMemory(meters));
    }

    private List<StageModule> all() {
        return List.of(flood, revocation, rateLimit, risk, authorize);
    }

    /** Compiles the sections below {@code stages}. */
    Map<StageName, Object> compile(StagesConfig stages) {
        var settings = new EnumMap<StageName, Object>(StageName.class);
        settings.put(StageName.FLOOD, stages.flood());
        settings.put(StageName.AUTHENTICATE, stages.authenticate());
        settings.put(StageName.RISK, risk.compile(stages.risk()));
        return settings;
    }

    /**
     * Compiles the stages' sections of one route.
     *
     * @param pathVariables null if the route's path is wrong: nothing is compiled then that could read one
     * @param at the route
     * @return without those that are absent or wrong
     */
    Map<StageName, Object> compile(
            String route, RouteSection section, @Nullable Set<String> pathVariables, Findings.Place at) {
        var authorization = section.authorize();
        boolean isPublic = authorization != null && authorization.isPublic();
        var settings = new EnumMap<StageName, Object>(StageName.class);
        if (authorization != null && pathVariables != null) {
            add(settings, StageName.AUTHORIZE, authorize.compile(authorization, pathVariables, at.child("authorize")));
        }
        add(
                settings,
                StageName.RATELIMIT,
                rateLimit.compile(section.rateLimits(), route, isPublic, at.child("rate-limits")));
        add(settings, StageName.RISK, risk.compile(section.risk(), isPublic, at.child("risk")));
        return settings;
    }

    private static void add(Map<StageName, Object> settings, StageName stage, @Nullable Object compiled) {
        if (compiled != null) {
            settings.put(stage, compiled);
        }
    }

    /** What tells the health of each module that has any, by the stage's code. */
    public Map<String, Supplier<StageHealth>> health() {
        var health = new TreeMap<String, Supplier<StageHealth>>();
        for (var module : all()) {
            var ofModule = module.health();
            if (ofModule != null) {
                health.put(module.stage().name().code(), ofModule);
            }
        }
        return health;
    }

    @Override
    public void close() {
        all().forEach(StageModule::close);
    }
}
