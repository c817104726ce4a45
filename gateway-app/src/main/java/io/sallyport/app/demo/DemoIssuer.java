// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.ssl.SslContext;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.resources.LoopResources;
import tools.jackson.databind.json.JsonMapper;

/**
 * An OpenID provider over HTTPS: discovery, a key set with {@code ETag} and {@code Cache-Control}, and a token endpoint for
 * the client-credentials grant, whose access tokens follow RFC 9068. Its clients are fixed and their secret is {@value
 * #CLIENT_SECRET}.
 *
 * <p>The token endpoint knows one parameter of its own, {@code demo_issued_ago} in seconds: it makes a token that would have
 * been issued then, so that nobody has to wait to see one expire.
 */
public final class DemoIssuer implements AutoCloseable {
    public static final String CLIENT_SECRET = "demo";
    public static final Duration TOKEN_LIFETIME = Duration.ofMinutes(15);

    private static final Duration KEY_SET_MAX_AGE = Duration.ofMinutes(1);
    private static final int MAX_FORM_BYTES = 8192;
    private static final JsonMapper JSON = new JsonMapper();
    private static final Map<String, Object> INACTIVE = Map.of("active", false);

    private final URI issuer;
    private final Map<String, Client> clients;
    private final List<String> audiences;
    private final InstantSource time;
    private final DisposableServer server;
    private final AtomicInteger keySetRequests = new AtomicInteger();
    private final AtomicInteger introspections = new AtomicInteger();
    private final Map<String, Map<String, Object>> opaqueTokens = new ConcurrentHashMap<>();
    private volatile Keys keys = Keys.first();

    private DemoIssuer(
            Endpoint endpoint, SslContext tls, List<Client> clients, List<String> audiences, InstantSource time) {
        this.issuer = URI.create("https://%s:%d".formatted(endpoint.name(), endpoint.port()));
        this.clients = clients.stream().collect(Collectors.toUnmodifiableMap(Client::id, client -> client));
        this.audiences = List.copyOf(audiences);
        this.time = time;
        this.server = HttpServer.create()
                .host(endpoint.address())
                .port(endpoint.port())
                .runOn(endpoint.loops())
                .secure(spec -> spec.sslContext(tls))
                .route(routes -> routes.get("/.well-known/openid-configuration", this::discovery)
                        .get("/jwks", this::keySet)
                        .post("/token", this::token)
                        .post("/introspect", this::introspection))
                .bindNow();
    }

    /**
     * Where the issuer listens.
     *
     * @param name the host of its issuer identifier; the TLS certificate must be for it
     * @param address to bind to
     * @param port not 0, because the identifier contains it
     */
    public record Endpoint(String name, String address, int port, LoopResources loops) {}

    /**
     * Who may ask for tokens, and what is said about them.
     *
     * @param algorithm that its tokens are signed with: ES256 or RS256
     */
    public record Client(
            String id, String tenant, Set<String> scopes, String acr, String devicePosture, JWSAlgorithm algorithm) {
        public Client {
            scopes = Set.copyOf(scopes);
        }

        /** The same after a sign-in of another strength: what {@code acr_values} asks for (RFC 9470 section 4). */
        Client withAcr(String stronger) {
            return new Client(id, tenant, scopes, stronger, devicePosture, algorithm);
        }
    }

    /**
     * Starts the issuer.
     *
     * @param audiences that tokens can be asked for ({@code resource}, RFC 8707); the first is for who does not say
     */
    public static DemoIssuer start(
            Endpoint endpoint, SslContext tls, List<Client> clients, List<String> audiences, InstantSource time) {
        return new DemoIssuer(endpoint, tls, clients, audiences, time);
    }

    /** The {@code iss} of its tokens. */
    public URI issuer() {
        return issuer;
    }

    /** How often the key set has been asked for. */
    public int keySetRequests() {
        return keySetRequests.get();
    }

