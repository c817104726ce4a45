// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.authenticate.keys.VerificationKey;
import io.sallyport.authenticate.token.TokenDigest;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What has been found out about tokens by arithmetic, so that no token buys it twice: that a key verified one, or that no key
 * did. The one holds for that key, the other for that very set of keys. Both are bounded; neither says that a token may be
 * used. Safe for use by any thread.
 *
 * <p>Refused tokens are kept apart: whoever sends forged ones by the million displaces other forgeries, and no good token.
 */
final class TokenMemory {
    // A token that is past its exp is still worth knowing while somebody keeps sending it.
    private static final Duration LEAST = Duration.ofMinutes(1);
    private static final Duration REFUSED_FOR = Duration.ofMinutes(10);

    private final Cache<TokenDigest, Verified> verified;
    private final Cache<TokenDigest, Forged> forged;
    private final Counter hits;
    private final Counter misses;

    /** @param issuer the exact iss, to find what is accepted of it without reading the token again */
    record Verified(String issuer, VerifiedToken token, long keepNanos) {}

    /** @param keys all those of the issuer when the signature was found to be of none that it could be of; the very list */
    record Forged(String issuer, List<VerificationKey> keys) {}

    TokenMemory(int size, MeterRegistry meters) {
        // Maintenance runs on the thread that writes: it is short, and no other pool has to exist for it.
        this.verified = Caffeine.newBuilder()
                .maximumSize(size)
                .expireAfter(Expiry.creating((TokenDigest _, Verified entry) -> Duration.ofNanos(entry.keepNanos())))
                .executor(Runnable::run)
                .build();
        this.forged = Caffeine.newBuilder()
                .maximumSize(size)
                .expireAfterWrite(REFUSED_FOR)
                .executor(Runnable::run)
                .build();
        this.hits = lookups(meters, "hit");
        this.misses = lookups(meters, "miss");
        gauge(meters, "verified", verified);
        gauge(meters, "forged", forged);
    }

    private static Counter lookups(MeterRegistry meters, String result) {
        return Counter.builder("sallyport.token.lookups")
                .description("Tokens that were looked up among those whose signature is known to be good")
                .tag("result", result)
                .register(meters);
    }

    private static void gauge(MeterRegistry meters, String kind, Cache<?, ?> cache) {
        Gauge.builder("sallyport.tokens.remembered", cache, Cache::estimatedSize)
                .description("Tokens whose signature was verified, or found to be forged, and is remembered")
                .tag("kind", kind)
                .strongReference(true)
                .register(meters);
    }

    @Nullable
    Verified verified(TokenDigest digest) {
        var entry = verified.getIfPresent(digest);
        (entry == null ? misses : hits).increment();
        return entry;
    }

    @Nullable
    Forged forged(TokenDigest digest) {
        return forged.getIfPresent(digest);
    }

    /** @param now in milliseconds of the epoch, to keep it about as long as it can be used */
    void remember(TokenDigest digest, String issuer, VerifiedToken token, long now) {
        long left = token.claims().expiresAt() > now ? token.claims().expiresAt() - now : 0;
        verified.put(digest, new Verified(issuer, token, Math.max(LEAST.toNanos(), saturatedNanos(left))));
    }

    private static long saturatedNanos(long millis) {
        return millis > Long.MAX_VALUE / 1_000_000 ? Long.MAX_VALUE : millis * 1_000_000;
    }

    void rememberForged(TokenDigest digest, String issuer, List<VerificationKey> keys) {
        forged.put(digest, new Forged(issuer, keys));
    }
}
