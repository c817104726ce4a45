// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.token;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** What one issuer says of tokens that only it can read. Safe for use by any thread. */
public interface OpaqueTokenSource {
    /** What it said not long ago, from memory, or null if it has to be asked. */
    @Nullable
    Introspected known(TokenDigest digest, Instant now);

    /**
     * Asks. However many ask about one token at once, the issuer is asked once.
     *
     * @param digest of the token
     * @return never fails and never completes empty; on a thread of the adapter, within the issuer's time-out
     */
    Mono<Introspected> ask(TokenDigest digest, String token);

    /** What came of asking. */
    sealed interface Introspected {
        /** The issuer says that the token may be used; whether here and now is for the same rules to say that judge a JWT's claims. */
        record Active(TokenClaims claims) implements Introspected {}

        /** Words that need no more. */
        enum Word implements Introspected {
            /** Expired, revoked, of somebody else, or never issued: the issuer does not say which. */
            INACTIVE,
            /** The issuer could not be asked, or did not answer as it must. */
            UNAVAILABLE
        }
    }
}
