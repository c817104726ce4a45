// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import org.reactivestreams.Publisher;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.server.reactive.AbstractServerHttpResponse;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The head of an answer while filters edit it. Nothing written to it reaches a client: {@link GatewayForwarder} writes. */
final class HeldResponse extends AbstractServerHttpResponse {
    HeldResponse() {
        super(DefaultDataBufferFactory.sharedInstance);
    }

    @Override
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // the signature is Spring's
    public <T> T getNativeResponse() {
        return (T) this;
    }

    @Override
    protected Mono<Void> writeWithInternal(Publisher<? extends DataBuffer> body) {
        return Flux.from(body).then();
    }

    @Override
    protected Mono<Void> writeAndFlushWithInternal(Publisher<? extends Publisher<? extends DataBuffer>> body) {
        return Flux.from(body).flatMap(Flux::from).then();
    }

    @Override
    protected void applyStatusCode() {
        // Read by the forwarder.
    }

    @Override
    protected void applyHeaders() {
        // Read by the forwarder.
    }

    @Override
    protected void applyCookies() {
        // An upstream's cookies are header fields here.
    }
}
