// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.ssl.SslContext;
import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.authenticate.keys.JwkSetDocument;
import io.sallyport.outbound.OutboundHttp;
import io.sallyport.outbound.SecretFile;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;
import reactor.netty.resources.ConnectionProvider;

/**
 * A JWK Set over HTTPS, at a URL that the operator wrote or that OpenID Connect discovery names. Follows no redirect, asks for no
 * compression and takes none, reads at most {@link JwkSetDocument#MAX_BYTES}. Each fetch has a connection of its own: one in
 * minutes is not worth a pool.
 */
final class HttpJwkSetEndpoint implements JwkSetEndpoint {
    private static final Pattern MAX_AGE = Pattern.compile("(?:^|[ ,])max-age=([0-9]{1,9})(?:[ ,]|$)");
    // Discovery names another URL about once in the life of an issuer; asking each time would double the traffic.
    private static final Duration DISCOVERED_FOR = Duration.ofHours(1);

    private final IssuerConfig config;
    private final HttpClient client;
    private final InstantSource clock;
    private final Scheduler scheduler;
    private volatile @Nullable Discovered discovered;
    /** Where the last document came from: its ETag means nothing anywhere else. */
    private volatile @Nullable URI documentOf;

    private record Discovered(URI jwksUri, Instant at) {}

    /**
     * @param tls what the operator's own certificate authorities vouch for, or null for those of the Java runtime
     * @param scheduler for reading the bearer token; not an event loop
     */
    HttpJwkSetEndpoint(IssuerConfig config, @Nullable SslContext tls, InstantSource clock, Scheduler scheduler) {
        this.config = config;
        this.clock = clock;
        this.scheduler = scheduler;
        this.client = OutboundHttp.client(
                        ConnectionProvider.newConnection(),
                        tls,
                        config.jwks().publicOnly(),
                        config.jwks().timeout())
                .headers(headers -> headers.set(HttpHeaderNames.ACCEPT, "application/json, application/jwk-set+json"));
    }

    @Override
    public Mono<Answer> fetch(@Nullable String etag) {
        // Wherever a fault lies, or whatever took too long: the next attempt asks again where the keys are.
        return jwksUri()
                .flatMap(uri -> get(uri, uri.equals(documentOf) ? etag : null).doOnNext(_ -> documentOf = uri))
                .doOnError(_ -> discovered = null)
                .doOnCancel(() -> discovered = null);
    }

    private Mono<URI> jwksUri() {
        var written = config.keysAt();
        if (written != null) {
            return Mono.just(written);
        }
        var known = discovered;
        if (known != null && clock.instant().isBefore(known.at().plus(DISCOVERED_FOR))) {
            return Mono.just(known.jwksUri());
        }
        return get(DiscoveryDocument.location(config.requireIssuer()), null)
                .map(answer -> DiscoveryDocument.jwksUri(((Document) answer).content(), config))
                .doOnNext(uri -> discovered = new Discovered(uri, clock.instant()));
    }

    private Mono<Answer> get(URI uri, @Nullable String etag) {
        return authorized()
                .map(asking -> etag == null
                        ? asking
                        : asking.headers(headers -> headers.set(HttpHeaderNames.IF_NONE_MATCH, etag)))
                .flatMap(asking -> asking.get()
                        .uri(uri)
                        .response((response, content) -> read(uri, etag, response, content.asByteArray()))
                        .single());
    }

    /** The client, with the bearer token that is in its file now, if there is any. */
    private Mono<HttpClient> authorized() {
        var file = config.jwks().bearerTokenFile();
        return file == null
                ? Mono.just(client)
                : Mono.fromCallable(() -> SecretFile.read(file))
                        .subscribeOn(scheduler)
                        .map(token -> client.headers(
                                headers -> headers.set(HttpHeaderNames.AUTHORIZATION, "Bearer " + token)));
    }

    private Mono<Answer> read(URI uri, @Nullable String etag, HttpClientResponse response, Flux<byte[]> content) {
        var headers = response.responseHeaders();
        int status = response.status().code();
        if (status == 304 && etag != null) {
            return Mono.just(new Unchanged(maxAge(headers)));
        }
        if (status != 200) {
            return Mono.error(new UnusableAnswer("%s answered %d (expected: 200)".formatted(uri, status)));
        }
        if (!config.jwks().anyContentType() && !isJson(headers.get(HttpHeaderNames.CONTENT_TYPE))) {
            return Mono.error(new UnusableAnswer(
                    "%s has another content type than JSON (jwks.any-content-type takes it)".formatted(uri)));
        }
        var encoding = headers.get(HttpHeaderNames.CONTENT_ENCODING);
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            return Mono.error(new UnusableAnswer("%s sends compressed content, unasked".formatted(uri)));
        }
        return content.collect(ByteArrayOutputStream::new, (read, bytes) -> append(uri, read, bytes))
                .map(read -> new Document(read.toByteArray(), headers.get(HttpHeaderNames.ETAG), maxAge(headers)));
    }

    /** Throws at the first byte too many, whatever {@code Content-Length} says: that cancels the rest. */
    private static void append(URI uri, ByteArrayOutputStream read, byte[] bytes) {
        if (read.size() + bytes.length > JwkSetDocument.MAX_BYTES) {
            throw new UnusableAnswer("%s is longer than %d bytes".formatted(uri, JwkSetDocument.MAX_BYTES));
        }
        read.writeBytes(bytes);
    }

    /** Absent, or anything that calls itself JSON. */
    private static boolean isJson(@Nullable String contentType) {
        return contentType == null
                || contentType.split(";", 2)[0].toLowerCase(Locale.ROOT).contains("json");
    }

    private static @Nullable Duration maxAge(HttpHeaders headers) {
        // Several fields are one list (RFC 9110 section 5.3).
        var control = String.join(",", headers.getAll(HttpHeaderNames.CACHE_CONTROL));
        var maxAge = MAX_AGE.matcher(control.toLowerCase(Locale.ROOT));
        return maxAge.find() ? Duration.ofSeconds(Long.parseLong(maxAge.group(1))) : null;
    }
}
