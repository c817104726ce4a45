// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.svid;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.spiffe.spiffeid.TrustDomain;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an alert needs to know of the gateway's own identity: {@code sallyport.svid.seconds.to.expiry}, {@code
 * sallyport.svid.rotations} and, for each trust domain, {@code sallyport.bundle.age.seconds} since its bundle was last received.
 * A gauge without a value is NaN.
 */
public final class SvidMetrics {
    private final SvidSource source;
    private final InstantSource clock;
    private final MeterRegistry meters;
    private final Counter rotations;
    private final Set<TrustDomain> known = new HashSet<>();
    private List<X509Certificate> chain = List.of();

    private SvidMetrics(SvidSource source, InstantSource clock, MeterRegistry meters) {
        this.source = source;
        this.clock = clock;
        this.meters = meters;
        this.rotations = Counter.builder("sallyport.svid.rotations")
                .description("How often the gateway's X509-SVID was replaced by another")
                .register(meters);
    }

    /** Registers them for that source, for as long as the registry lives. */
    public static void bind(SvidSource source, InstantSource clock, MeterRegistry meters) {
        var metrics = new SvidMetrics(source, clock, meters);
        Gauge.builder("sallyport.svid.seconds.to.expiry", metrics, SvidMetrics::secondsToExpiry)
                .description("How long the gateway's X509-SVID is still valid; negative once it has expired")
                .strongReference(true)
                .register(meters);
        source.onUpdate(metrics::updated);
        metrics.updated(source.current());
    }

    private synchronized void updated(@Nullable WorkloadIdentity identity) {
        if (identity == null) {
            return;
        }
        if (!chain.isEmpty() && !chain.equals(identity.chain())) {
            rotations.increment();
        }
        chain = identity.chain();
        for (var trustDomain : identity.bundles().trustDomains()) {
            if (known.add(trustDomain)) {
                Gauge.builder("sallyport.bundle.age.seconds", this, metrics -> metrics.bundleAge(trustDomain))
                        .description("How long ago the trust bundle was last received")
                        .tag("trust_domain", trustDomain.getName())
                        .strongReference(true)
                        .register(meters);
            }
        }
    }

    private double secondsToExpiry() {
        var identity = source.current();
        return identity == null ? Double.NaN : seconds(Duration.between(clock.instant(), identity.expiresAt()));
    }

    private double bundleAge(TrustDomain trustDomain) {
        var identity = source.current();
        var receivedAt = source.receivedAt();
        return identity == null
                        || receivedAt == null
                        || !identity.bundles().trustDomains().contains(trustDomain)
                ? Double.NaN
                : seconds(Duration.between(receivedAt, clock.instant()));
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }
}
