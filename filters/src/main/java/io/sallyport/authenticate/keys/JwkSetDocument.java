// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import io.sallyport.authenticate.jose.StrictJson;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A JWK Set (RFC 7517 section 5) as an issuer publishes it, sorted into keys that can be used and keys that cannot. An odd key
 * costs that key alone: the others serve.
 *
 * @param keys what {@link JwkSet} can be made of
 * @param ignored in the order of the document
 */
public record JwkSetDocument(List<VerificationKey> keys, List<Ignored> ignored) {
    /** Of one document. */
    public static final int MAX_BYTES = 256 * 1024;

    /** What comes after these many usable keys is ignored: odd ones cost no good one its place. */
    static final int MAX_KEYS = 100;

    private static final String SIGNATURES = "sig";

    public JwkSetDocument {
        keys = List.copyOf(keys);
        ignored = List.copyOf(ignored);
    }

    /**
     * A key that is not used.
     *
     * @param position in the document, from 0
     * @param kid if it has one that is a string
     */
    public record Ignored(int position, @Nullable String kid, Cause cause) {}

    /** Why a key is not used. */
    public enum Cause {
        /** Not an object, or a member is missing, of the wrong type, or not canonical base64url. */
        MALFORMED,
        /** A kty or curve that no asymmetric signature algorithm of ours has; symmetric keys among them. */
        TYPE_UNSUPPORTED,
        /** Its use is not sig, or its key_ops lack verify. */
        NOT_FOR_SIGNATURES,
        /** Its alg is none of ours, or not one for this type of key. */
        ALGORITHM_UNSUPPORTED,
        /** It comes with its private part: whoever reads it can sign. */
        PRIVATE_PART_PUBLISHED,
        /** RSA of fewer than 2048 or more than 8192 bits, or with an exponent that is not odd and from 3 to 2^32. */
        WEAK,
        /** RSA from a generator whose keys can be factored (ROCA, CVE-2017-15361). */
        FACTORABLE,
        /** Not a point of its curve, or one of small order. */
        NOT_ON_CURVE,
        /** The very same key is there before it. */
        DUPLICATE,
        /** There are more keys than are read. */
        TOO_MANY;

        /** For logs: {@code not_on_curve}. */
        public String code() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Reads a document of at most {@link #MAX_BYTES}.
     *
     * @param known the keys of the last set; one that is there again is the same object again
     * @return null if it is not a JSON object with an array {@code keys}, read as strictly as a token
     */
    public static @Nullable JwkSetDocument parse(
            byte[] utf8, Collection<VerificationKey> known, CryptoProvider crypto) {
        return parse(utf8, Set.of(SIGNATURES), known, crypto);
    }

    /** The same of a trust domain's JWT bundle, where the use of a key may also be what a SPIFFE bundle says (JWT-SVID section 6). */
    public static @Nullable JwkSetDocument parseBundle(
            byte[] utf8, Collection<VerificationKey> known, CryptoProvider crypto) {
        return parse(utf8, Set.of(SIGNATURES, "jwt-svid"), known, crypto);
    }

    private static @Nullable JwkSetDocument parse(
            byte[] utf8, Set<String> uses, Collection<VerificationKey> known, CryptoProvider crypto) {
        var document = StrictJson.parseObject(utf8);
        if (document == null || !(document.get("keys") instanceof List<?> elements)) {
            return null;
        }
        var keys = new ArrayList<VerificationKey>();
        var ignored = new ArrayList<Ignored>();
        for (int i = 0; i < elements.size(); i++) {
            var element = elements.get(i);
            var kid = element instanceof Map<?, ?> jwk && jwk.get("kid") instanceof String name ? name : null;
            var read = keys.size() < MAX_KEYS
                    ? JwkReader.read(element, uses, crypto)
                    : new JwkReader.Unusable(Cause.TOO_MANY);
            switch (read) {
                case JwkReader.Unusable(var cause) -> ignored.add(new Ignored(i, kid, cause));
                case JwkReader.Usable(var key) -> {
                    if (keys.contains(key)) {
                        ignored.add(new Ignored(i, kid, Cause.DUPLICATE));
                    } else {
                        keys.add(known.stream().filter(key::equals).findFirst().orElse(key));
                    }
                }
            }
        }
        return new JwkSetDocument(keys, ignored);
    }
}
