// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.sallyport.identity.TrustBundles;
import io.spiffe.spiffeid.SpiffeId;
import java.security.cert.CertificateException;
import org.jspecify.annotations.Nullable;

/**
 * Ends a TLS handshake with a client that is no workload, or none that may connect. It travels through the TLS engine as the cause
 * of its failure, and has no stack trace: it is a verdict, not a bug.
 */
final class ClientRefused extends CertificateException {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable SpiffeId claimed;
    private final boolean proven;

    private ClientRefused(String message, @Nullable SpiffeId claimed, boolean proven, @Nullable Throwable cause) {
        super(message, cause);
        this.claimed = claimed;
        this.proven = proven;
    }

    static ClientRefused untrusted(TrustBundles.Untrusted untrusted) {
        return new ClientRefused(untrusted.why(), untrusted.claimed(), false, untrusted.cause());
    }

    /** @param id proven, but none of those that may connect */
    static ClientRefused unexpected(SpiffeId id) {
        return new ClientRefused("none of client-spiffe-ids", id, true, null);
    }

    /** The one in that failure's causes, or null if it has none. */
    static @Nullable ClientRefused in(@Nullable Throwable failure) {
        // Bounded: a cause may be its own cause's cause.
        for (int depth = 0; failure != null && depth < 16; depth++) {
            if (failure instanceof ClientRefused refused) {
                return refused;
            }
            failure = failure.getCause();
        }
        return null;
    }

    /** The ID in the client's certificate, if it has one. */
    @Nullable
    SpiffeId claimed() {
        return claimed;
    }

    /** Whether it was proven. */
    boolean proven() {
        return proven;
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
