// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.identity.TrustBundleSource;
import io.sallyport.identity.TrustBundles;
import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets only X509-SVIDs through a handshake, by the trust bundles of that moment. Which workload may call what is not asked here,
 * and whether its authority is still trusted is asked again for each request: a resumed session does not come by here.
 */
final class ClientTrustManager extends X509ExtendedTrustManager {
    private static final Logger log = LoggerFactory.getLogger(ClientTrustManager.class);

    /** Names none, so that a client shows what it has: authorities come and go while the listener stays. */
    private static final X509Certificate[] NO_ISSUERS = {};

    private final TrustBundleSource source;
    private final InstantSource clock;
    private final Counter verified;
    private final Counter refused;

    ClientTrustManager(TrustBundleSource source, InstantSource clock, MeterRegistry meters) {
        this.source = source;
        this.clock = clock;
        this.verified = counter("verified", meters);
        this.refused = counter("refused", meters);
    }

    private static Counter counter(String result, MeterRegistry meters) {
        return Counter.builder("sallyport.client.certificates")
                .description(
                        "Certificates that clients showed in TLS handshakes, by what the trust bundles said of them")
                .tag("result", result)
                .register(meters);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        var bundles = source.bundles();
        var judgement = bundles == null
                ? new TrustBundles.Untrusted("there are no trust bundles yet", null, null)
                : bundles.judge(List.of(chain), TrustBundles.Role.CLIENT, clock.instant());
        switch (judgement) {
            case TrustBundles.Proven _ -> verified.increment();
            case TrustBundles.Untrusted untrusted -> {
                refused.increment();
                log.atDebug()
                        .addKeyValue("claimed", untrusted.claimed())
                        .addKeyValue("cause", untrusted.why())
                        .log("a client's certificate is no X509-SVID; the handshake ends");
                throw new CertificateException(untrusted.why(), untrusted.cause());
            }
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("this side of the gateway calls no servers");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return NO_ISSUERS;
    }
}
