// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.pipeline.Permit;
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
}
