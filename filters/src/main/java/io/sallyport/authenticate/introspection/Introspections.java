// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.introspection;

import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.authenticate.issuer.IntrospectionConfig;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.authenticate.issuer.OpaqueTokenSourceFactory;
import io.sallyport.authenticate.jwks.IssuerAuthorities;
import io.sallyport.authenticate.token.ClaimReading;
import io.sallyport.authenticate.token.OpaqueTokenSource;
import io.sallyport.config.Findings;
import io.sallyport.outbound.SecretFile;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.core.scheduler.Scheduler;

/**
 * Whom to ask about opaque tokens, over the reloads of the configuration: an issuer of whose section nothing changed that concerns
 * its introspection keeps what it has said. Safe for use by any thread.
 */
public final class Introspections implements OpaqueTokenSourceFactory, AutoCloseable {
    private final Scheduler scheduler;
    private final InstantSource clock;
    private final MeterRegistry meters;
    private final List<Made> made = new ArrayList<>();

    /** A source and what it was made for. */
    private record Made(Place place, Introspection source, HttpIntrospectionEndpoint endpoint) {}

    /** All of an issuer's section that its introspection depends on. */
    private record Place(
            ClaimReading reading, IntrospectionConfig config, List<X509Certificate> authorities, boolean publicOnly) {}

    /** @param scheduler for timers and for reading secrets; not an event loop */
    public Introspections(Scheduler scheduler, InstantSource clock, MeterRegistry meters) {
        this.scheduler = scheduler;
        this.clock = clock;
        this.meters = meters;
    }

    @Override
    public synchronized @Nullable OpaqueTokenSource source(String issuerName, IssuerConfig config, Findings.Place at) {
        var introspection = config.requireIntrospection();
        var authorities = IssuerAuthorities.of(config, at);
        if (authorities == null) {
            return null;
        }
        if (!hasSecret(introspection, at)) {
            return null;
        }
        var place = new Place(
                config.reading(issuerName),
                introspection,
                authorities.certificates(),
                config.jwks().publicOnly());
        for (var each : made) {
            if (each.place().equals(place)) {
                return each.source();
            }
        }
        var endpoint = new HttpIntrospectionEndpoint(
                issuerName, introspection, authorities.tls(), place.publicOnly(), scheduler);
        var source = new Introspection(place.reading(), introspection, endpoint, scheduler, clock, meters);
        made.add(new Made(place, source, endpoint));
        return source;
    }

    /** Looks at the file that an issuer's section names for its introspection, and adds a finding if it cannot be used. */
    public static void checkFiles(IssuerConfig config, Findings.Place at) {
        if (config.introspection() != null) {
            var _ = hasSecret(config.requireIntrospection(), at);
        }
    }

    private static boolean hasSecret(IntrospectionConfig introspection, Findings.Place at) {
        try {
            SecretFile.read(introspection.clientSecretFile());
            return true;
        } catch (IOException e) {
            at.child("introspection")
                    .child("client-secret-file")
                    .reject(introspection.clientSecretFile(), "a readable file with one line: the client's secret");
            return false;
        }
    }

    /** Lets go of every source but those of these issuers: they take effect. */
    public synchronized void retain(Collection<Issuer> issuers) {
        made.removeIf(each -> {
            boolean isNeeded = issuers.stream().anyMatch(issuer -> issuer.opaqueTokens() == each.source());
            if (!isNeeded) {
                each.endpoint().close();
            }
            return !isNeeded;
        });
    }

    /** Lets go of all. */
    @Override
    public void close() {
        retain(List.of());
    }
}
