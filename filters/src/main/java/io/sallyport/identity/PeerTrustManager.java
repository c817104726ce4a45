// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * A trust manager for the peers on one side of TLS connections. It turns the six questions of TLS into one, and answers the other
 * side's question with no.
 *
 * <p>Nobody else checks host names: an SVID names a workload and not a host, and {@code upstream.tls} has its own rules. Being an
 * {@link X509ExtendedTrustManager} keeps the JDK from wrapping it in one that checks them.
 */
public abstract class PeerTrustManager extends X509ExtendedTrustManager {
    /** Names none, so that a peer shows what it has: authorities come and go while a context stays. */
    private static final X509Certificate[] NO_ISSUERS = {};

    private final TrustBundles.Role peers;

    /** @param peers which side of a connection the peers are on */
    protected PeerTrustManager(TrustBundles.Role peers) {
        this.peers = peers;
    }

    /**
     * Ends the handshake by throwing, or lets the peer in.
     *
     * @param chain as shown, leaf first; may be empty
     */
    protected abstract void check(List<X509Certificate> chain) throws CertificateException;

    private void check(X509Certificate[] chain, TrustBundles.Role shownBy) throws CertificateException {
        if (shownBy != peers) {
            throw new CertificateException("a peer as %s (expected: as %s)".formatted(shownBy, peers));
        }
        check(List.of(chain));
    }

    @Override
    public final void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain, TrustBundles.Role.CLIENT);
    }

    @Override
    public final void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain, TrustBundles.Role.CLIENT);
    }

    @Override
    public final void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain, TrustBundles.Role.CLIENT);
    }

    @Override
    public final void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain, TrustBundles.Role.SERVER);
    }

    @Override
    public final void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain, TrustBundles.Role.SERVER);
    }

    @Override
    public final void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain, TrustBundles.Role.SERVER);
    }

    @Override
    public final X509Certificate[] getAcceptedIssuers() {
        return NO_ISSUERS;
    }
}
