// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.authenticate.issuer.JwkSetSourceFactory;
import io.sallyport.authenticate.issuer.JwksConfig;
import io.sallyport.authenticate.issuer.TenantKeys;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.config.Findings;
import io.sallyport.outbound.SecretFile;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * The key sets of all issuers, over the reloads of the configuration: an issuer of whose section nothing changed that concerns its
 * keys keeps the set that it has. Safe for use by any thread.
 *
 * <p>A configuration is compiled ({@link #source}), its key sets are fetched ({@link #prefetch}), it takes effect, and what is no
 * longer needed is let go ({@link #retain}). One that is compiled and goes no further has caused no network I/O.
 */
public final class JwkSetRegistry implements JwkSetSourceFactory, AutoCloseable {
    private final CryptoProvider crypto;
    private final Scheduler scheduler;
    private final InstantSource clock;
    private final MeterRegistry meters;
    private final @Nullable KeySetDirectory directory;
    private final List<Made> made = new ArrayList<>();
    private final List<MadeForTenants> madeForTenants = new ArrayList<>();
    private final Map<String, List<Meter>> gauges = new HashMap<>();
    private volatile Map<String, RefreshingJwkSetSource> inUse = Map.of();

    /** A source and what it was made for. */
    private record Made(String issuerName, Place place, RefreshingJwkSetSource source) {}

    /** The sources of all tenants of an issuer, and what they were made for. */
    private record MadeForTenants(
            String issuerName, IssuerConfig config, List<X509Certificate> authorities, TenantKeySets keySets) {}

    /** All of an issuer's section that its keys depend on. Algorithms do not: they are looked at when a key is used. */
    private record Place(
            String issuer,
            @Nullable URI jwksUri,
            JwksConfig timing,
            List<X509Certificate> authorities,
            boolean insecurePlaintext) {

        /** All of it but the timing, in 64 hexadecimal digits: keys that came from there are not believed anywhere else. */
        String fingerprint() {
            try {
                var sha256 = MessageDigest.getInstance("SHA-256");
                sha256.update("%s\n%s\n%s\n"
                        .formatted(issuer, jwksUri, insecurePlaintext)
                        .getBytes(StandardCharsets.UTF_8));
                for (var authority : authorities) {
                    sha256.update(authority.getEncoded());
                }
                return HexFormat.of().formatHex(sha256.digest());
            } catch (NoSuchAlgorithmException | CertificateEncodingException e) {
                throw new IllegalStateException("every Java platform has SHA-256, and these were decoded", e);
            }
        }
    }

    /**
     * @param scheduler for timers, for reading key sets and for files; not an event loop
     * @param directory what keeps key sets over a restart, or null if nothing does
     */
    public JwkSetRegistry(
            CryptoProvider crypto,
            Scheduler scheduler,
            InstantSource clock,
            MeterRegistry meters,
            @Nullable KeySetDirectory directory) {
        this.crypto = crypto;
        this.scheduler = scheduler;
        this.clock = clock;
        this.meters = meters;
        this.directory = directory;
    }

    @Override
    public synchronized @Nullable JwkSetSource source(String issuerName, IssuerConfig config, Findings.Place at) {
        var authorities = IssuerAuthorities.of(config, at);
        if (authorities == null || !hasBearerToken(config, at)) {
            return null;
        }
        var place = new Place(
                config.requireIssuer(),
                config.keysAt(),
                config.jwks(),
                authorities.certificates(),
                config.insecurePlaintext());
        for (var each : made) {
            if (each.issuerName().equals(issuerName) && each.place().equals(place)) {
                return each.source();
            }
        }
        var source = new RefreshingJwkSetSource(
                issuerName,
                new HttpJwkSetEndpoint(config, authorities.tls(), clock, scheduler),
                config.jwks(),
                crypto,
                scheduler,
                clock,
                refreshCounters(issuerName),
                directory == null ? null : directory.file(issuerName, place.fingerprint(), meters));
        made.add(new Made(issuerName, place, source));
        return source;
    }

    @Override
    public synchronized @Nullable TenantKeys ofAnyTenant(String issuerName, IssuerConfig config, Findings.Place at) {
        var authorities = IssuerAuthorities.of(config, at);
        if (authorities == null || !hasBearerToken(config, at)) {
            return null;
        }
        for (var each : madeForTenants) {
            if (each.issuerName().equals(issuerName)
                    && each.config().equals(config)
                    && each.authorities().equals(authorities.certificates())) {
                return each.keySets();
            }
        }
        var counters = refreshCounters(issuerName);
        var keySets = new TenantKeySets(
                (tenant, own) -> new RefreshingJwkSetSource(
                        issuerName + "." + tenant,
                        new HttpJwkSetEndpoint(own, authorities.tls(), clock, scheduler),
                        own.jwks(),
                        crypto,
                        scheduler,
                        clock,
                        counters,
                        null),
                clock);
        madeForTenants.add(new MadeForTenants(issuerName, config, authorities.certificates(), keySets));
        return keySets;
    }

    /** Looks at the files that an issuer's section names for its keys, and adds a finding for each that cannot be used. */
    public static void checkFiles(IssuerConfig config, Findings.Place at) {
        var _ = IssuerAuthorities.of(config, at);
        var _ = hasBearerToken(config, at);
    }

    /** Whether the token is there that keys are to be fetched with, if any is. */
    private static boolean hasBearerToken(IssuerConfig config, Findings.Place at) {
        var file = config.jwks().bearerTokenFile();
        try {
            if (file != null) {
                SecretFile.read(file);
            }
            return true;
        } catch (IOException e) {
            at.child("jwks").child("bearer-token-file").reject(file, "a readable file with one line: the token");
            return false;
        }
    }

    private RefreshingJwkSetSource.RefreshListener refreshCounters(String issuerName) {
        var changed = refreshCounter(issuerName, "changed");
        var unchanged = refreshCounter(issuerName, "unchanged");
        var failed = refreshCounter(issuerName, "failed");
        return result -> {
            switch (result) {
                case CHANGED -> changed.increment();
                case UNCHANGED -> unchanged.increment();
                case FAILED -> failed.increment();
            }
        };
    }

    private Counter refreshCounter(String issuerName, String result) {
        return Counter.builder("sallyport.jwks.refresh")
                .description("Fetches of an issuer's key set, by what became of them")
                .tag("issuer", issuerName)
                .tag("result", result)
                .register(meters);
    }

    /**
     * Begins to fetch the key sets of those issuers that have none yet.
     *
     * @return completes when each has one, or has failed to get one within its time-out; never fails
     */
    public Mono<Void> prefetch(Collection<Issuer> issuers) {
        return Flux.fromIterable(sourcesOf(issuers).values())
                .flatMap(RefreshingJwkSetSource::start)
                .then();
    }

    /** Lets go of every source but those of these issuers: they take effect. */
    public synchronized void retain(Collection<Issuer> issuers) {
        var needed = sourcesOf(issuers);
        inUse = needed;
        made.removeIf(each -> {
            boolean isNeeded = needed.get(each.issuerName()) == each.source();
            if (!isNeeded) {
                each.source().stop();
            }
            return !isNeeded;
        });
        madeForTenants.removeIf(each -> {
            boolean isNeeded =
                    issuers.stream().anyMatch(issuer -> each.keySets().equals(issuer.anyTenant()));
            if (!isNeeded) {
                each.keySets().stop();
            }
            return !isNeeded;
        });
        gauges.entrySet().removeIf(each -> {
            boolean isGone = !needed.containsKey(each.getKey());
            if (isGone) {
                each.getValue().forEach(meters::remove);
            }
            return isGone;
        });
        needed.keySet().forEach(name -> gauges.computeIfAbsent(name, this::registerGauges));
    }

    private static Map<String, RefreshingJwkSetSource> sourcesOf(Collection<Issuer> issuers) {
        var sources = new HashMap<String, RefreshingJwkSetSource>();
        for (var issuer : issuers) {
            for (var each : issuer.each()) {
                if (each.keys() instanceof RefreshingJwkSetSource source) {
                    sources.put(each.keySetName(), source);
                }
            }
        }
        return Map.copyOf(sources);
    }

    private List<Meter> registerGauges(String issuerName) {
        return List.of(
                gauge("age", "seconds", "Time since the issuer last confirmed its keys", issuerName, this::ageOf),
                gauge("keys", null, "Usable keys", issuerName, source -> {
                    var keys = source.current(clock.instant());
                    return keys == null ? 0 : keys.keys().size();
                }),
                gauge(
                        "ignored.keys",
                        null,
                        "Keys of the set that cannot be used",
                        issuerName,
                        RefreshingJwkSetSource::ignoredKeys),
                gauge("stale", null, "1 while the last fetch failed", issuerName, source -> source.isStale() ? 1 : 0));
    }

    private double ageOf(RefreshingJwkSetSource source) {
        var confirmedAt = source.confirmedAt();
        return confirmedAt == null
                ? Double.NaN
                : Duration.between(confirmedAt, clock.instant()).toMillis() / 1000.0;
    }

    private Meter gauge(
            String name,
            @Nullable String unit,
            String description,
            String issuerName,
            ToDoubleFunction<RefreshingJwkSetSource> value) {
        // By name and not by source: a reload may have put another one in its place.
        return Gauge.builder("sallyport.jwks." + name, () -> {
                    var source = inUse.get(issuerName);
                    return source == null ? Double.NaN : value.applyAsDouble(source);
                })
                .baseUnit(unit)
                .description(description)
                .tag("issuer", issuerName)
                .register(meters);
    }

    /** Stops every source. */
    @Override
    public void close() {
        retain(List.of());
    }
}
