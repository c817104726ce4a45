// SPDX-License-Identifier: Apache-2.0
package io.sallyport.outbound;

import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.ssl.SslContext;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;

/** Makes the HTTP client of every fetch of the gateway's own. */
public final class OutboundHttp {
    private OutboundHttp() {}

    /**
     * A client that connects to no address that {@link DialGuard} refuses, follows no redirect, sends no request a second time, uses no
     * proxy, asks for no compression, and says that it is Sallyport.
     *
     * @param connections those of its own: a pooled connection was let through by the guard of the client that made it
     * @param tls whom it trusts, or null for the certificate authorities of the Java runtime
     * @param publicOnly whether addresses of private networks are refused
     * @param timeout for a connection to be made
     */
    public static HttpClient client(
            ConnectionProvider connections, @Nullable SslContext tls, boolean publicOnly, Duration timeout) {
        var guard = new DialGuard(publicOnly);
        var client = HttpClient.create(connections)
                .followRedirect(false)
                .compress(false)
                .disableRetry(true)
                .doOnChannelInit((_, channel, _) -> channel.pipeline().addFirst(guard))
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(timeout.toMillis()))
                .headers(headers -> headers.set(HttpHeaderNames.USER_AGENT, "Sallyport"));
        return tls == null ? client : client.secure(spec -> spec.sslContext(tls));
    }
}
