// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.api;

import io.sallyport.identity.KeyPairCheck;
import io.sallyport.workload.svid.CurrentIdentity;
import io.sallyport.workload.svid.SvidSource;
import io.sallyport.workload.svid.WorkloadIdentity;
import io.spiffe.bundle.x509bundle.X509Bundle;
import io.spiffe.exception.X509BundleException;
import io.spiffe.exception.X509SvidException;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import io.spiffe.svid.x509svid.X509Svid;
import io.spiffe.workloadapi.grpc.Workload;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gateway's identity from the {@code FetchX509SVID} stream of the Workload API. While the agent is away the last one stays,
 * until it expires; a message without SVIDs, or a refusal that is repeated, withdraws it (Workload API section 5.2.1).
 */
public final class WorkloadApiSvidSource implements SvidSource {
    private static final Logger log = LoggerFactory.getLogger(WorkloadApiSvidSource.class);

    private final CurrentIdentity identity;
    private final WorkloadApiStream<Workload.X509SVIDResponse> stream;

    private WorkloadApiSvidSource(URI socket, InstantSource clock) {
        this.identity = new CurrentIdentity(clock);
        this.stream = WorkloadApiStream.open(
                socket,
                "X509-SVIDs",
                (api, observer) -> api.fetchX509SVID(Workload.X509SVIDRequest.getDefaultInstance(), observer),
                new Listener());
    }

    /** Starts asking, and returns without waiting for an answer. */
    public static WorkloadApiSvidSource connect(URI socket, InstantSource clock) {
        return new WorkloadApiSvidSource(socket, clock);
    }

    private final class Listener implements WorkloadApiStream.Listener<Workload.X509SVIDResponse> {
        @Override
        public boolean received(Workload.X509SVIDResponse message) throws GeneralSecurityException {
            if (message.getSvidsCount() == 0) {
                withdraw("a message without SVIDs");
                return false;
            }
            publish(message);
            return true;
        }

        @Override
        public void denied() {
            withdraw("PERMISSION_DENIED");
        }
    }

    private void publish(Workload.X509SVIDResponse message) throws GeneralSecurityException {
        try {
            // Section 5.3: the first is the default identity.
            var first = message.getSvids(0);
            var svid = X509Svid.parseRaw(
                    first.getX509Svid().toByteArray(), first.getX509SvidKey().toByteArray());
            if (!svid.getSpiffeId().equals(SpiffeId.parse(first.getSpiffeId()))) {
                throw new GeneralSecurityException("the SVID is not of %s".formatted(first.getSpiffeId()));
            }
            if (!KeyPairCheck.belongTogether(
                    svid.getPrivateKey(), svid.getLeaf().getPublicKey())) {
                throw new GeneralSecurityException("the key is not that of the SVID");
            }
            identity.replace(svid.getSpiffeId(), svid.getChain(), svid.getPrivateKey(), bundlesOf(message));
        } catch (X509SvidException | X509BundleException e) {
            throw new GeneralSecurityException(e.getMessage(), e);
        }
    }

    private static Map<TrustDomain, Set<X509Certificate>> bundlesOf(Workload.X509SVIDResponse message)
            throws X509BundleException {
        var bundles = new HashMap<TrustDomain, Set<X509Certificate>>();
        for (var federated : message.getFederatedBundlesMap().entrySet()) {
            var trustDomain = TrustDomain.parse(federated.getKey());
            var der = federated.getValue();
            // Empty is what is left of a bundle whose authorities are all withdrawn: nobody is trusted then.
            bundles.put(trustDomain, der.isEmpty() ? Set.of() : authorities(trustDomain, der.toByteArray()));
        }
        // Last: what the agent says of its own trust domain is not replaced by what federation says of it.
        for (var svid : message.getSvidsList()) {
            var trustDomain = SpiffeId.parse(svid.getSpiffeId()).getTrustDomain();
            bundles.put(trustDomain, authorities(trustDomain, svid.getBundle().toByteArray()));
        }
        return bundles;
    }

    private static Set<X509Certificate> authorities(TrustDomain trustDomain, byte[] der) throws X509BundleException {
        return X509Bundle.parse(trustDomain, der).getX509Authorities();
    }

    private void withdraw(String why) {
        if (identity.get() != null) {
            log.atWarn().addKeyValue("cause", why).log("the Workload API withdrew the gateway's identity");
        }
        identity.withdraw();
    }

    @Override
    public @Nullable WorkloadIdentity current() {
        return identity.get();
    }

    @Override
    public @Nullable Instant receivedAt() {
        return identity.receivedAt();
    }

    @Override
    public void onUpdate(Consumer<@Nullable WorkloadIdentity> listener) {
        identity.onUpdate(listener);
    }

    @Override
    public void close() {
        stream.close();
    }
}
