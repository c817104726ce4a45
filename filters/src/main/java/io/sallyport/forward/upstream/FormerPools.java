// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.util.concurrent.GlobalEventExecutor;
import io.spiffe.spiffeid.TrustDomain;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pools of former identities: drains them after a rotation, cuts them when trust has gone. Safe for use by any thread.
 */
final class FormerPools {
    private static final Logger log = LoggerFactory.getLogger(FormerPools.class);

    // What a request that has just found its pool needs to get a connection.
    private static final Duration LEAST_GRACE = Duration.ofSeconds(1);

    private final Duration drainAfter;
    private final Duration cutAfter;

    /** Those that may still have connections in use. Guarded by this. */
    private final List<IdentityPools> former = new ArrayList<>();

    /**
     * @param drainAfter how long connections of a former identity are kept; at least a second
     * @param cutAfter how long requests may go on over connections to peers that are no longer trusted; at least a second
     */
    FormerPools(Duration drainAfter, Duration cutAfter) {
        this.drainAfter = atLeast(LEAST_GRACE, drainAfter);
        this.cutAfter = atLeast(LEAST_GRACE, cutAfter);
    }

    private static Duration atLeast(Duration least, Duration value) {
        return value.compareTo(least) < 0 ? least : value;
    }

    /** These serve no new requests from now on: closes their connections after {@code drain-after}. */
    synchronized void drain(IdentityPools previous) {
        former.removeIf(IdentityPools::isOver);
        former.add(previous);
        later(drainAfter, previous::retire);
    }

    /** Closes connections to peers of those trust domains: idle ones now, the others after {@code cut-after} at the latest. */
    synchronized void cut(Set<TrustDomain> distrusted) {
        if (distrusted.isEmpty()) {
            return;
        }
        log.atInfo().addKeyValue("trust_domains", distrusted).log("an authority left the bundle; closing connections");
        Predicate<UpstreamPeer> concerned =
                peer -> peer.proof() instanceof PeerProof.Workload(var expected, var _) && expected.concern(distrusted);
        cut(concerned);
    }

    /** Closes connections to those peers: idle ones now, the others after {@code cut-after} at the latest. */
    synchronized void cut(Predicate<UpstreamPeer> concerned) {
        for (var pools : former) {
            pools.retireConnections(concerned);
            later(cutAfter, () -> pools.closeConnections(concerned));
        }
    }

    /** As {@link #cut(Predicate)}, of pools that stay in use: their next requests get new connections. */
    void renew(IdentityPools pools, Predicate<UpstreamPeer> concerned) {
        var closing = pools.renew(concerned);
        later(cutAfter, closing);
    }

    /**
     * The gateway has no identity any more: cuts every connection that was made under one.
     *
     * @param last those that were in use, or null
     */
    synchronized void withdraw(@Nullable IdentityPools last) {
        if (last != null) {
            former.add(last);
        }
        for (var pools : former) {
            pools.retireConnections(_ -> true);
            later(cutAfter, pools::dispose);
        }
        former.clear();
    }

    /** Closes everything, whatever is under way. */
    synchronized void dispose() {
        former.forEach(IdentityPools::dispose);
        former.clear();
    }

    private static void later(Duration delay, Runnable task) {
        var _ = GlobalEventExecutor.INSTANCE.schedule(task, delay.toMillis(), TimeUnit.MILLISECONDS);
    }
}
