// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.sallyport.identity.ExpectedIds;
import io.sallyport.identity.PeerTrustManager;
import io.sallyport.identity.TrustBundleSource;
import io.sallyport.identity.TrustBundles;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lets only X509-SVIDs through a handshake, by the trust bundles of that moment. Which workload may call what is not asked here,
 * and whether its authority is still trusted is asked again for each request: a resumed session does not come by here.
 */
public final class ClientTrustManager extends PeerTrustManager {
    private static final TrustBundles.Untrusted NO_BUNDLES =
            new TrustBundles.Untrusted("there are no trust bundles yet", null, null);

    private final TrustBundleSource source;
    private final @Nullable ExpectedIds expected;
    private final InstantSource clock;
    private final CertificateWatch watch;

    /**
     * @param expected who may connect; null for whoever is a workload
     * @param watch told of each
     */
    public ClientTrustManager(
            TrustBundleSource source, @Nullable ExpectedIds expected, InstantSource clock, CertificateWatch watch) {
        super(TrustBundles.Role.CLIENT);
        this.source = source;
        this.expected = expected;
        this.clock = clock;
        this.watch = watch;
    }

    @Override
    protected void check(List<X509Certificate> chain) throws ClientRefused {
        var bundles = source.bundles();
        var judgement = bundles == null ? NO_BUNDLES : bundles.judge(chain, TrustBundles.Role.CLIENT, clock.instant());
        switch (judgement) {
            case TrustBundles.Untrusted untrusted -> throw watch.refused(ClientRefused.untrusted(untrusted));
            case TrustBundles.Proven proven -> {
                if (expected != null && !expected.match(proven.id())) {
                    throw watch.refused(ClientRefused.unexpected(proven.id()));
                }
                watch.verified();
            }
        }
    }
}
