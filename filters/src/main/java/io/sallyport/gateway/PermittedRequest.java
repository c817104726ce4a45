// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import io.sallyport.forward.ClientExchange;
import io.sallyport.forward.RequestHeaders;
import io.sallyport.pipeline.Permit;
import java.net.InetSocketAddress;
import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.HttpCookie;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.AbstractServerHttpRequest;
import org.springframework.http.server.reactive.SslInfo;
import org.springframework.http.support.Netty4HeadersAdapter;
import org.springframework.util.LinkedMultiValueMap;
import org.springframework.util.MultiValueMap;
import reactor.core.publisher.Flux;

/**
 * A request as filters see it: what was permitted, under the address of its upstream. No second reading of path, query or
 * forwarded headers takes place. Its body is not for filters: it goes past them.
 */
final class PermittedRequest extends AbstractServerHttpRequest {
    private final Permit permit;
    private final ClientExchange client;

    PermittedRequest(Permit permit, ClientExchange client, URI uri) {
        super(
                HttpMethod.valueOf(permit.context().head().method().name()),
                uri,
                null,
                new HttpHeaders(new Netty4HeadersAdapter(RequestHeaders.admitted(permit))));
        this.permit = permit;
        this.client = client;
    }

    @Override
    protected String initId() {
        return permit.requestId().toString();
    }

    @Override
    public @Nullable InetSocketAddress getRemoteAddress() {
        var client = permit.context().client();
        return client == null ? null : new InetSocketAddress(client.address(), 0);
    }

    @Override
    protected MultiValueMap<String, HttpCookie> initCookies() {
        return new LinkedMultiValueMap<>();
    }

    @Override
    protected @Nullable SslInfo initSslInfo() {
        return null;
    }

    @Override
    public Flux<DataBuffer> getBody() {
        return Flux.error(new IllegalStateException("the body is not for filters"));
    }

    @Override
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // the signature is Spring's
    public <T> T getNativeRequest() {
        return (T) client;
    }
}
