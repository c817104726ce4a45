// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import io.sallyport.config.Findings;
import io.sallyport.decision.PolicyName;
import io.sallyport.ratelimit.store.LimitKey;
import io.sallyport.ratelimit.store.RatePolicy;
import java.util.ArrayList;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The rate-limit policies of one route, compiled, in the order in which the file names them. */
public final class RouteLimits {
    private static final int MAX_POLICIES = 8;

    private final RatePolicy[] policies;

    private RouteLimits(RatePolicy[] policies) {
        this.policies = policies;
    }

    /**
     * Compiles a route's policies.
     *
     * @param limits by policy name
     * @param route the route's name: with a policy's it names that policy's buckets
     * @param isPublic whether callers of the route are anonymous
     * @return null, and findings at {@code at}, if a limit cannot stand on this route
     */
    public static @Nullable RouteLimits compile(
            Map<String, LimitConfig> limits, String route, boolean isPublic, Findings.Place at) {
        if (limits.size() > MAX_POLICIES) {
            at.reject(
                    limits.size() + " policies",
                    "at most " + MAX_POLICIES + ", because each request is charged to all");
            return null;
        }
        var policies = new ArrayList<RatePolicy>();
        for (var limit : limits.entrySet()) {
            var name = policyName(limit.getKey(), at);
            boolean keyFits = !isPublic || fitsPublicRoute(limit.getValue(), at.child(limit.getKey()));
            if (name != null && keyFits) {
                policies.add(ratePolicy(route, name, limit.getValue()));
            }
        }
        return policies.size() == limits.size() ? new RouteLimits(policies.toArray(RatePolicy[]::new)) : null;
    }

    static RatePolicy ratePolicy(String route, PolicyName name, LimitConfig limit) {
        return new RatePolicy(route, name, limit.key(), limit.ifAbsent(), limit.limit(), limit.per(), limit.cost());
    }

    private static @Nullable PolicyName policyName(String name, Findings.Place at) {
        try {
            return new PolicyName(name);
        } catch (IllegalArgumentException e) {
            at.child(name).reject(name, "a policy name of 1 to 64 characters of a-z, 0-9 and dash");
            return null;
        }
    }

    private static boolean fitsPublicRoute(LimitConfig limit, Findings.Place at) {
        if (limit.key() == LimitKey.Word.ADDRESS || limit.key() == LimitKey.Word.ROUTE) {
            return true;
        }
        var written = limit.key() instanceof LimitKey.Claim(var path) ? LimitKey.CLAIM + path : lower(limit.key());
        at.child("key").reject(written, "address or route, because every caller of a public route is anonymous");
        return false;
    }

    private static String lower(LimitKey key) {
        return key.toString().toLowerCase(java.util.Locale.ROOT);
    }

    RatePolicy[] policies() {
        return policies;
    }
}
