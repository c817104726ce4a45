// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.authenticate.issuer.TenantKeys;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.authenticate.keys.NoKeys;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;

/**
 * The key sets of tenants that nobody listed. Whoever writes a token can name a new tenant in it, before anything is verified; so
 * their number and the rate of new ones are bounded, and one that turns out to have no keys is let go as soon as the next comes.
 */
final class TenantKeySets implements TenantKeys {
    /** One new tenant in a second, after ten at once. */
    private static final Duration EACH = Duration.ofSeconds(1);

    private static final int AT_ONCE = 10;

    private final BiFunction<String, IssuerConfig, RefreshingJwkSetSource> maker;
    private final InstantSource clock;
    private final Map<String, RefreshingJwkSetSource> byTenant = new ConcurrentHashMap<>();
    private Instant paidUntil = Instant.MIN;
    private boolean stopped;

    /** @param maker makes a source that has not started */
    TenantKeySets(BiFunction<String, IssuerConfig, RefreshingJwkSetSource> maker, InstantSource clock) {
        this.maker = maker;
        this.clock = clock;
    }

    @Override
    public JwkSetSource of(String tenant, IssuerConfig config) {
        var known = byTenant.get(tenant);
        return known != null ? known : begin(tenant, config);
    }

    private synchronized JwkSetSource begin(String tenant, IssuerConfig config) {
        var known = byTenant.get(tenant);
        if (known != null) {
            return known;
        }
        var now = clock.instant();
        letGoOfThoseWithoutKeys(now);
        if (stopped || byTenant.size() >= IssuerConfig.MOST_TENANTS || !pay(now)) {
            return NoKeys.NO_KEYS;
        }
        var source = maker.apply(tenant, config);
        byTenant.put(tenant, source);
        source.start().subscribe();
        return source;
    }

    private void letGoOfThoseWithoutKeys(Instant now) {
        byTenant.values().removeIf(source -> {
            boolean isNobodys = source.isSettled() && source.current(now) == null;
            if (isNobodys) {
                source.stop();
            }
            return isNobodys;
        });
    }

    /** A leaky bucket in one number: until when the fetches so far are paid for. */
    private boolean pay(Instant now) {
        var from = paidUntil.isBefore(now) ? now : paidUntil;
        if (from.isAfter(now.plus(EACH.multipliedBy(AT_ONCE - 1)))) {
            return false;
        }
        paidUntil = from.plus(EACH);
        return true;
    }

    synchronized void stop() {
        stopped = true;
        byTenant.values().forEach(RefreshingJwkSetSource::stop);
        byTenant.clear();
    }
}
