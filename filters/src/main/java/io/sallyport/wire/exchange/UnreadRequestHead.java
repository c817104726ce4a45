// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.TlsConnection;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Stands for the head of bytes that were refused before they were a message: only the connection is known. Nothing of the bytes
 * is shown, for what a broken message means is what nobody knows.
 */
final class UnreadRequestHead implements RequestHead {
    private static final HttpMethod UNKNOWN = HttpMethod.valueOf("UNKNOWN");

    private final ConnectionFacts connection;
    private final boolean http2;

    UnreadRequestHead(ConnectionFacts connection, boolean http2) {
        this.connection = connection;
        this.http2 = http2;
    }

    @Override
    public HttpMethod method() {
        return UNKNOWN;
    }

    @Override
    public String target() {
        return "";
    }

    @Override
    public HttpHeaders headers() {
        return DefaultHttpHeadersFactory.headersFactory().newEmptyHeaders();
    }

    @Override
    public boolean isHttp2() {
        return http2;
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
