// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** Where one issuer publishes its keys. */
@FunctionalInterface
interface JwkSetEndpoint {
    /**
     * Asks once.
     *
     * @param etag of the document that we have, or null
     * @return fails with an {@link UnusableAnswer}, or with whatever the network has to say
     */
    Mono<Answer> fetch(@Nullable String etag);

    /** What an endpoint answers when it answers as it must. */
    sealed interface Answer {
        /** How long it says that this may be kept, or null if it says nothing. */
        @Nullable
        Duration maxAge();
    }

    /** The document that we have is the current one. */
    record Unchanged(@Nullable Duration maxAge) implements Answer {}

    /** A document, within the limits of length and not yet read. */
    final class Document implements Answer {
        private final byte[] content;
        private final @Nullable String etag;
        private final @Nullable Duration maxAge;

        Document(byte[] content, @Nullable String etag, @Nullable Duration maxAge) {
            this.content = content;
            this.etag = etag;
            this.maxAge = maxAge;
        }

        byte[] content() {
            return content;
        }

        @Nullable
        String etag() {
            return etag;
        }

        @Override
        public @Nullable Duration maxAge() {
            return maxAge;
        }
    }

    /** The endpoint answered, but not with what can be used. For the operator's log. */
    final class UnusableAnswer extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UnusableAnswer(String message) {
            // No stack trace: the message says it, and an endpoint may be wrong for hours.
            super(message, null, false, false);
        }
    }
}
