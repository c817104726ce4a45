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
 * The usable keys of one issuer at one moment; immutable. Keys are found by kid and algorithm alone. Where that leaves several,
 * each may be tried, but no more than {@value #MAX_CANDIDATES}: that bounds what a forged signature costs.
 */
public final class JwkSet {
    /** How many keys one token is tried with, at most. */
    public static final int MAX_CANDIDATES = 8;

    private final long revision;
    private final Instant confirmedAt;
    private final List<VerificationKey> keys;
    private final Map<String, List<VerificationKey>> byKid;

    /**
     * @param revision counts the changes of the issuer's keys, from 1
     * @param confirmedAt when the issuer last said that these are its keys
     * @param keys in the order in which they are tried
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
                index.computeIfAbsent(key.kid(), _ -> new ArrayList<>(1)).add(key);
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

    /** The same list for as long as the issuer confirms the same keys. */
    public List<VerificationKey> keys() {
        return keys;
    }

    /**
     * The keys that a token's signature may be of, none if there is none. A token without kid may be of each key of its algorithm; a
     * key without kid serves such tokens alone.
     */
    public List<VerificationKey> find(@Nullable String kid, SignatureAlgorithm algorithm) {
        var found = new ArrayList<VerificationKey>(1);
        for (var key : kid == null ? keys : byKid.getOrDefault(kid, List.of())) {
            if (key.suits(algorithm) && found.size() < MAX_CANDIDATES) {
                found.add(key);
            }
        }
        return found;
    }

    /** Whether that very key is still among them. */
    public boolean holds(VerificationKey key) {
        return key.kid() == null
                ? keys.contains(key)
                : byKid.getOrDefault(key.kid(), List.of()).contains(key);
    }
}
