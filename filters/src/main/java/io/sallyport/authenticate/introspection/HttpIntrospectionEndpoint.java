// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.introspection;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.ssl.SslContext;
import io.sallyport.authenticate.issuer.IntrospectionConfig;
import io.sallyport.authenticate.token.IntrospectionResponse;
import io.sallyport.outbound.OutboundHttp;
import io.sallyport.outbound.SecretFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.netty.ByteBufMono;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;
import reactor.netty.resources.ConnectionProvider;

/**
 * Introspection over HTTPS (RFC 7662 section 2.1), as a client with a secret. Follows no redirect, sends no token a second time,
 * asks for no compression and takes none.
 */
final class HttpIntrospectionEndpoint implements IntrospectionEndpoint {
    private final IntrospectionConfig config;
    private final Scheduler scheduler;
    private final ConnectionProvider connections;
    private final HttpClient client;

    /**
     * @param tls what the operator's own certificate authorities vouch for, or null for those of the Java runtime
     * @param publicOnly whether addresses of private networks are refused
     * @param scheduler for reading the secret; not an event loop
     */
    HttpIntrospectionEndpoint(
            String issuerName,
            IntrospectionConfig config,
            @Nullable SslContext tls,
            boolean publicOnly,
            Scheduler scheduler) {
        this.config = config;
        this.scheduler = scheduler;
        this.connections = ConnectionProvider.create("introspection-" + issuerName, config.maxConcurrent());
        this.client = OutboundHttp.client(connections, tls, publicOnly, config.timeout())
                .headers(headers -> headers.set(HttpHeaderNames.ACCEPT, HttpHeaderValues.APPLICATION_JSON)
                        .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_X_WWW_FORM_URLENCODED));
    }

    @Override
    public Mono<byte[]> ask(String token) {
        return Mono.fromCallable(this::credentials)
                .subscribeOn(scheduler)
                .flatMap(credentials -> client.headers(
                                headers -> headers.set(HttpHeaderNames.AUTHORIZATION, "Basic " + credentials))
                        .post()
                        .uri(config.uri())
                        .send(ByteBufMono.fromString(
                                Mono.just("token=" + encoded(token) + "&token_type_hint=access_token")))
                        .response((response, content) -> read(response, content.asByteArray()))
                        .single());
    }

    /** RFC 6749 section 2.3.1: both are form-encoded before they become one. */
    private String credentials() throws IOException {
        var pair = encoded(config.clientId()) + ":" + encoded(SecretFile.read(config.clientSecretFile()));
        return Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private Mono<byte[]> read(HttpClientResponse response, Flux<byte[]> content) {
        var headers = response.responseHeaders();
        int status = response.status().code();
        if (status == 401) {
            return Mono.error(new UnusableResponse(
                    "%s refuses the client %s and its secret".formatted(shown(config.uri()), config.clientId())));
        }
        if (status != 200) {
            return Mono.error(
                    new UnusableResponse("%s answered %d (expected: 200)".formatted(shown(config.uri()), status)));
        }
        var type = headers.get(HttpHeaderNames.CONTENT_TYPE);
        if (type != null && !type.split(";", 2)[0].toLowerCase(Locale.ROOT).contains("json")) {
            // A signed response (RFC 9701) is for who has asked for one.
            return Mono.error(new UnusableResponse(shown(config.uri()) + " has another content type than JSON"));
        }
        var encoding = headers.get(HttpHeaderNames.CONTENT_ENCODING);
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            return Mono.error(new UnusableResponse(shown(config.uri()) + " sends compressed content, unasked"));
        }
        return content.collect(ByteArrayOutputStream::new, this::append).map(ByteArrayOutputStream::toByteArray);
    }

    private void append(ByteArrayOutputStream read, byte[] bytes) {
        if (read.size() + bytes.length > IntrospectionResponse.MAX_BYTES) {
            throw new UnusableResponse(
                    "%s is longer than %d bytes".formatted(shown(config.uri()), IntrospectionResponse.MAX_BYTES));
        }
        read.writeBytes(bytes);
    }

    private static String shown(URI uri) {
        return uri.getHost() + uri.getPath();
    }

    void close() {
        connections.disposeLater().subscribe();
    }
}