    /** Signs with new keys from now on. The former ones stay in the key set: tokens that they signed are still good. */
    public synchronized void rotateKeys() {
        keys = keys.next();
    }

    /** Removes all keys but the current ones from the key set, as after a compromise. */
    public synchronized void withdrawFormerKeys() {
        keys = keys.alone();
    }

    /** A token as the token endpoint would give it, for those who live in this process. */
    public String mint(String clientId, String audience) {
        return mint(clientId, audience, Map.of());
    }

    /** The same with these claims too, or in place of its own. */
    public String mint(String clientId, String audience, Map<String, ?> claims) {
        var client = clients.get(clientId);
        if (client == null) {
            throw new IllegalArgumentException(
                    "client: %s (expected: one of %s)".formatted(clientId, new TreeSet<>(clients.keySet())));
        }
        return mint(client, client.scopes(), audience, time.instant(), claims);
    }

    /** A token that says nothing to anybody but this issuer. */
    public String mintOpaque(String clientId, String audience) {
        var client = Objects.requireNonNull(clients.get(clientId), clientId);
        var issuedAt = time.instant();
        var token = UUID.randomUUID().toString();
        var response = new LinkedHashMap<String, Object>();
        response.put("active", true);
        response.put("iss", issuer.toString());
        response.put("sub", client.id());
        response.put("aud", audience);
        response.put("client_id", client.id());
        response.put("token_type", "Bearer");
        response.put("scope", String.join(" ", new TreeSet<>(client.scopes())));
        response.put("tenant_id", client.tenant());
        response.put("acr", client.acr());
        response.put("auth_time", issuedAt.getEpochSecond());
        response.put("device_posture", client.devicePosture());
        response.put("iat", issuedAt.getEpochSecond());
        response.put("exp", issuedAt.plus(TOKEN_LIFETIME).getEpochSecond());
        opaqueTokens.put(token, response);
        return token;
    }

    /** Forgets an opaque token, as after a sign-out. */
    public void revokeOpaque(String token) {
        opaqueTokens.remove(token);
    }

    /** How often somebody has asked about an opaque token. */
    public int introspections() {
        return introspections.get();
    }

    @Override
    public void close() {
        server.disposeNow(Duration.ofSeconds(1));
    }

    private Publisher<Void> discovery(HttpServerRequest request, HttpServerResponse response) {
        return json(
                response,
                HttpResponseStatus.OK,
                Map.of(
                        "issuer", issuer.toString(),
                        "jwks_uri", issuer + "/jwks",
                        "token_endpoint", issuer + "/token",
                        "grant_types_supported", List.of("client_credentials"),
                        "response_types_supported", List.of("none"),
                        "subject_types_supported", List.of("public"),
                        "id_token_signing_alg_values_supported", List.of("RS256", "ES256"),
                        "token_endpoint_auth_methods_supported", List.of("client_secret_basic")));
    }

    private Publisher<Void> keySet(HttpServerRequest request, HttpServerResponse response) {
        keySetRequests.incrementAndGet();
        var published = keys;
        response.header("ETag", published.etag())
                .header("Cache-Control", "public, max-age=" + KEY_SET_MAX_AGE.toSeconds());
        if (published.etag().equals(request.requestHeaders().get("If-None-Match"))) {
            return response.status(HttpResponseStatus.NOT_MODIFIED).send();
        }
        return response.header("Content-Type", "application/jwk-set+json").sendString(Mono.just(published.document()));
    }

    private Publisher<Void> token(HttpServerRequest request, HttpServerResponse response) {
        response.header("Cache-Control", "no-store");
        // A form without a length, or with a long one, is none of ours.
        var length = request.requestHeaders().getInt("Content-Length", Integer.MAX_VALUE);
        if (length > MAX_FORM_BYTES) {
            return oauthError(response, HttpResponseStatus.BAD_REQUEST, "invalid_request", "expected a short form");
        }
        return request.receive()
                .aggregate()
                .asString(StandardCharsets.UTF_8)
                .defaultIfEmpty("")
                .flatMap(form -> Mono.from(token(request, response, new QueryStringDecoder(form, false).parameters())));
    }

