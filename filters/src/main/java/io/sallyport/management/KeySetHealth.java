// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.authenticate.AcceptedTokens;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * Out of service while an issuer that is {@code required} has no key set, or while no route can serve anybody. An issuer that cannot
 * be reached costs its own callers a 503, and not the others their gateway.
 */
public final class KeySetHealth implements HealthIndicator {
    private final Supplier<State> inForce;
    private final InstantSource clock;

    /**
     * What of a configuration this is about.
     *
     * @param routes all of it, built-in ones included
     */
    public record State(Collection<Issuer> issuers, Collection<Route> routes) {}

    /** @param inForce that of the configuration in force */
    public KeySetHealth(Supplier<State> inForce, InstantSource clock) {
        this.inForce = inForce;
        this.clock = clock;
    }

    @Override
    public Health health() {
        var now = clock.instant();
        var state = inForce.get();
        // Asked about each token, an issuer without keys shows in its answers whether it can be reached.
        var issuers = state.issuers().stream()
                .flatMap(issuer -> issuer.each().stream())
                .filter(Issuer::hasKeys)
                .toList();
        var details = new TreeMap<String, Object>();
        issuers.forEach(issuer -> details.put(issuer.keySetName(), describe(issuer, now)));
        var cause = cause(issuers, state.routes(), now);
        var health = cause == null ? Health.up() : Health.outOfService().withDetail("cause", cause);
        return health.withDetail("issuers", details).build();
    }

    private static @Nullable String cause(List<Issuer> issuers, Collection<Route> routes, Instant now) {
        var missing = issuers.stream()
                .filter(issuer -> issuer.isRequired() && !issuer.holdsKeys(now))
                .map(Issuer::keySetName)
                .toList();
        if (!missing.isEmpty()) {
            return "required issuers without keys: " + String.join(", ", missing);
        }
        // No longer than the time-out of one fetch: else the first requests after a start would find no keys.
        var fetching = issuers.stream()
                .filter(issuer -> !issuer.keys().isSettled())
                .map(Issuer::keySetName)
                .toList();
        if (!fetching.isEmpty()) {
            return "keys are being fetched: " + String.join(", ", fetching);
        }
        return routes.stream().anyMatch(route -> canServe(route, now)) ? null : "no route has an issuer with keys";
    }

    private static boolean canServe(Route route, Instant now) {
        if (route.kind() != Route.Kind.UPSTREAM) {
            return false;
        }
        var accepted = route.settings(StageName.AUTHENTICATE, AcceptedTokens.class);
        return accepted == null ? route.isPublic() : accepted.canAccept(now);
    }

    private static String describe(Issuer issuer, Instant now) {
        var keys = issuer.holdsKeys(now) ? "keys present" : "no keys";
        var problem = issuer.keys().problem();
        return problem == null ? keys : "%s; the last fetch failed: %s".formatted(keys, problem);
    }
}
