// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.demo.Credentials;
import io.sallyport.app.demo.DemoCertificateAuthority;
import io.sallyport.decision.Reason;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A real Keycloak issues the tokens, changes its keys, and goes away. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KeycloakIT {
    private static final Logger log = LoggerFactory.getLogger(KeycloakIT.class);

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String PATH = "/keycloak/acme/orders/1";
    private static final String ASKED = "/asked/acme/orders/1";

    /** How long the gateway takes Keycloak's word about a token that it asks about. */
    private static final Duration WORD_HOLDS_FOR = Duration.ofSeconds(2);

    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.ofItsOwn();

    @TempDir
    private static Path folder;

    private static @Nullable Keycloak keycloak;
    private static @Nullable String lastKnown;

    @BeforeAll
    static void start() throws Exception {
        var home = Tools.require("keycloak-26.4.0", ".ci/keycloak");
        var authority = DemoCertificateAuthority.ofServers("Keycloak's", InstantSource.system());
        Files.writeString(folder.resolve("ca.pem"), Credentials.pem(List.of(authority.root())));
        keycloak = Keycloak.start(
                home, folder, authority.server(List.of("localhost"), Duration.ofHours(1)), authority.root());
        configure();
    }

    private static void configure() throws Exception {
        var file = gateway.parts().configuration();
        var secret = Files.writeString(folder.resolve("gateway.secret"), Keycloak.SECRET + "\n");
        Files.writeString(
                file,
                Files.readString(file).replace("  issuers:\n", """
                                          issuers:
                                            keycloak:
                                              issuer: %s
                                              audiences: ["%s"]
                                              algorithms: [RS256, ES256, PS256, EdDSA]
                                              max-token-lifetime: 1h
                                              ca: %s
                                              jwks: { cool-down: 1s }
                                            asked:
                                              issuer: %s
                                              audiences: ["%s"]
                                              max-token-lifetime: 1h
                                              ca: %s
                                              introspection:
                                                uri: %s/protocol/openid-connect/token/introspect
                                                client-id: %s
                                                client-secret-file: %s
                                                cache: %ds
                                        """.formatted(
                                        keycloak().issuer(),
                                        Keycloak.AUDIENCE,
                                        folder.resolve("ca.pem"),
                                        keycloak().askedIssuer(),
                                        Keycloak.AUDIENCE,
                                        folder.resolve("ca.pem"),
                                        keycloak().askedIssuer(),
                                        Keycloak.ASKING,
                                        secret,
                                        WORD_HOLDS_FOR.toSeconds()))
                        + """
                            keycloak:
                              match: { hosts: [localhost], path: "/keycloak/{tenant}/**", methods: [GET] }
                              authenticate: { issuers: [keycloak] }
                              authorize: { allow: { own: "token.claims.tenant_id == path.tenant" } }
                              upstream: { uri: "https://localhost:%d", expected-ids: ["%s"] }
                            asked:
                              match: { hosts: [localhost], path: "/asked/{tenant}/**", methods: [GET] }
                              authenticate: { issuers: [asked] }
                              authorize: { allow: { own: "token.claims.tenant_id == path.tenant" } }
                              upstream: { uri: "https://localhost:%d", expected-ids: ["%s"] }
                        ...
                        """.formatted(
                                        gateway.parts().payments().port(),
                                        gateway.parts().payments().id(),
                                        gateway.parts().payments().port(),
                                        gateway.parts().payments().id())
                        + "...\n");
        var token = keycloak().token("shop-rs256");
        await(() -> ask(token).statusCode() == 200);
    }

    @AfterAll
    static void stop() {
        if (keycloak != null) {
            keycloak.close();
        }
    }

    @Order(1)
    @ParameterizedTest
    @ValueSource(strings = {"RS256", "ES256", "PS256", "EdDSA"})
    void a_token_by_client_credentials_is_accepted_under_each_kind_of_key(String algorithm) throws Exception {
        // Keycloak makes the key with the first token that needs it, so the gateway has never heard of it.
        afterCoolDown();

        assertThat(ask(keycloak().token("shop-" + algorithm.toLowerCase(Locale.ROOT)))
                        .statusCode())
                .isEqualTo(200);
    }

    @Order(2)
    @Test
    void a_user_who_signed_in_with_a_browser_is_let_in_and_again_with_a_refreshed_token() throws Exception {
        var tokens = keycloak().signIn("shop-rs256", "alice");

        var first = ask(tokens.get("access_token").asString());
        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(gateway.recordOf(first).field("sallyport.client_id")).isEqualTo("shop-rs256");

        var refreshed =
                keycloak().refresh("shop-rs256", tokens.get("refresh_token").asString());
        assertThat(ask(refreshed.get("access_token").asString()).statusCode()).isEqualTo(200);
    }

    @Order(3)
    @Test
    void neither_an_id_token_nor_a_refresh_token_opens_the_api() throws Exception {
        var tokens = keycloak().signIn("shop-rs256", "alice");

        assertThat(gateway.recordOf(ask(tokens.get("id_token").asString())).field("event.reason"))
                .isEqualTo(Reason.AUTHENTICATE_JWT_AUD_MISMATCH.code());
        // Signed with a secret of Keycloak's own.
        assertThat(gateway.recordOf(ask(tokens.get("refresh_token").asString())).field("event.reason"))
                .isEqualTo(Reason.AUTHENTICATE_JWT_ALG_DENIED.code());
    }

    @Order(4)
    @Test
    void the_realms_keys_are_changed_while_requests_run_and_none_fails() throws Exception {
        var load = new Load();
        for (int rotation = 1; rotation <= 3; rotation++) {
            afterCoolDown();
            keycloak().addKey("rsa-generated", 200 + rotation);
            var before = load.sent();
            await(() -> load.sent() >= before + 20);
        }
        load.stop();

        log.info("{} requests over 3 new keys, failed: {}", load.sent(), load.failures());
        assertThat(load.failures()).isEmpty();
    }

    @Order(5)
    @Test
    void a_token_that_says_nothing_of_itself_is_asked_about_and_its_user_let_in() throws Exception {
        var token = keycloak().askedTokens().get("access_token").asString();
        var claims = new String(Base64.getUrlDecoder().decode(token.split("\\.", -1)[1]), StandardCharsets.UTF_8);
        assertThat(claims).as("what the token says").doesNotContain(Keycloak.AUDIENCE, "tenant_id");

        var answer = get(ASKED, token);

        assertThat(answer.statusCode()).isEqualTo(200);
        var record = gateway.recordOf(answer);
        assertThat(record.field("sallyport.issuer")).isEqualTo("asked");
        assertThat(record.field("sallyport.client_id")).isEqualTo("shop");
        assertThat(get("/asked/globex/orders/1", token).statusCode()).isEqualTo(403);
        // Of the other realm, whose keys are known; and one that Keycloak has never issued.
        assertReason(get(ASKED, keycloak().token("shop-rs256")), Reason.AUTHENTICATE_JWT_ISS_UNKNOWN);
        assertReason(get(ASKED, "never-issued"), Reason.AUTHENTICATE_TOKEN_INACTIVE);
        assertReason(
                get(ASKED, token.substring(0, token.length() - 8) + "AAAAAAAA"), Reason.AUTHENTICATE_TOKEN_INACTIVE);
    }

    @Order(5)
    @Test
    void who_has_signed_out_is_out_when_keycloaks_word_has_run_out() throws Exception {
        var tokens = keycloak().askedTokens();
        var token = tokens.get("access_token").asString();
        assertThat(get(ASKED, token).statusCode()).isEqualTo(200);

        keycloak().signOut(tokens);

        awaitRefusal(token);
    }

    @Order(5)
    @Test
    void a_token_that_was_revoked_is_refused_when_keycloaks_word_has_run_out_and_its_sessions_next_one_is_not()
            throws Exception {
        var tokens = keycloak().askedTokens();
        var token = tokens.get("access_token").asString();
        assertThat(get(ASKED, token).statusCode()).isEqualTo(200);

        keycloak().revoke(tokens);

        awaitRefusal(token);
        assertThat(get(ASKED, keycloak().askedTokens().get("access_token").asString())
                        .statusCode())
                .isEqualTo(200);
    }

    @Order(6)
    @Test
    void requests_go_on_with_the_keys_that_are_known_when_keycloak_is_gone() throws Exception {
        var tokens = List.of(keycloak().token("shop-rs256"), keycloak().token("shop-es256"));
        assertThat(ask(tokens.getFirst()).statusCode()).isEqualTo(200);
        lastKnown = keycloak().askedTokens().get("access_token").asString();
        assertThat(get(ASKED, lastKnown).statusCode()).isEqualTo(200);
        keycloak().kill();

        // One that was verified before, and one whose signature the gateway has not seen.
        for (int i = 0; i < 50; i++) {
            assertThat(ask(tokens.get(i % 2)).statusCode()).isEqualTo(200);
        }
        log.info("50 requests without Keycloak, failed: 0");
    }

    @Order(7)
    @Test
    void without_keycloak_a_token_that_has_to_be_asked_about_is_a_503_within_its_time() throws Exception {
        assertReason(get(ASKED, "unknown"), Reason.AUTHENTICATE_INTROSPECTION_UNAVAILABLE);
        for (int i = 0; i < 20; i++) {
            var answer = get(ASKED, "unknown-" + i);
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.headers().firstValue("Retry-After")).isPresent();
        }
        // Good once, for as long as Keycloak's word held.
        await(() -> get(ASKED, Objects.requireNonNull(lastKnown)).statusCode() == 503);
        log.info("21 requests with unknown opaque tokens without Keycloak, answered 503: 21");
    }

    private static Keycloak keycloak() {
        var running = keycloak;
        if (running == null) {
            throw new IllegalStateException("not started");
        }
        return running;
    }

    private static HttpResponse<String> ask(String token) throws Exception {
        return get(PATH, token);
    }

    private static HttpResponse<String> get(String path, String token) throws Exception {
        return gateway.get(gateway.ingress(path), token);
    }

    private static void awaitRefusal(String token) throws Exception {
        await(() -> get(ASKED, token).statusCode() == 401);
        assertReason(get(ASKED, token), Reason.AUTHENTICATE_TOKEN_INACTIVE);
    }

    private static void assertReason(HttpResponse<?> response, Reason reason) throws Exception {
        assertThat(response.statusCode()).isEqualTo(reason.status());
        assertThat(gateway.recordOf(response).field("event.reason")).isEqualTo(reason.code());
    }

    // A kid that nobody knows has the key set fetched once in a second at most.
    private static void afterCoolDown() throws InterruptedException {
        Thread.sleep(1_200);
    }

    private static void await(Callable<Boolean> condition) throws Exception {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("within " + PATIENCE).isLessThan(deadline);
            Thread.sleep(50);
        }
    }

    /** Requests one after the other, each with a new token. */
    private static final class Load {
        private final List<String> failures = new CopyOnWriteArrayList<>();
        private final AtomicInteger sent = new AtomicInteger();
        private final AtomicBoolean running = new AtomicBoolean(true);
        private final Thread thread = Thread.ofPlatform().start(this::run);

        private void run() {
            while (running.get()) {
                try {
                    var response = ask(keycloak().token("shop-rs256"));
                    if (response.statusCode() != 200) {
                        failures.add(response.statusCode() + " " + response.body());
                    }
                } catch (Exception e) {
                    failures.add(e.toString());
                }
                sent.incrementAndGet();
            }
        }

        int sent() {
            return sent.get();
        }

        List<String> failures() {
            return List.copyOf(failures);
        }

        void stop() throws InterruptedException {
            running.set(false);
            thread.join();
        }
    }
}
