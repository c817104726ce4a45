// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** The current key set of one issuer, from memory. Safe for use by any thread. */
public interface JwkSetSource {
    /** The last good key set, or null if there was none yet or it is older than the issuer's {@code max-stale}. */
    @Nullable
    JwkSet current(Instant now);

    /**
     * Asks for a fresher set, because the current one lacks a key. Cheap to call for every such token: at most one fetch is
     * under way, and a cool-down lies between two that tokens cause.
     *
     * @param kid what the token calls the key, or null
     * @param now when the request was received
     */
    Refresh refresh(@Nullable String kid, Instant now);

    /** Why the last attempt to have a fresh set failed, for operators; null if it did not, or if there was none. */
    default @Nullable String problem() {
        return null;
    }

    /** Whether the first attempt to have keys has ended, well or not. */
    default boolean isSettled() {
        return true;
    }

    /** What came, or will come, of asking. */
    sealed interface Refresh {
        /** An answer that stands. */
        enum Done implements Refresh {
            /** {@link #current} is as fresh as it may be asked to be: a key that it lacks is unknown. */
            FRESH,
            /** The issuer could not be asked, so a key that is missing may or may not exist. */
            UNAVAILABLE
        }

        /**
         * A fetch is under way, shared by everybody who waits for it.
         *
         * @param done never fails and never completes empty; on a thread of the fetch, within the fetch's time-out
         */
        record UnderWay(Mono<Done> done) implements Refresh {}
    }
}
