// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.Route;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/** Redeems a permit: the only way from a permitted request to an answer. */
public interface Forwarder {
    /**
     * Forwards one request and writes its answer.
     *
     * @return completes when the answer is written in full; fails with {@link ForwardFailure} when it could not be had, in
     *     which case either nothing of an answer has been sent, or the connection is to be closed without completing it
     */
    Mono<Void> forward(Permit permit, HttpServerRequest request, HttpServerResponse response);

    /**
     * The way of a route whose requests go to an upstream as they are: one without a body needs no exchange of the server's. Null
     * where nothing but {@link #forward} will do.
     */
    default @Nullable DirectForwarder direct(Route route) {
        return null;
    }
}
