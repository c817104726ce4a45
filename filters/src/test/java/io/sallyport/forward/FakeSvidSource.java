// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.forward.TestCa.Svid;
import io.sallyport.workload.svid.CurrentIdentity;
import io.sallyport.workload.svid.SvidSource;
import io.sallyport.workload.svid.WorkloadIdentity;
import io.spiffe.spiffeid.TrustDomain;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A source that holds what a test puts into it. */
public final class FakeSvidSource implements SvidSource {
    private final CurrentIdentity identity = new CurrentIdentity(InstantSource.system());

    /** From now on that identity and those bundles. */
    public FakeSvidSource hold(Svid svid, Map<TrustDomain, Set<X509Certificate>> bundles) {
        identity.replace(svid.identity(bundles, 0).id(), svid.chain(), svid.key(), bundles);
        return this;
    }

    /** From now on none. */
    public void withdraw() {
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
    public void close() {}
}
