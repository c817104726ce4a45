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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where an adapter of {@link SvidSource} keeps what it has received: one immutable value behind one volatile. Counts
 * generations, and swallows updates that say nothing new, so that an agent that repeats itself costs no connection.
 */
public final class CurrentIdentity {
    private static final Logger log = LoggerFactory.getLogger(CurrentIdentity.class);

    private final InstantSource clock;
    private final List<Consumer<@Nullable WorkloadIdentity>> listeners = new CopyOnWriteArrayList<>();
    private volatile @Nullable WorkloadIdentity identity;
    private volatile @Nullable Instant receivedAt;
    private long generation;
    /** The last that was delivered too late; empty if what was delivered last is in use. */
    private List<X509Certificate> refused = List.of();

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

    /**
     * Takes over what the source says now. An SVID that has expired never takes the place of one that is valid: of what came with it
     * the bundles alone are taken.
     */
    public synchronized void replace(
            SpiffeId id, List<X509Certificate> chain, PrivateKey key, Map<TrustDomain, Set<X509Certificate>> bundles) {
        var now = clock.instant();
        receivedAt = now;
        var earlier = identity;
        var said = sameAs(earlier, TrustBundles.of(bundles));
        var next = new WorkloadIdentity(id, chain, key, said, generation + 1);
        var stays = earlier != null && next.isExpiredAt(now) && !earlier.isExpiredAt(now) ? earlier : null;
        if (stays == null) {
            refused = List.of();
        } else {
            refuse(stays, next);
            next = new WorkloadIdentity(stays.id(), stays.chain(), stays.key(), said, generation + 1);
        }
        if (earlier != null && earlier.saysTheSameAs(next)) {
            return;
        }
        logTaken(earlier, next);
        generation++;
        identity = next;
        tell(next);
    }

    /** Once for each SVID: an agent repeats itself. */
    private void refuse(WorkloadIdentity inUse, WorkloadIdentity expired) {
        if (!refused.equals(expired.chain())) {
            refused = expired.chain();
            log.atError()
                    .addKeyValue("id", expired.id())
                    .addKeyValue("expired_at", expired.expiresAt())
                    .addKeyValue("in_use_until", inUse.expiresAt())
                    .log("an SVID that has expired was delivered; the one in use stays");
        }
    }

    private static void logTaken(@Nullable WorkloadIdentity earlier, WorkloadIdentity next) {
        if (earlier != null && earlier.chain().equals(next.chain())) {
            log.atInfo().addKeyValue("trust_domains", next.bundles()).log("the trust bundles were replaced");
            return;
        }
        log.atInfo()
                .addKeyValue("id", next.id())
                .addKeyValue("expires_at", next.expiresAt())
                .log(earlier == null ? "the gateway has its SVID" : "the gateway's SVID was renewed");
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
