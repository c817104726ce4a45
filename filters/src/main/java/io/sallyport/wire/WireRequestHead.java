// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.TlsConnection;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import reactor.netty.http.server.HttpServerRequest;

/** The head of a request as it came. Its headers are the request's own: who edits them edits the request. */
record WireRequestHead(
        HttpMethod method, String target, HttpHeaders headers, boolean isHttp2, ConnectionFacts connection)
        implements RequestHead {
    private static final String HTTP_2 = "HTTP/2.0";

    static WireRequestHead of(HttpServerRequest request, ConnectionFacts connection) {
        return new WireRequestHead(
                request.method(),
                request.uri(),
                request.requestHeaders(),
                request.protocol().equals(HTTP_2),
                connection);
    }

    /** @param request one of HTTP/1.1 */
    static WireRequestHead of(HttpRequest request, ConnectionFacts connection) {
        return new WireRequestHead(request.method(), request.uri(), request.headers(), false, connection);
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
