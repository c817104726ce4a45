// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.identity.ExpectedIds;
import io.sallyport.identity.TrustBundles;
import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Verifies the peer of one pin: {@link TrustBundles} judge its SVID; only then, the ID that it proves is compared with the pin. So
 * {@code identity_mismatch} is only ever said of an identity that was proven.
 *
 * <p>No host name is checked: an SVID names a workload, not a host. Being an {@link X509ExtendedTrustManager} keeps the JDK
 * from wrapping it in one that checks them.
 */
final class PinnedTrustManager extends X509ExtendedTrustManager {
    private static final X509Certificate[] NO_ISSUERS = {};

    private final TrustBundles bundles;
    private final ExpectedIds expected;
    private final InstantSource clock;

    /** @param bundles they are fixed for this trust manager's life */
    PinnedTrustManager(TrustBundles bundles, ExpectedIds expected, InstantSource clock) {
        this.bundles = bundles;
        this.expected = expected;
        this.clock = clock;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws PeerRefused {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) throws PeerRefused {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws PeerRefused {
        switch (bundles.judge(List.of(chain), TrustBundles.Role.SERVER, clock.instant())) {
            case TrustBundles.Untrusted(var why, var claimed, var cause) ->
                throw PeerRefused.untrusted(why, claimed, cause);
            case TrustBundles.Proven proven -> {
                if (!expected.match(proven.id())) {
                    throw PeerRefused.mismatch(expected, proven.id());
                }
            }
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("this side of the gateway serves no clients");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return NO_ISSUERS;
    }
}
