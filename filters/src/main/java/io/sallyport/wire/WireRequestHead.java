// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.TlsConnection;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import reactor.netty.http.server.HttpServerRequest;

/** The head of a request of Reactor Netty's server. Its headers are the request's own: who edits them edits the request. */
final class WireRequestHead implements RequestHead {
    private static final String HTTP_2 = "HTTP/2.0";

    private final HttpServerRequest request;
    private final ConnectionFacts connection;

    WireRequestHead(HttpServerRequest request, ConnectionFacts connection) {
        this.request = request;
        this.connection = connection;
    }

    @Override
    public HttpMethod method() {
        return request.method();
    }

    @Override
    public String target() {
        return request.uri();
    }

    @Override
    public HttpHeaders headers() {
        return request.requestHeaders();
    }

    @Override
    public boolean isHttp2() {
        return request.protocol().equals(HTTP_2);
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
