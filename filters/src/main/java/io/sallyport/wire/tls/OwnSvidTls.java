// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.sallyport.workload.svid.SvidSource;
import io.sallyport.workload.svid.WorkloadIdentity;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.InstantSource;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server's TLS under the gateway's own SVID: each connection is begun with the SVID of that moment, and while there is none, or it
 * has expired, with nothing to show, which ends the handshake.
 *
 * <p>The context of an identity is made on the thread that brings it and not on an event loop. With it end the sessions that were made
 * by other trust bundles.
 */
public final class OwnSvidTls extends CurrentTls {
    private static final Logger log = LoggerFactory.getLogger(OwnSvidTls.class);

    private final ClientTrustManager clients;
    private final InstantSource clock;
    private final SslContext nobody = nobody();
    private volatile @Nullable Made made;

    private record Made(WorkloadIdentity identity, SslContext context) {}

    /** @param clients judges what clients have to show */
    public OwnSvidTls(SvidSource identities, ClientTrustManager clients, InstantSource clock) {
        this.clients = clients;
        this.clock = clock;
        identities.onUpdate(this::follow);
        follow(identities.current());
    }

    /** On the thread of the source, and once on that of the start: an older identity does not replace a newer one. */
    private synchronized void follow(@Nullable WorkloadIdentity identity) {
        if (identity == null) {
            made = null;
            return;
        }
        var before = made;
        if (before != null && before.identity().generation() >= identity.generation()) {
            return;
        }
        try {
            made = new Made(identity, ListenerTls.context(identity, clients));
        } catch (SSLException | IllegalArgumentException e) {
            made = null;
            log.atError().setCause(e).log("SVID not usable");
        }
    }

    @Override
    SslContext current() {
        var latest = made;
        return latest == null || latest.identity().isExpiredAt(clock.instant()) ? nobody : latest.context();
    }

    private static SslContext nobody() {
        try {
            var nothing = KeyStore.getInstance(KeyStore.getDefaultType());
            nothing.load(null, null);
            var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(nothing, new char[0]);
            return SslContextBuilder.forServer(keys)
                    .sslProvider(SslProvider.JDK)
                    .build();
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("this JDK has no TLS", e);
        }
    }

    /** None: an SVID names a workload, not a host. */
    @Override
    @Nullable
    public ServerCertificates certificates() {
        return null;
    }

    /** The source ends by itself. */
    @Override
    public void close() {}
}
