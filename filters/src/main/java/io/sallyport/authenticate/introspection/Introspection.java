// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.introspection;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.authenticate.issuer.IntrospectionConfig;
import io.sallyport.authenticate.token.ClaimReading;
import io.sallyport.authenticate.token.IntrospectionResponse;
import io.sallyport.authenticate.token.OpaqueTokenSource;
import io.sallyport.authenticate.token.TokenClaims;
import io.sallyport.authenticate.token.TokenDigest;
import io.sallyport.pipeline.BoundedCalls;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * What one issuer says of opaque tokens: asked with a deadline, in a bulkhead, once for each token however many requests carry it,
 * and remembered for as long as its word holds. A failure is remembered by nobody: the next request asks again.
 */
final class Introspection implements OpaqueTokenSource {
    private static final Logger log = LoggerFactory.getLogger(Introspection.class);

    // A token that is not active does not become so; this long, its repetition costs the issuer nothing.
    private static final Duration INACTIVE_FOR = Duration.ofSeconds(10);
    private static final int REMEMBERED = 20_000;

    private final String issuerName;
    private final ClaimReading reading;
    private final IntrospectionConfig config;
    private final IntrospectionEndpoint endpoint;
    private final InstantSource clock;
    private final BoundedCalls calls;
    private final ConcurrentMap<TokenDigest, Mono<Introspected>> underWay = new ConcurrentHashMap<>();
    /** Apart, as forged tokens are: whoever guesses by the million displaces other guesses, and no good token. */
    private final Cache<TokenDigest, Remembered> active = bounded();

    private final Cache<TokenDigest, Remembered> inactive = bounded();
    private final Counter activeAnswers;
    private final Counter inactiveAnswers;
    private final Counter failures;
    private final AtomicBoolean failing = new AtomicBoolean();

    private record Remembered(Introspected introspected, Instant until) {}

    Introspection(
            ClaimReading reading,
            IntrospectionConfig config,
            IntrospectionEndpoint endpoint,
            Scheduler scheduler,
            InstantSource clock,
            MeterRegistry meters) {
        this.issuerName = reading.issuerName();
        this.reading = reading;
        this.config = config;
        this.endpoint = endpoint;
        this.clock = clock;
        this.calls = new BoundedCalls(issuerName, config.maxConcurrent(), config.timeout(), scheduler);
        this.activeAnswers = counter("active", meters);
        this.inactiveAnswers = counter("inactive", meters);
        this.failures = counter("failed", meters);
    }

    private static Cache<TokenDigest, Remembered> bounded() {
        return Caffeine.newBuilder()
                .maximumSize(REMEMBERED)
                .executor(Runnable::run)
                .build();
    }

    private Counter counter(String result, MeterRegistry meters) {
        return Counter.builder("sallyport.introspections")
                .description("Questions to an issuer about an opaque token, by what it said")
                .tag("issuer", issuerName)
                .tag("result", result)
                .register(meters);
    }

    @Override
    public @Nullable Introspected known(TokenDigest digest, Instant now) {
        var remembered = active.getIfPresent(digest);
        if (remembered == null) {
            remembered = inactive.getIfPresent(digest);
        }
        return remembered != null && now.isBefore(remembered.until()) ? remembered.introspected() : null;
    }

    @Override
    public Mono<Introspected> ask(TokenDigest digest, String token) {
        // Deferred to the subscription: what nobody waits for is not asked, and leaves nothing behind.
        return Mono.defer(() -> underWay.computeIfAbsent(digest, _ -> question(digest, token)));
    }

    /** Cached, and so not cancelled: who waits longer than the first of them gets the answer all the same. */
    private Mono<Introspected> question(TokenDigest digest, String token) {
        return calls.bound(Mono.defer(() -> {
                    var asked = clock.instant();
                    return endpoint.ask(token).map(response -> accept(digest, response, asked));
                }))
                .onErrorResume(error -> Mono.fromSupplier(() -> fail(error)))
                .doFinally(_ -> underWay.remove(digest))
                .cache();
    }

    private Introspected accept(TokenDigest digest, byte[] response, Instant asked) {
        var introspected = IntrospectionResponse.parse(response, reading);
        switch (introspected) {
            case null -> throw new IntrospectionEndpoint.UnusableResponse("the answer is no introspection response");
            case Introspected.Active(var claims) -> {
                activeAnswers.increment();
                active.put(digest, new Remembered(introspected, until(claims, asked)));
                inactive.invalidate(digest);
            }
            case Introspected.Word _ -> {
                inactiveAnswers.increment();
                inactive.put(digest, new Remembered(introspected, asked.plus(INACTIVE_FOR)));
                active.invalidate(digest);
            }
        }
        if (failing.compareAndSet(true, false)) {
            log.atInfo().addKeyValue("issuer", issuerName).log("the issuer answers questions about tokens again");
        }
        return introspected;
    }

    /** The issuer's word ages from when it was asked for; a claim that is no time is for the rules to refuse. */
    private Instant until(TokenClaims claims, Instant asked) {
        var most = asked.plus(config.cache());
        long expiresAt = claims.expiresAt();
        return expiresAt > asked.toEpochMilli() && expiresAt < most.toEpochMilli()
                ? Instant.ofEpochMilli(expiresAt)
                : most;
    }

    private Introspected fail(Throwable error) {
        failures.increment();
        // The first of a row is news; the others are the same news.
        (failing.compareAndSet(false, true) ? log.atWarn() : log.atDebug())
                .addKeyValue("issuer", issuerName)
                .addKeyValue(
                        "cause",
                        error instanceof IntrospectionEndpoint.UnusableResponse
                                        || error instanceof BoundedCalls.NoAnswer
                                ? error.getMessage()
                                : error.toString())
                .log("the issuer could not be asked about a token");
        return Introspected.Word.UNAVAILABLE;
    }
}
