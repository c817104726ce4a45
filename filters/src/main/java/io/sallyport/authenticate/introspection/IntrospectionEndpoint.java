// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.introspection;

import reactor.core.publisher.Mono;

/** Where one issuer answers questions about its tokens. */
@FunctionalInterface
interface IntrospectionEndpoint {
    /**
     * Asks once.
     *
     * @return the response's content, of at most {@link io.sallyport.authenticate.token.IntrospectionResponse#MAX_BYTES}; fails with an
     *     {@link UnusableResponse}, or with whatever the network has to say
     */
    Mono<byte[]> ask(String token);

    /** The endpoint answered, but not with what can be used. For the operator's log. */
    final class UnusableResponse extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UnusableResponse(String message) {
            // No stack trace: the message says it, and an endpoint may be wrong for hours.
            super(message, null, false, false);
        }
    }
}