    private Publisher<Void> token(
            HttpServerRequest request, HttpServerResponse response, Map<String, List<String>> form) {
        var client = authenticate(request.requestHeaders().get("Authorization"));
        if (client == null) {
            response.header("WWW-Authenticate", "Basic realm=\"demo\"");
            return oauthError(
                    response,
                    HttpResponseStatus.UNAUTHORIZED,
                    "invalid_client",
                    "clients: %s, secret: %s".formatted(new TreeSet<>(clients.keySet()), CLIENT_SECRET));
        }
        if (!"client_credentials".equals(first(form, "grant_type"))) {
            return oauthError(
                    response, HttpResponseStatus.BAD_REQUEST, "unsupported_grant_type", "expected client_credentials");
        }
        var audience = first(form, "resource");
        if (audience == null) {
            audience = audiences.getFirst();
        } else if (!audiences.contains(audience)) {
            return oauthError(
                    response, HttpResponseStatus.BAD_REQUEST, "invalid_target", "expected one of " + audiences);
        }
        var asked = first(form, "scope");
        Set<String> scopes = asked == null
                ? client.scopes()
                : new TreeSet<>(Arrays.asList(asked.strip().split(" +")));
        if (!client.scopes().containsAll(scopes)) {
            return oauthError(
                    response,
                    HttpResponseStatus.BAD_REQUEST,
                    "invalid_scope",
                    "expected of " + new TreeSet<>(client.scopes()));
        }
        var ago = first(form, "demo_issued_ago");
        if (ago != null && !ago.matches("[0-9]{1,7}")) {
            return oauthError(response, HttpResponseStatus.BAD_REQUEST, "invalid_request", "demo_issued_ago: seconds");
        }
        var issuedAt = time.instant().minusSeconds(ago == null ? 0 : Long.parseLong(ago));
        var acr = first(form, "acr_values");
        var stepped = acr == null ? client : client.withAcr(acr);
        var answer = new LinkedHashMap<String, Object>();
        answer.put("access_token", mint(stepped, scopes, audience, issuedAt, Map.of()));
        answer.put("token_type", "Bearer");
        answer.put("expires_in", TOKEN_LIFETIME.toSeconds());
        answer.put("scope", String.join(" ", new TreeSet<>(scopes)));
        return json(response, HttpResponseStatus.OK, answer);
    }

    private Publisher<Void> introspection(HttpServerRequest request, HttpServerResponse response) {
        introspections.incrementAndGet();
        if (authenticate(request.requestHeaders().get("Authorization")) == null) {
            response.header("WWW-Authenticate", "Basic realm=\"demo\"");
            return oauthError(response, HttpResponseStatus.UNAUTHORIZED, "invalid_client", "who asks?");
        }
        return request.receive()
                .aggregate()
                .asString(StandardCharsets.UTF_8)
                .defaultIfEmpty("")
                .flatMap(form -> {
                    var token = first(new QueryStringDecoder(form, false).parameters(), "token");
                    var known = token == null ? null : opaqueTokens.get(token);
                    return Mono.from(json(response, HttpResponseStatus.OK, known == null ? INACTIVE : known));
                });
    }

    private @Nullable Client authenticate(@Nullable String authorization) {
        if (authorization == null || !authorization.startsWith("Basic ")) {
            return null;
        }
        try {
            var decoded = new String(
                    Base64.getDecoder().decode(authorization.substring("Basic ".length())), StandardCharsets.UTF_8);
            var colon = decoded.indexOf(':');
            return colon >= 0 && decoded.substring(colon + 1).equals(CLIENT_SECRET)
                    ? clients.get(decoded.substring(0, colon))
                    : null;
        } catch (IllegalArgumentException e) {
            return null; // not base64: as good as absent
        }
    }

