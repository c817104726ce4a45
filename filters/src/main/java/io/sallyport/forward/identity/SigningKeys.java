// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.files.FileWatch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys of section {@code signing}, read again when their files change. Safe for use by any thread.
 *
 * <p>Rotation overlaps. A key that comes first while the process runs is published at once and signs after {@link #AHEAD}, which is
 * how long upstreams may cache the key set. A key that is gone from the files stays published for {@link #BEHIND}. Files that
 * cannot be used change nothing.
 */
public final class SigningKeys implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SigningKeys.class);

    /** How long a new key is published before it signs; also the {@code max-age} of the key set. */
    public static final Duration AHEAD = Duration.ofMinutes(5);

    /** How long a key that is gone stays published. */
    static final Duration BEHIND = Duration.ofHours(2);

    private final List<Path> files;
    private final @Nullable Provider crypto;
    private final InstantSource clock;
    private final FileWatch watch;
    private volatile State state;

    /**
     * What the files have said so far.
     *
     * @param signing what signs until {@code next} does
     * @param next what signs from {@code nextFrom} on; the same if nothing changes
     * @param published by {@code kid}, each with the time until which it is
     * @param json the key set of these
     */
    private record State(
            SigningKey signing, SigningKey next, Instant nextFrom, Map<String, Published> published, String json) {}

    private record Published(SigningKey key, Instant until) {}

    private SigningKeys(List<Path> files, @Nullable Provider crypto, InstantSource clock, Duration interval)
            throws IOException, GeneralSecurityException {
        this.files = List.copyOf(files);
        this.crypto = crypto;
        this.clock = clock;
        // Before they are read, so that no change is missed.
        this.watch = new FileWatch("sallyport-signing-keys", files, clock, interval);
        var keys = read(files, crypto);
        var published = new LinkedHashMap<String, Published>();
        for (var key : keys) {
            published.put(key.id(), new Published(key, Instant.MAX));
        }
        this.state = new State(keys.getFirst(), keys.getFirst(), Instant.MIN, published, json(published));
    }

    /**
     * Reads the files and follows them.
     *
     * @param crypto does the arithmetic; null for the JDK's own
     * @throws InvalidSetting if one cannot be used
     */
    public static SigningKeys open(SigningConfig config, @Nullable Provider crypto, InstantSource clock) {
        return open(config.keys(), crypto, clock, Duration.ofSeconds(1));
    }

    static SigningKeys open(List<Path> files, @Nullable Provider crypto, InstantSource clock, Duration interval) {
        try {
            var keys = new SigningKeys(files, crypto, clock, interval);
            keys.watch.start(_ -> keys.readAgain());
            return keys;
        } catch (IOException | GeneralSecurityException e) {
            throw new InvalidSetting("keys", files, "PEM files with private keys of P-256: " + e.getMessage());
        }
    }

    /** Adds a finding for each file that cannot be used. */
    public static void check(SigningConfig config, Findings.Place at) {
        for (int i = 0; i < config.keys().size(); i++) {
            try {
                var _ = SigningKey.read(config.keys().get(i), null);
            } catch (IOException | GeneralSecurityException e) {
                at.child("keys")
                        .element(i)
                        .reject(config.keys().get(i), "a PEM file with a private key of P-256: " + e.getMessage());
            }
        }
    }

    private static List<SigningKey> read(List<Path> files, @Nullable Provider crypto)
            throws IOException, GeneralSecurityException {
        var keys = new ArrayList<SigningKey>();
        for (var file : files) {
            keys.add(SigningKey.read(file, crypto));
        }
        return keys;
    }

    private void readAgain() throws IOException {
        try {
            replace(read(files, crypto), clock.instant());
        } catch (IOException e) {
            complain(e);
            throw e;
        } catch (GeneralSecurityException | RuntimeException e) {
            complain(e);
        }
    }

    private void complain(Exception e) {
        log.atError()
                .addKeyValue("files", files)
                .addKeyValue("cause", e.toString())
                .log("the signing keys cannot be used; those from before stay");
    }

    /** On the thread of the watch alone. */
    private void replace(List<SigningKey> keys, Instant now) {
        var before = state;
        var published = new LinkedHashMap<String, Published>();
        for (var key : keys) {
            published.put(key.id(), new Published(key, Instant.MAX));
        }
        before.published().forEach((id, known) -> {
            var until = known.until().equals(Instant.MAX) ? now.plus(BEHIND) : known.until();
            if (now.isBefore(until)) {
                published.putIfAbsent(id, new Published(known.key(), until));
            }
        });
        var first = keys.getFirst();
        var signing = signer(before, now);
        boolean known = before.published().containsKey(first.id());
        var from = first.id().equals(signing.id()) || known ? now : now.plus(AHEAD);
        state = new State(signing, first, from, published, json(published));
        log.atInfo()
                .addKeyValue("signs", first.id())
                .addKeyValue("from", from)
                .addKeyValue("published", published.keySet())
                .log("the signing keys were replaced");
    }

    private static String json(Map<String, Published> published) {
        var keys = published.values().stream()
                .map(each -> (JWK) each.key().published())
                .toList();
        return new JWKSet(keys).toString(true);
    }

    private static SigningKey signer(State state, Instant now) {
        return now.isBefore(state.nextFrom()) ? state.signing() : state.next();
    }

    /** The key that signs at that moment. Never waits. */
    SigningKey signer(Instant now) {
        return signer(state, now);
    }

    /** The key set that upstreams verify by (RFC 7517), as JSON. */
    public byte[] json() {
        return state.json().getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        watch.close();
    }
}
