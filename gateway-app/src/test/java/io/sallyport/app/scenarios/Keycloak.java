// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import io.sallyport.app.demo.Credentials;
import io.sallyport.app.demo.DemoHttp;
import io.sallyport.app.demo.FreePort;
import java.io.IOException;
import java.net.CookieManager;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A real Keycloak, with the realms of {@code keycloak-realm.json} and {@code keycloak-realm-asked.json}, over TLS and in memory. */
final class Keycloak implements AutoCloseable {
    static final String SECRET = "not-a-secret";
    /** The gateway's own client in the realm whose tokens it asks about. */
    static final String ASKING = "gateway";

    static final String AUDIENCE = "https://api.keycloak.example";

    private static final String REDIRECT = "https://app.example.org/signed-in";
    private static final Duration READY_WITHIN = Duration.ofMinutes(4);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(30);
    private static final Pattern FORM = Pattern.compile("<form[^>]* action=\"([^\"]+)\"");
    private static final Pattern CODE = Pattern.compile("[?&]code=([^&]+)");
    private static final JsonMapper JSON = new JsonMapper();

    private final Process process;
    private final URI root;
    private final X509Certificate authority;
    private final HttpClient http;

    private Keycloak(Process process, URI root, X509Certificate authority) {
        this.process = process;
        this.root = root;
        this.authority = authority;
        this.http = DemoHttp.clientTrusting(authority);
    }

