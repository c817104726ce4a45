// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.authenticate.HostileTokens;
import io.sallyport.authenticate.TestTokens;
import io.sallyport.authenticate.jwks.JwkSetRegistry;
import io.sallyport.compile.SnapshotSource;
import io.sallyport.pipeline.FakeRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;

/** Every hostile token, over the wire: from the bytes of a request to those of its answer, with an upstream that must see none. */
final class HostileTokensIT {
    @SpringBootConfiguration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {
        @Bean
        Clock clock() {
            return Clock.fixed(FakeRequest.NOW, ZoneOffset.UTC);
        }
    }

    @TempDir
    private static Path folder;

    /** What reached the upstream, and what was asked of the issuer. */
    private static final List<String> FORWARDED = new CopyOnWriteArrayList<>();

    private static final List<String> ASKED = new CopyOnWriteArrayList<>();

    @SuppressWarnings("NullAway.Init") // before all tests
    private static DisposableServer upstream;

    @SuppressWarnings("NullAway.Init") // before all tests
    private static DisposableServer issuer;

    @SuppressWarnings("NullAway.Init") // before all tests
    private static ConfigurableApplicationContext gateway;

    @BeforeAll
    static void start() throws IOException {
        var jwkSet = TestTokens.jwkSet(HostileTokens.KEYS.toArray(TestTokens[]::new));
        issuer = serve(ASKED, jwkSet);
        upstream = serve(FORWARDED, "{}");
        var file = Files.writeString(folder.resolve("gateway.yaml"), """
                sallyport:
                  listener: { address: 127.0.0.1, port: 0, insecure-plaintext: true, shutdown-grace: 0s }
                  management: { port: 0, insecure-plaintext: true }
                  issuers:
                    corp:
                      issuer: %s
                      audiences: ["%s"]
                      algorithms: [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA]
                      jwks-uri: http://127.0.0.1:%d/jwks
                      insecure-plaintext: true
                  stages: { flood: { failures-per-minute: 100000 } }
                  decision-log: { stdout: true }
                  routes:
                    orders:
                      match: { hosts: [127.0.0.1], path: /orders, methods: [GET] }
                      authenticate: { issuers: [corp] }
                      authorize: { allow: { anyone: "true" } }
                      upstream: { uri: "http://127.0.0.1:%d", insecure-plaintext: true }
                """.formatted(
                        TestTokens.ISSUER, TestTokens.AUDIENCE, issuer.port(), upstream.port()));
        gateway = new SpringApplication(Application.class)
                .run("--sallyport.config=" + file, "--spring.main.banner-mode=off");
        var issuers = gateway.getBean(SnapshotSource.class).inForce().issuers();
        gateway.getBean(JwkSetRegistry.class).prefetch(issuers.values()).block();
    }

    private static DisposableServer serve(List<String> requests, String body) {
        return HttpServer.create()
                .host("127.0.0.1")
                .port(0)
                .handle((request, response) -> {
                    requests.add(request.uri());
                    return response.header("Content-Type", "application/json").sendString(Mono.just(body));
                })
                .bindNow();
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.disposeNow();
        issuer.disposeNow();
    }

    @Test
    void none_of_them_is_forwarded_and_each_is_answered_with_its_status() throws IOException {
        var wrong = new ArrayList<String>();
        for (var row : HostileTokens.all().toList()) {
            var answer = answerTo(row.authorization());
            var expected = "HTTP/1.1 %d ".formatted(row.status());
            if (!answer.startsWith(expected) || !isSafe(answer)) {
                wrong.add("%s (expected: %d): %s".formatted(row.what(), row.status(), answer));
            }
        }

        assertThat(wrong).isEmpty();
        assertThat(FORWARDED).isEmpty();
        // Nothing of a token is ever in what the issuer is asked: one fetch at the start, one for all unknown names.
        assertThat(ASKED).containsOnly("/jwks").hasSizeLessThanOrEqualTo(2);

        for (var key : HostileTokens.KEYS) {
            assertThat(answerTo(List.of("Bearer " + key.issue()))).startsWith("HTTP/1.1 200 ");
        }
        assertThat(FORWARDED).hasSameSizeAs(HostileTokens.KEYS);
    }

    /** A problem of ours, with nothing of the token, of a parser or of a stack in it. */
    private static boolean isSafe(String answer) {
        return answer.contains("application/problem+json")
                && answer.endsWith("}")
                && !answer.contains("Exception")
                && !answer.contains("eyJ")
                && !answer.contains("mallory")
                && Arrays.stream(answer.split("\r\n", -1)).allMatch(line -> line.length() < 1024);
    }

    private static String answerTo(List<String> authorization) throws IOException {
        int port =
                Integer.parseInt(Objects.requireNonNull(gateway.getEnvironment().getProperty("local.server.port")));
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            var fields = authorization.stream()
                    .map(value -> "Authorization: " + value + "\r\n")
                    .collect(Collectors.joining());
            var request =
                    "GET /orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n%s\r\n".formatted(port, fields);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }
}
