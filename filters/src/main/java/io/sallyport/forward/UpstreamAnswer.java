// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.channel.AbortedException;
import reactor.netty.http.client.HttpClientResponse;
import reactor.netty.http.server.HttpServerResponse;

/**
 * The head of an upstream's answer, its body still to come. Whoever has it writes it or discards it, once; a connection is
 * held until then. On the request's event loop.
 */
public final class UpstreamAnswer {
    private final UpstreamExchange.Attempt attempt;
    private final HttpClientResponse response;
    private final Connection connection;
    private HttpHeaders trailers = EmptyHttpHeaders.INSTANCE;
    private boolean bodyReceived;

    UpstreamAnswer(UpstreamExchange.Attempt attempt, HttpClientResponse response, Connection connection) {
        this.attempt = attempt;
        this.response = response;
        this.connection = connection;
    }

    public HttpResponseStatus status() {
        return response.status();
    }

    /** As received. */
    public HttpHeaders headers() {
        return response.responseHeaders();
    }

    /**
     * Writes the answer.
     *
     * @param status as filters have left it
     * @param head as filters have left it; the last edit follows
     * @return completes when all of it has been written; fails with {@link ForwardFailure} if the upstream broke off, and
     *     otherwise if the client did
     */
    public Mono<Void> writeTo(HttpServerResponse client, HttpResponseStatus status, HttpHeaders head) {
        var permit = attempt.permit();
        client.status(status);
        var bodiless = isBodiless(status);
        ResponseHeaders.write(permit, head, contentLength(status), client.responseHeaders());
        if (bodiless) {
            return writeHeadAlone(client);
        }
        if (acceptsTrailers(
                permit.context().head().isHttp2(), permit.context().head().headers())) {
            response.trailerHeaders().subscribe(received -> trailers = received);
            client.trailerHeaders(out -> ResponseHeaders.writeTrailers(trailers, out));
        }
        return client.send(body()).then().then(Mono.defer(this::end));
    }

    private Flux<ByteBuf> body() {
        return connection
                .inbound()
                .receive()
                .retain()
                .onErrorMap(attempt::failed)
                .concatWith(Mono.defer(this::requireEnd));
    }

    // The HTTP client may also end a body when it gives up on the request's.
    private Mono<ByteBuf> requireEnd() {
        if (!attempt.turn().isAnswerComplete()) {
            return Mono.error(attempt.brokenOff());
        }
        bodyReceived = true;
        attempt.answered(status().code());
        return Mono.empty();
    }

    // The HTTP server also completes a write whose connection was closed.
    private Mono<Void> end() {
        return bodyReceived ? Mono.empty() : Mono.error(new AbortedException("the client went away"));
    }

    private Mono<Void> writeHeadAlone(HttpServerResponse client) {
        if (!isBodiless(status())) {
            // A filter made it one without a body.
            discard();
        }
        attempt.answered(status().code());
        return client.send();
    }

    private boolean isBodiless(HttpResponseStatus status) {
        return attempt.permit().context().head().method().equals(HttpMethod.HEAD)
                || status.code() == HttpResponseStatus.NO_CONTENT.code()
                || status.code() == HttpResponseStatus.RESET_CONTENT.code()
                || status.code() == HttpResponseStatus.NOT_MODIFIED.code();
    }

    // RFC 9110 section 8.6: none in a 204, and a 205 has no content.
    private @Nullable String contentLength(HttpResponseStatus status) {
        return status.code() == HttpResponseStatus.NO_CONTENT.code()
                        || status.code() == HttpResponseStatus.RESET_CONTENT.code()
                ? null
                : headers().get(HttpHeaderNames.CONTENT_LENGTH);
    }

    // RFC 9110 section 6.5.1: to a client that did not ask for trailer fields they may be dropped.
    private static boolean acceptsTrailers(boolean http2, HttpHeaders request) {
        return http2 || request.containsValue(HttpHeaderNames.TE, HttpHeaderValues.TRAILERS, true);
    }

    /** Gives the answer up: closes its connection unless all of it has arrived already. */
    public void discard() {
        connection.dispose();
    }
}
