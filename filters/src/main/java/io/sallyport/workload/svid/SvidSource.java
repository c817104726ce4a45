// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.svid;

import io.sallyport.identity.TrustBundleSource;
import io.sallyport.identity.TrustBundles;
import java.time.Instant;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The gateway's own X509-SVID and the trust bundles, from memory. An adapter keeps them current in the background; nothing
 * here waits.
 */
public interface SvidSource extends TrustBundleSource, AutoCloseable {

    /** What a readiness probe says of the gateway's own identity. */
    enum State {
        /** There has been none yet, or it was withdrawn. */
        MISSING,
        VALID,
        /** It was not renewed in time. */
        EXPIRED
    }

    /** The latest, expired or not; null if there is none. */
    @Nullable
    WorkloadIdentity current();

    /** When the source last delivered what it holds, changed or not; null if never. */
    @Nullable
    Instant receivedAt();

    /**
     * Calls the listener with each later value of {@link #current()}, null when it was withdrawn. On the adapter's own thread,
     * one call at a time, in order; it must not throw.
     */
    void onUpdate(Consumer<@Nullable WorkloadIdentity> listener);

    /** Those that came with {@link #current()}. */
    @Override
    default @Nullable TrustBundles bundles() {
        var identity = current();
        return identity == null ? null : identity.bundles();
    }

    default State state(Instant now) {
        var identity = current();
        if (identity == null) {
            return State.MISSING;
        }
        return identity.isExpiredAt(now) ? State.EXPIRED : State.VALID;
    }

    /** Whether the gateway can prove who it is: without that it takes no traffic. */
    default boolean ready(Instant now) {
        return state(now) == State.VALID;
    }

    /** Stops updating; {@link #current()} stays what it was. */
    @Override
    void close();
}
