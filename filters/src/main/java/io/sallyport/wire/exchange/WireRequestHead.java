// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.TlsConnection;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** The head of a request as it came. Its headers are the request's own: who edits them edits the request. */
public record WireRequestHead(
        HttpMethod method,
        String target,
        HttpHeaders headers,
        boolean isHttp2,
        boolean isHttp10,
        ConnectionFacts connection)
        implements RequestHead {
    /** Of HTTP/1.1, or HTTP/1.0. */
    public static WireRequestHead of(HttpRequest request, ConnectionFacts connection) {
        return new WireRequestHead(
                request.method(),
                request.uri(),
                request.headers(),
                false,
                !request.protocolVersion().equals(HttpVersion.HTTP_1_1),
                connection);
    }

    /** Of HTTP/2, as its codec writes it for HTTP/1.1. */
    public static WireRequestHead ofStream(HttpRequest request, ConnectionFacts connection) {
        return new WireRequestHead(request.method(), request.uri(), request.headers(), true, false, connection);
    }

    @Override
    public InetSocketAddress peerAddress() {
        return connection.peer();
    }

    @Override
    public @Nullable TlsConnection tls() {
        return connection.tls();
    }
}
