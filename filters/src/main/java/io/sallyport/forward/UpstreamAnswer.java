// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.sallyport.forward.upstream.ForwardFailure;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.netty.channel.AbortedException;
import reactor.netty.http.server.HttpServerResponse;

/**
 * The head of an upstream's answer, its body still to come. Whoever has it writes it or discards it, once; a connection is
 * held until then. On the request's event loop.
 */
public final class UpstreamAnswer {
    private final UpstreamExchange.Attempt attempt;
    private final HttpResponse head;
    private final AnswerBody body;

    UpstreamAnswer(UpstreamExchange.Attempt attempt, HttpResponse head, AnswerBody body) {
        this.attempt = attempt;
        this.head = head;
        this.body = body;
    }

    public HttpResponseStatus status() {
        return head.status();
    }

    /** As received. */
    public HttpHeaders headers() {
        return head.headers();
    }

    /**
     * Writes the answer.
     *
     * @param status as filters have left it
     * @param head as filters have left it; the last edit follows
     * @return completes when all of it has been written, or the WebSocket that it made of the connection is closed; fails with
     *     {@link ForwardFailure} if the upstream broke off, and otherwise if the client did
     */
    public Mono<Void> writeTo(HttpServerResponse client, HttpResponseStatus status, HttpHeaders head) {
        var permit = attempt.permit();
        client.status(status);
        ResponseHeaders.write(permit, head, contentLength(status), client.responseHeaders());
        var webSocket = attempt.webSocketTo(client, headers());
        if (webSocket != null) {
            return webSocket;
        }
        if (attempt.isHandshake()) {
            // The client may have sent on as if it had been agreed to.
            client.keepAlive(false);
        }
        if (isBodiless(status)) {
            // Of the upstream's there may be one all the same, where a filter made it a status without.
            attempt.settle();
            discard();
            return client.send();
        }
        if (body.isComplete() && body.trailers().isEmpty()) {
            return client.sendObject(body.takeWhole(client.alloc())).then();
        }
        if (acceptsTrailers(
                permit.context().head().isHttp2(), permit.context().head().headers())) {
            client.trailerHeaders(out -> ResponseHeaders.writeTrailers(body.trailers(), out));
        }
        return client.send(body).then().then(Mono.defer(this::end));
    }

    /**
     * Writes the answer as it is to a connection of HTTP/1.1, where it is the next: in one message if all of it has come, and else
     * part by part at the client's pace. Without trailer fields.
     *
     * @param last whether the connection ends with it, which is the caller's to do
     * @param written done when all of it is; fails with {@link ForwardFailure} if the upstream broke off, and otherwise if
     *     the client did
     * @return to be told when the client takes more; null if all of it has been written already
     */
    @SuppressWarnings("FutureReturnValueIgnored") // the last write tells
    public @Nullable AnswerWriter writeTo(ChannelHandlerContext client, boolean last, ChannelPromise written) {
        var status = status();
        var bodiless = isBodiless(status);
        var length = contentLength(status);
        // The upstream's fields have been checked by its codec, and ours need not be.
        var out =
                DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
        ResponseHeaders.write(attempt.permit(), headers(), length, out);
        if (last) {
            out.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
        if (bodiless) {
            attempt.settle();
            discard();
        } else if (!body.isComplete()) {
            if (length == null) {
                out.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
            }
            client.write(new DefaultHttpResponse(HttpVersion.HTTP_1_1, status, out), client.voidPromise());
            return AnswerWriter.begin(body, client, written);
        }
        var whole = bodiless ? Unpooled.EMPTY_BUFFER : body.takeWhole(client.alloc());
        if (length == null && !bodiless) {
            out.set(HttpHeaderNames.CONTENT_LENGTH, Integer.toString(whole.readableBytes()));
        }
        client.writeAndFlush(
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, whole, out, EmptyHttpHeaders.INSTANCE),
                written);
        return null;
    }

    // The HTTP server also completes a write whose connection was closed.
    private Mono<Void> end() {
        return body.isTaken() ? Mono.empty() : Mono.error(new AbortedException("the client went away"));
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
        attempt.cancel();
    }
}
