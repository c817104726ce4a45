// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.VerificationKey;
import io.sallyport.authenticate.token.TokenClaims;
import org.jspecify.annotations.Nullable;

/**
 * A token whose signature one key of its issuer verified. Immutable.
 *
 * @param key what verified it, with {@code algorithm}
 * @param type normalized {@code typ}
 */
record VerifiedToken(
        TokenClaims claims,
        VerificationKey key,
        SignatureAlgorithm algorithm,
        @Nullable String type) {

    /** Reads the claims of a token that {@code key} has verified. */
    static VerifiedToken of(
            UnverifiedToken.Jws token, Issuer issuer, VerificationKey key, SignatureAlgorithm algorithm) {
        return new VerifiedToken(TokenClaims.of(token.claims(), issuer.reading()), key, algorithm, token.type());
    }
}
