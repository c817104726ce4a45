// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.svid;

import io.sallyport.identity.TrustBundles;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where an adapter of {@link SvidSource} keeps what it has received: one immutable value behind one volatile. Counts
 * generations, and swallows updates that say nothing new, so that an agent that repeats itself costs no connection.
 */
public final class CurrentIdentity {
    private final InstantSource clock;
    private final List<Consumer<@Nullable WorkloadIdentity>> listeners = new CopyOnWriteArrayList<>();
    private volatile @Nullable WorkloadIdentity identity;
    private volatile @Nullable Instant receivedAt;
    private long generation;

    public CurrentIdentity(InstantSource clock) {
        this.clock = clock;
    }

    public @Nullable WorkloadIdentity get() {
        return identity;
    }

    public @Nullable Instant receivedAt() {
        return receivedAt;
    }

    public void onUpdate(Consumer<@Nullable WorkloadIdentity> listener) {
        listeners.add(listener);
    }

    /** Takes over what the source says now. */
    public synchronized void replace(
            SpiffeId id, List<X509Certificate> chain, PrivateKey key, Map<TrustDomain, Set<X509Certificate>> bundles) {
        receivedAt = clock.instant();
        var earlier = identity;
        var next = new WorkloadIdentity(id, chain, key, sameAs(earlier, TrustBundles.of(bundles)), generation + 1);
        if (earlier != null && earlier.saysTheSameAs(next)) {
            return;
        }
        generation++;
        identity = next;
        tell(next);
    }

    // The same object for the same authorities: what was judged by them need not be judged again after a rotation.
    private static TrustBundles sameAs(@Nullable WorkloadIdentity earlier, TrustBundles bundles) {
        return earlier != null && earlier.bundles().equals(bundles) ? earlier.bundles() : bundles;
    }

    /** Forgets: the gateway is no longer entitled to any. */
    public synchronized void withdraw() {
        if (identity != null) {
            identity = null;
            tell(null);
        }
    }

    private void tell(@Nullable WorkloadIdentity next) {
        for (var listener : listeners) {
            listener.accept(next);
        }
    }
}
