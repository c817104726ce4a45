// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.channel.Channel;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.Route;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/** The way of a route that only forwards: the request's bytes to the upstream, the answer's bytes to the client. */
public final class DirectForwarder implements Forwarder {
    private final UpstreamExchange exchange;

    public DirectForwarder(UpstreamExchange exchange) {
        this.exchange = exchange;
    }

    @Override
    public Mono<Void> forward(Permit permit, HttpServerRequest request, HttpServerResponse response) {
        permit.redeem();
        return exchange.send(
                        permit,
                        request,
                        targetOf(permit),
                        permit.context().head().headers())
                .flatMap(answer -> answer.writeTo(response, answer.status(), answer.headers()));
    }

    @Override
    public DirectForwarder direct(Route route) {
        return this;
    }

    /**
     * Sends a request that has no body, and leaves it to the caller to write the answer.
     *
     * @param client its connection
     * @param caller gets the answer, or {@link ForwardFailure}; on the connection's event loop
     */
    public void ask(Permit permit, Channel client, CoreSubscriber<? super UpstreamAnswer> caller) {
        permit.redeem();
        exchange.ask(permit, client, targetOf(permit), permit.context().head().headers(), caller);
    }

    /** Path and query in the form that was authorized. */
    private static String targetOf(Permit permit) {
        var query = permit.context().query();
        var path = permit.path().value();
        return query == null ? path : path + '?' + query;
    }
}
