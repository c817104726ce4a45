// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** The head of a request as it came over the wire. One adapter per transport; stages see nothing else of it. */
public interface RequestHead {
    HttpMethod method();

    /** The request target exactly as received (RFC 9112 section 3.2), or {@code :path} of HTTP/2. */
    String target();

    /** The live header fields: what {@code edge} removes here is removed for everybody after it. */
    HttpHeaders headers();

    boolean isHttp2();

    /** Whether the request is of HTTP/1.0, which knows neither interim responses nor other protocols. */
    default boolean isHttp10() {
        return false;
    }

    /** The transport peer, before any {@code X-Forwarded-For} is read. */
    InetSocketAddress peerAddress();

    /** The TLS connection that the request came over, or null if it came in plaintext. */
    @Nullable
    TlsConnection tls();
}