    private String mint(Client client, Set<String> scopes, String audience, Instant issuedAt, Map<String, ?> others) {
        var signing = keys;
        var key = client.algorithm().equals(JWSAlgorithm.RS256) ? signing.rsa() : signing.ec();
        var claims = new JWTClaimsSet.Builder()
                .issuer(issuer.toString())
                .subject(client.id())
                .audience(audience)
                .issueTime(Date.from(issuedAt))
                .expirationTime(Date.from(issuedAt.plus(TOKEN_LIFETIME)))
                .jwtID(UUID.randomUUID().toString())
                .claim("client_id", client.id())
                .claim("scope", String.join(" ", new TreeSet<>(scopes)))
                .claim("tenant_id", client.tenant())
                .claim("acr", client.acr())
                .claim("auth_time", issuedAt.getEpochSecond())
                .claim("device_posture", client.devicePosture());
        others.forEach(claims::claim);
        var header = new JWSHeader.Builder(client.algorithm())
                .type(new JOSEObjectType("at+jwt"))
                .keyID(key.getKeyID())
                .build();
        try {
            var token = new SignedJWT(header, claims.build());
            token.sign(signer(key));
            return token.serialize();
        } catch (JOSEException e) {
            throw new IllegalStateException("this JDK cannot sign " + client.algorithm(), e);
        }
    }

    private static JWSSigner signer(JWK key) throws JOSEException {
        return key instanceof ECKey ec ? new ECDSASigner(ec) : new RSASSASigner(key.toRSAKey());
    }

    private static @Nullable String first(Map<String, List<String>> form, String name) {
        var values = form.get(name);
        return values == null ? null : values.getFirst();
    }

    private static Publisher<Void> oauthError(
            HttpServerResponse response, HttpResponseStatus status, String error, String description) {
        return json(response, status, Map.of("error", error, "error_description", description));
    }

    private static Publisher<Void> json(HttpServerResponse response, HttpResponseStatus status, Object body) {
        return response.status(status)
                .header("Content-Type", "application/json")
                .sendString(Mono.just(JSON.writeValueAsString(body) + "\n"));
    }

    /**
     * The keys that sign and those that are published, with the key set's text.
     *
     * @param generation counts rotations; part of each {@code kid}
     */
    private record Keys(int generation, ECKey ec, RSAKey rsa, List<JWK> published, String document, String etag) {
        static Keys first() {
            return of(1, List.of());
        }

        Keys next() {
            return of(generation + 1, published);
        }

        Keys alone() {
            return publish(generation, ec, rsa, List.of());
        }

        private static Keys of(int generation, List<JWK> former) {
            try {
                var ec = new ECKeyGenerator(Curve.P_256)
                        .keyUse(KeyUse.SIGNATURE)
                        .algorithm(JWSAlgorithm.ES256)
                        .keyID("es256-" + generation)
                        .generate();
                var rsa = new RSAKeyGenerator(RSAKeyGenerator.MIN_KEY_SIZE_BITS)
                        .keyUse(KeyUse.SIGNATURE)
                        .algorithm(JWSAlgorithm.RS256)
                        .keyID("rs256-" + generation)
                        .generate();
                return publish(generation, ec, rsa, former);
            } catch (JOSEException e) {
                throw new IllegalStateException("this JDK cannot make P-256 and RSA keys", e);
            }
        }

        private static Keys publish(int generation, ECKey ec, RSAKey rsa, List<JWK> former) {
            var published = new ArrayList<JWK>(List.of(ec.toPublicJWK(), rsa.toPublicJWK()));
            published.addAll(former);
            var document = new JWKSet(published).toString(true);
            return new Keys(generation, ec, rsa, List.copyOf(published), document, "\"" + sha256(document) + "\"");
        }

        private static String sha256(String text) {
            try {
                var digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
                return HexFormat.of().formatHex(digest, 0, 16);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every JDK has SHA-256", e);
            }
        }
    }
}
