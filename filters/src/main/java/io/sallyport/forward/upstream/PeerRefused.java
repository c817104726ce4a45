// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.decision.Reason;
import io.sallyport.identity.ExpectedIds;
import io.spiffe.spiffeid.SpiffeId;
import java.security.cert.CertificateException;
import org.jspecify.annotations.Nullable;

/**
 * Ends a TLS handshake with a peer that is not the expected workload. It travels through the TLS engine and the HTTP client as
 * the cause of their failures, and has no stack trace: it is a verdict, not a bug.
 */
public final class PeerRefused extends CertificateException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;
    private final transient @Nullable SpiffeId actual;
    private final @Nullable String detail;

    private PeerRefused(
            Reason reason,
            String message,
            @Nullable SpiffeId actual,
            @Nullable String detail,
            @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
        this.actual = actual;
        this.detail = detail;
    }

    static PeerRefused untrusted(String why, @Nullable SpiffeId actual, @Nullable Throwable cause) {
        return new PeerRefused(Reason.FORWARD_PEER_UNTRUSTED, why, actual, null, cause);
    }

    /** Of a peer that was to prove a DNS name. */
    static PeerRefused untrusted(String why, String serverName, @Nullable Throwable cause) {
        return new PeerRefused(Reason.FORWARD_PEER_UNTRUSTED, why, null, "expected " + serverName, cause);
    }

    /** @param shown the names of a certificate that an authority vouches for, as a record may show them */
    static PeerRefused nameMismatch(String serverName, String shown) {
        return new PeerRefused(
                Reason.FORWARD_NAME_MISMATCH,
                "the certificate is for another name",
                null,
                "expected %s, found %s".formatted(serverName, shown),
                null);
    }

    static PeerRefused mismatch(ExpectedIds expected, SpiffeId actual) {
        return new PeerRefused(
                Reason.FORWARD_IDENTITY_MISMATCH, "%s (expected: %s)".formatted(actual, expected), actual, null, null);
    }

    /** The one in that failure's causes, or null if it has none. */
    public static @Nullable PeerRefused in(@Nullable Throwable failure) {
        // Bounded: a cause may be its own cause's cause.
        for (int depth = 0; failure != null && depth < 16; depth++) {
            if (failure instanceof PeerRefused refused) {
                return refused;
            }
            failure = failure.getCause();
        }
        return null;
    }

    /** {@code forward.peer_untrusted}, {@code forward.identity_mismatch} or {@code forward.name_mismatch}. */
    public Reason reason() {
        return reason;
    }

    /** The ID in the peer's certificate, proven only if {@link #reason()} is a mismatch. */
    @Nullable
    public SpiffeId actual() {
        return actual;
    }

    /** Which name was expected, and which came; null where {@link #actual()} says it. */
    public @Nullable String detail() {
        return detail;
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
