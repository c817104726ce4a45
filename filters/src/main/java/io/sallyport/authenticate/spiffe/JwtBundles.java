// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.spiffe;

import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.authenticate.issuer.JwkSetSourceFactory;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSet;
import io.sallyport.authenticate.keys.JwkSetDocument;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.authenticate.keys.VerificationKey;
import io.sallyport.config.Findings;
import io.sallyport.identity.StrictSpiffeId;
import io.sallyport.workload.api.WorkloadApiStream;
import io.spiffe.spiffeid.TrustDomain;
import io.spiffe.workloadapi.grpc.Workload;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The JWT bundles of all trust domains that the agent tells this gateway of, from one {@code FetchJWTBundles} stream. Each message
 * is the whole truth of its moment: a trust domain that it leaves out has no keys any more, and a key that it leaves out verifies
 * nothing, tokens that it verified before included. While the agent is away the last message stays, for a day at most.
 *
 * <p>Safe for use by any thread.
 */
public final class JwtBundles implements JwkSetSourceFactory, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(JwtBundles.class);

    // As long as the key set of an issuer that cannot be reached: see JwksConfig.
    private static final Duration MAX_UNHEARD = Duration.ofHours(24);
    private static final JwkSet NO_KEYS = new JwkSet(1, Instant.EPOCH, List.of());

    private final @Nullable URI socket;
    private final CryptoProvider crypto;
    private final InstantSource clock;

    private @Nullable WorkloadApiStream<Workload.JWTBundlesResponse> stream;
    /** Replaced as a whole; null before the first message, and when the gateway may not have any. */
    private volatile @Nullable Map<TrustDomain, JwkSet> bundles;
    /** Null while the stream is open: then no news says that nothing has changed. */
    private volatile @Nullable Instant interruptedAt;

    /** @param socket of the Workload API, or null if the configuration names none */
    public JwtBundles(@Nullable URI socket, CryptoProvider crypto, InstantSource clock) {
        this.socket = socket;
        this.crypto = crypto;
        this.clock = clock;
    }

    @Override
    public JwkSetSource source(String issuerName, IssuerConfig config, Findings.Place at) {
        return new OfTrustDomain(config.requireTrustDomain());
    }

    /** Begins to follow the Workload API, if it has not begun yet. Returns at once. */
    public synchronized void follow() {
        if (stream == null && socket != null) {
            stream = WorkloadApiStream.open(
                    socket,
                    "JWT bundles",
                    (api, observer) -> api.fetchJWTBundles(Workload.JWTBundlesRequest.getDefaultInstance(), observer),
                    new Listener());
        }
    }

    @Override
    public synchronized void close() {
        if (stream != null) {
            stream.close();
        }
    }

    private final class Listener implements WorkloadApiStream.Listener<Workload.JWTBundlesResponse> {
        @Override
        public boolean received(Workload.JWTBundlesResponse message) throws GeneralSecurityException {
            var last = bundles;
            var next = read(message, last == null ? Map.of() : last);
            bundles = next;
            interruptedAt = null;
            if (!next.equals(last)) {
                next.forEach((trustDomain, keys) -> log.atInfo()
                        .addKeyValue("trust_domain", trustDomain.getName())
                        .addKeyValue("keys", keys.keys().size())
                        .log("JWT bundle received"));
            }
            return true;
        }

        @Override
        public void denied() {
            if (bundles != null) {
                log.atWarn().log("the Workload API withdrew the JWT bundles; no JWT-SVID is accepted");
            }
            bundles = null;
        }

        @Override
        public void interrupted() {
            if (interruptedAt == null) {
                interruptedAt = clock.instant();
            }
        }
    }

    private Map<TrustDomain, JwkSet> read(Workload.JWTBundlesResponse message, Map<TrustDomain, JwkSet> last)
            throws GeneralSecurityException {
        var next = new HashMap<TrustDomain, JwkSet>();
        for (var bundle : message.getBundlesMap().entrySet()) {
            var id = StrictSpiffeId.parse(bundle.getKey());
            if (id == null || !id.getPath().isEmpty()) {
                throw new GeneralSecurityException("%s is no trust domain's ID".formatted(bundle.getKey()));
            }
            var trustDomain = id.getTrustDomain();
            var known = last.get(trustDomain);
            next.put(trustDomain, read(trustDomain, bundle.getValue().toByteArray(), known));
        }
        return Map.copyOf(next);
    }

    private JwkSet read(TrustDomain trustDomain, byte[] bundle, @Nullable JwkSet known)
            throws GeneralSecurityException {
        List<VerificationKey> before = known == null ? List.of() : known.keys();
        var document =
                bundle.length > JwkSetDocument.MAX_BYTES ? null : JwkSetDocument.parseBundle(bundle, before, crypto);
        if (document == null) {
            throw new GeneralSecurityException("the JWT bundle of %s is no JWK Set".formatted(trustDomain));
        }
        if (known != null && before.equals(document.keys())) {
            return known;
        }
        for (var ignored : document.ignored()) {
            log.atWarn()
                    .addKeyValue("trust_domain", trustDomain.getName())
                    .addKeyValue("position", ignored.position())
                    .addKeyValue("cause", ignored.cause().code())
                    .log("a key of the JWT bundle is ignored");
        }
        return new JwkSet(known == null ? 1 : known.revision() + 1, clock.instant(), document.keys());
    }

    private final class OfTrustDomain implements JwkSetSource {
        private final TrustDomain trustDomain;

        OfTrustDomain(TrustDomain trustDomain) {
            this.trustDomain = trustDomain;
        }

        @Override
        public @Nullable JwkSet current(Instant now) {
            var known = bundles;
            var unheardSince = interruptedAt;
            if (known == null || (unheardSince != null && now.isAfter(unheardSince.plus(MAX_UNHEARD)))) {
                return null;
            }
            return known.getOrDefault(trustDomain, NO_KEYS);
        }

        /** There is nothing to ask: the agent says by itself what there is. */
        @Override
        public Refresh refresh(@Nullable String kid, Instant now) {
            return current(now) == null ? Refresh.Done.UNAVAILABLE : Refresh.Done.FRESH;
        }

        private JwtBundles bundles() {
            return JwtBundles.this;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof OfTrustDomain source
                    && source.bundles() == bundles()
                    && source.trustDomain.equals(trustDomain);
        }

        @Override
        public int hashCode() {
            return trustDomain.hashCode();
        }
    }
}
