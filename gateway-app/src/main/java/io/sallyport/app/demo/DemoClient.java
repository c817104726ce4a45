// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** Somebody outside: gets tokens from the issuer and sends requests to the gateway, both over TLS, and knows no more. */
public final class DemoClient implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);
    private static final JsonMapper JSON = new JsonMapper();

    private final HttpClient http;
    private final URI gateway;
    private final URI issuer;

    public DemoClient(DemoParts parts) {
        this.http = DemoHttp.clientTrusting(parts.root());
        this.gateway = parts.gateway();
        this.issuer = parts.issuer().issuer();
    }

    /**
     * What came back.
     *
     * @param requestId the gateway's {@code X-Request-ID}, or null if there was none
     */
    public record Answer(
            int status,
            HttpHeaders headers,
            String body,
            @Nullable String requestId) {}

    /** Does what the case says, and gives the last answer. */
    public Answer send(DemoCase demoCase) throws IOException, InterruptedException {
        var token = obtain(demoCase.credential());
        var answer = get(demoCase.path(), token);
        for (int sent = 1; sent < demoCase.times(); sent++) {
            answer = get(demoCase.path(), token);
        }
        return answer;
    }

    /** Sends a GET, with a bearer token if there is one. */
    public Answer get(String path, @Nullable String token) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(gateway.resolve(path)).timeout(TIMEOUT);
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        var response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        return new Answer(
                response.statusCode(),
                response.headers(),
                response.body(),
                response.headers().firstValue("X-Request-ID").orElse(null));
    }

    /** Gets what a case sends along; null for nothing. */
    public @Nullable String obtain(DemoCase.Credential credential) throws IOException, InterruptedException {
        return switch (credential) {
            case DemoCase.Credential.None _ -> null;
            case DemoCase.Credential.Token(var client, var parameters) -> token(client, parameters);
            case DemoCase.Credential.Forged(var client) -> {
                var claims = token(client, Map.of());
                var signature = token(client, Map.of());
                yield claims.substring(0, claims.lastIndexOf('.')) + signature.substring(signature.lastIndexOf('.'));
            }
        };
    }

    /** Asks the token endpoint. */
    public String token(String client, Map<String, String> parameters) throws IOException, InterruptedException {
        var form = new StringBuilder("grant_type=client_credentials");
        parameters.forEach((name, value) ->
                form.append('&').append(name).append('=').append(URLEncoder.encode(value, StandardCharsets.UTF_8)));
        var secret = (client + ":" + DemoIssuer.CLIENT_SECRET).getBytes(StandardCharsets.UTF_8);
        var response = http.send(
                HttpRequest.newBuilder(issuer.resolve("/token"))
                        .timeout(TIMEOUT)
                        .header("Authorization", "Basic " + Base64.getEncoder().encodeToString(secret))
                        .header("Content-Type", "application/x-www-form-urlencoded")
                        .POST(HttpRequest.BodyPublishers.ofString(form.toString()))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("token endpoint: %d %s".formatted(response.statusCode(), response.body()));
        }
        return JSON.readTree(response.body()).get("access_token").asString();
    }

    @Override
    public void close() {
        http.close();
    }
}