    /**
     * Starts it, and returns when the realm is there.
     *
     * @param home of the distribution
     * @param directory for its certificate and its log
     * @param server its certificate, for {@code localhost}
     */
    static Keycloak start(Path home, Path directory, Credentials server, X509Certificate authority)
            throws IOException, InterruptedException {
        var port = FreePort.find();
        var certificate = directory.resolve("keycloak.pem");
        var key = directory.resolve("keycloak-key.pem");
        server.writeTo(certificate, key);
        var root = URI.create("https://localhost:" + port);
        var builder = new ProcessBuilder(
                        home.resolve("bin/kc.sh").toString(),
                        "start-dev",
                        "--db=dev-mem",
                        "--http-enabled=false",
                        "--http-host=127.0.0.1",
                        "--https-port=" + port,
                        "--https-certificate-file=" + certificate,
                        "--https-certificate-key-file=" + key,
                        "--hostname=" + root)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("keycloak.log").toFile());
        builder.environment()
                .putAll(Map.of(
                        "JAVA_HOME",
                        System.getProperty("java.home"),
                        "JAVA_OPTS_KC_HEAP",
                        "-Xms128m -Xmx512m",
                        "KC_BOOTSTRAP_ADMIN_USERNAME",
                        "admin",
                        "KC_BOOTSTRAP_ADMIN_PASSWORD",
                        SECRET));
        var keycloak = new Keycloak(builder.start(), root, authority);
        try {
            keycloak.awaitReady(directory.resolve("keycloak.log"));
            keycloak.importRealm("keycloak-realm.json");
            keycloak.importRealm("keycloak-realm-asked.json");
            return keycloak;
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            keycloak.close();
            throw e;
        }
    }

    /** The realm's {@code iss}. */
    URI issuer() {
        return root.resolve("/realms/corp");
    }

    /** That of the realm whose access tokens say so little that one has to ask about them. */
    URI askedIssuer() {
        return root.resolve("/realms/asked");
    }

    /** Such a token, of a session of its own, by the password of a user. */
    JsonNode askedTokens() throws IOException, InterruptedException {
        return JSON.readTree(send(post(
                        askedEndpoint("token"),
                        Map.of(
                                "grant_type", "password",
                                "client_id", "shop",
                                "client_secret", SECRET,
                                "username", "alice",
                                "password", SECRET)))
                .body());
    }

    /** Ends the session that the tokens are of. */
    void signOut(JsonNode tokens) throws IOException, InterruptedException {
        send(post(
                askedEndpoint("logout"),
                Map.of(
                        "client_id",
                        "shop",
                        "client_secret",
                        SECRET,
                        "refresh_token",
                        tokens.get("refresh_token").asString())));
    }

    /** Revokes one access token (RFC 7009), and leaves its session alone. */
    void revoke(JsonNode tokens) throws IOException, InterruptedException {
        send(post(
                askedEndpoint("revoke"),
                Map.of(
                        "client_id",
                        "shop",
                        "client_secret",
                        SECRET,
                        "token",
                        tokens.get("access_token").asString())));
    }

    private URI askedEndpoint(String path) {
        return URI.create(askedIssuer() + "/protocol/openid-connect/" + path);
    }

    /** An access token by client credentials. */
    String token(String client) throws IOException, InterruptedException {
        return grant(Map.of("grant_type", "client_credentials", "client_id", client, "client_secret", SECRET))
                .get("access_token")
                .asString();
    }

    /** All tokens of a user who signs in with a browser: the form, the redirect with the code, the exchange of the code. */
    JsonNode signIn(String client, String user) throws IOException, InterruptedException {
        try (var browser = HttpClient.newBuilder()
                .sslContext(DemoHttp.tlsTrusting(authority))
                .cookieHandler(new CookieManager())
                .build()) {
            var page = browser.send(
                    HttpRequest.newBuilder(endpoint("auth?"
                                    + form(Map.of(
                                            "client_id",
                                            client,
                                            "response_type",
                                            "code",
                                            "scope",
                                            "openid",
                                            "redirect_uri",
                                            REDIRECT))))
                            .timeout(ANSWER_WITHIN)
                            .build(),
                    BodyHandlers.ofString());
            var action = FORM.matcher(page.body());
            if (!action.find()) {
                throw new AssertionError("no form in " + page.statusCode() + " " + page.body());
            }
            var signedIn = browser.send(
                    post(
                            URI.create(action.group(1).replace("&amp;", "&")),
                            Map.of("username", user, "password", SECRET)),
                    BodyHandlers.ofString());
            var code = CODE.matcher(signedIn.headers().firstValue("Location").orElse(""));
            if (!code.find()) {
                throw new AssertionError("no code in " + signedIn.statusCode() + " " + signedIn.headers());
            }
            return grant(Map.of(
                    "grant_type", "authorization_code",
                    "code", code.group(1),
                    "redirect_uri", REDIRECT,
                    "client_id", client,
                    "client_secret", SECRET));
        }
    }

    JsonNode refresh(String client, String refreshToken) throws IOException, InterruptedException {
        return grant(Map.of(
                "grant_type", "refresh_token",
                "refresh_token", refreshToken,
                "client_id", client,
                "client_secret", SECRET));
    }

    /**
     * Adds a key that the realm signs with from now on; the former ones stay in its key set.
     *
     * @param provider Keycloak's name for what makes it, such as {@code rsa-generated}
     * @param priority higher than that of any key before it
     */
    void addKey(String provider, int priority) throws IOException, InterruptedException {
        var component = Map.of(
                "name",
                provider + "-" + priority,
                "providerId",
                provider,
                "providerType",
                "org.keycloak.keys.KeyProvider",
                "config",
                Map.of("priority", new String[] {Integer.toString(priority)}));
        administer("/admin/realms/corp/components", JSON.writeValueAsString(component));
    }

    /** Ends it, as a crash would. */
    void kill() throws InterruptedException {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        http.close();
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    private void awaitReady(Path log) throws IOException, InterruptedException {
        var deadline = System.nanoTime() + READY_WITHIN.toNanos();
        var probe = HttpRequest.newBuilder(root.resolve("/realms/master"))
                .timeout(ANSWER_WITHIN)
                .build();
        while (true) {
            try {
                if (http.send(probe, BodyHandlers.discarding()).statusCode() == 200) {
                    return;
                }
            } catch (IOException e) {
                // It does not listen yet.
            }
            if (process.waitFor(500, TimeUnit.MILLISECONDS) || System.nanoTime() > deadline) {
                throw new AssertionError("Keycloak did not start: " + Files.readString(log));
            }
        }
    }

    private void importRealm(String resource) throws IOException, InterruptedException {
        try (var realm = Keycloak.class.getResourceAsStream(resource)) {
            administer("/admin/realms", new String(realm.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    private void administer(String path, String json) throws IOException, InterruptedException {
        var login = send(post(
                root.resolve("/realms/master/protocol/openid-connect/token"),
                Map.of("grant_type", "password", "client_id", "admin-cli", "username", "admin", "password", SECRET)));
        send(HttpRequest.newBuilder(root.resolve(path))
                .timeout(ANSWER_WITHIN)
                .header(
                        "Authorization",
                        "Bearer "
                                + JSON.readTree(login.body())
                                        .get("access_token")
                                        .asString())
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(json))
                .build());
    }

    private JsonNode grant(Map<String, String> form) throws IOException, InterruptedException {
        return JSON.readTree(send(post(endpoint("token"), form)).body());
    }

    private URI endpoint(String path) {
        return URI.create(issuer() + "/protocol/openid-connect/" + path);
    }

    private HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
        var response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw new AssertionError(request + " was answered " + response.statusCode() + " " + response.body());
        }
        return response;
    }

    private static HttpRequest post(URI uri, Map<String, String> form) {
        return HttpRequest.newBuilder(uri)
                .timeout(ANSWER_WITHIN)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(BodyPublishers.ofString(form(form)))
                .build();
    }

    private static String form(Map<String, String> fields) {
        return fields.entrySet().stream()
                .map(field -> field.getKey() + "=" + URLEncoder.encode(field.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
    }
}
