// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.ssl.SslContext;
import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.authenticate.keys.JwkSetDocument;
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
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;

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
    private volatile @Nullable Discovered discovered;
    /** Where the last document came from: its ETag means nothing anywhere else. */
    private volatile @Nullable URI documentOf;

    private record Discovered(URI jwksUri, Instant at) {}

    /** @param tls what the operator's own certificate authorities vouch for, or null for those of the Java runtime */
    HttpJwkSetEndpoint(IssuerConfig config, @Nullable SslContext tls, InstantSource clock) {
        this.config = config;
        this.clock = clock;
        var guard = new AddressGuard(config.jwks().publicOnly());
        var plain = HttpClient.newConnection()
                .followRedirect(false)
                .compress(false)
                .doOnChannelInit((_, channel, _) -> channel.pipeline().addFirst(guard))
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        config.jwks().timeout().toMillis())
                .headers(headers -> headers.set(HttpHeaderNames.USER_AGENT, "Sallyport")
                        .set(HttpHeaderNames.ACCEPT, "application/json, application/jwk-set+json"));
        this.client = tls == null ? plain : plain.secure(spec -> spec.sslContext(tls));
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
        if (config.jwksUri() != null) {
            return Mono.just(config.jwksUri());
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
        var conditional =
                etag == null ? client : client.headers(headers -> headers.set(HttpHeaderNames.IF_NONE_MATCH, etag));
        return conditional
                .get()
                .uri(uri)
                .response((response, content) -> read(uri, etag, response, content.asByteArray()))
                .single();
    }

    private static Mono<Answer> read(
            URI uri, @Nullable String etag, HttpClientResponse response, Flux<byte[]> content) {
        var headers = response.responseHeaders();
        int status = response.status().code();
        if (status == 304 && etag != null) {
            return Mono.just(new Unchanged(maxAge(headers)));
        }
        if (status != 200) {
            return Mono.error(new UnusableAnswer("%s answered %d (expected: 200)".formatted(uri, status)));
        }
        if (!isJson(headers.get(HttpHeaderNames.CONTENT_TYPE))) {
            return Mono.error(new UnusableAnswer("%s has another content type than JSON".formatted(uri)));
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
