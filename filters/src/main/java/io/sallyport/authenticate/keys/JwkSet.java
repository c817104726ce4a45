// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import io.sallyport.authenticate.jose.SignatureAlgorithm;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The usable keys of one issuer at one moment; immutable. A key is found by kid and algorithm alone, and one lookup finds at
 * most one key: nothing is ever tried in turn.
 */
public final class JwkSet {
    private final long revision;
    private final Instant confirmedAt;
    private final List<VerificationKey> keys;
    private final Map<String, List<VerificationKey>> byKid;

    /**
     * @param revision counts the changes of the issuer's keys, from 1
     * @param confirmedAt when the issuer last said that these are its keys
     * @param keys no two of one kid suit one algorithm
     */
    public JwkSet(long revision, Instant confirmedAt, List<VerificationKey> keys) {
        this.revision = revision;
        this.confirmedAt = confirmedAt;
        this.keys = List.copyOf(keys);
        this.byKid = byKid(this.keys);
    }

    private static Map<String, List<VerificationKey>> byKid(List<VerificationKey> keys) {
        var index = new HashMap<String, List<VerificationKey>>();
        for (var key : keys) {
            if (key.kid() != null) {
                var sameKid = index.computeIfAbsent(key.kid(), _ -> new ArrayList<>(1));
                if (sameKid.stream().anyMatch(key::overlaps)) {
                    throw new IllegalArgumentException("two keys of %s (expected: one)".formatted(key));
                }
                sameKid.add(key);
            }
        }
        return index;
    }

    /** The same keys, confirmed again. */
    public JwkSet confirmedAt(Instant now) {
        return new JwkSet(revision, now, keys);
    }

    public long revision() {
        return revision;
    }

    public Instant confirmedAt() {
        return confirmedAt;
    }

    public List<VerificationKey> keys() {
        return keys;
    }

    /**
     * The key for a token's header. A token without kid has one only where exactly one key of the set suits its algorithm
     * (OpenID Connect Core section 10.1); a key without kid serves such tokens alone.
     */
    public @Nullable VerificationKey find(@Nullable String kid, SignatureAlgorithm algorithm) {
        VerificationKey found = null;
        for (var key : kid == null ? keys : byKid.getOrDefault(kid, List.of())) {
            if (key.suits(algorithm)) {
                if (found != null) {
                    return null;
                }
                found = key;
            }
        }
        return found;
    }

    /** Whether some key has that name. */
    public boolean names(String kid) {
        return byKid.containsKey(kid);
    }

    /** Whether that very key is still among them. */
    public boolean holds(VerificationKey key) {
        return key.kid() == null
                ? keys.contains(key)
                : byKid.getOrDefault(key.kid(), List.of()).contains(key);
    }
}
