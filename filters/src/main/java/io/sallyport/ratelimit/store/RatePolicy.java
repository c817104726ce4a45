// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit.store;

import io.github.bucket4j.BucketConfiguration;
import io.sallyport.decision.PolicyName;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One rate-limit policy of one route, compiled.
 *
 * <p>A window is refilled at once when it ends (not token by token), so that {@code q} and {@code w} of {@code
 * RateLimit-Policy} and {@code t} of {@code RateLimit} are literally true. The price is that a caller may spend two windows'
 * units around the moment at which one follows the other; a second policy with a shorter window bounds that.
 */
public final class RatePolicy {
    private final String route;
    private final PolicyName name;
    private final LimitKey key;
    private final IfAbsent ifAbsent;
    private final long cost;
    private final Duration window;
    private final BucketConfiguration bucket;
    private final String policyItem;
    private final String stateItem;
    private final List<PolicyName> alone;

    /**
     * Compiles a policy.
     *
     * @param ifAbsent null for the default
     * @param limit how many units the window has
     * @param cost how many of them one request takes
     */
    public RatePolicy(
            String route,
            PolicyName name,
            LimitKey key,
            @Nullable IfAbsent ifAbsent,
            long limit,
            Duration window,
            long cost) {
        this.route = route;
        this.name = name;
        this.key = key;
        this.ifAbsent = ifAbsent == null ? IfAbsent.REFUSE : ifAbsent;
        this.cost = cost;
        this.window = window;
        this.bucket = BucketConfiguration.builder()
                .addLimit(bandwidth -> bandwidth.capacity(limit).refillIntervally(limit, window))
                .build();
        this.policyItem = "\"%s\";q=%d;w=%d;pk=:".formatted(name.value(), limit, window.toSeconds());
        this.stateItem = "\"" + name.value() + "\";r=";
        this.alone = List.of(name);
    }

    /** The route's name; with the policy's name it says whose buckets these are, over reloads. */
    public String route() {
        return route;
    }

    public PolicyName name() {
        return name;
    }

    public LimitKey key() {
        return key;
    }

    IfAbsent ifAbsent() {
        return ifAbsent;
    }

    /** How many units one request takes. */
    public long cost() {
        return cost;
    }

    /** A bucket that was left alone for this long is full. */
    public Duration window() {
        return window;
    }

    /** What a bucket of this policy is made with. */
    public BucketConfiguration bucket() {
        return bucket;
    }

    /** {@code "user";q=100;w=60;pk=:}, to be followed by the partition. */
    String policyItem() {
        return policyItem;
    }

    /** {@code "user";r=}, to be followed by what remains. */
    String stateItem() {
        return stateItem;
    }

    /** The list of this name only, for the denial. */
    public List<PolicyName> alone() {
        return alone;
    }
}
