// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.forward.Forwarder;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.WireServer;
import io.sallyport.wire.exchange.PermitForwarder;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the gateway answers itself, over a real socket. */
class LocalForwarderTest {
    private static final Forwarder NOBODY = (_, _) -> {
        throw new AssertionError("forwarded");
    };

    private static final CorsRules READERS = rules("https://app.example.org", HttpMethod.GET, HttpMethod.HEAD);
    private static final CorsRules WRITERS = rules("https://admin.example.org", HttpMethod.PUT);

    @Test
    void a_preflight_is_told_what_the_route_of_the_asked_method_allows() throws Exception {
        try (var server = preflights();
                var client = server.connect()
                        .send(preflight(
                                "https://app.example.org",
                                "GET",
                                "Access-Control-Request-Headers: authorization,X-Trace\r\n"))) {
            var answer = client.readHead();

            var id = server.ended().context().requestId();
            assertThat(answer)
                    .isEqualTo("HTTP/1.1 204 No Content\r\n"
                            + "date: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
                            + "x-request-id: " + id + "\r\n"
                            + "access-control-allow-origin: https://app.example.org\r\n"
                            + "access-control-allow-credentials: true\r\n"
                            + "access-control-allow-methods: GET, HEAD\r\n"
                            + "access-control-max-age: 600\r\n"
                            + "vary: origin, access-control-request-method, access-control-request-headers\r\n"
                            + "access-control-allow-headers: authorization, x-trace\r\n"
                            + "\r\n");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // another route's origin
                "Origin: https://admin.example.org; Access-Control-Request-Method: GET|origin: https://admin.example.org",
                // nobody's origin
                "Origin: https://app.example.org.evil.test; Access-Control-Request-Method: GET|origin: https://app.example.org.evil.test",
                "Origin: null; Access-Control-Request-Method: GET|origin: null",
                "Access-Control-Request-Method: GET|no origin",
                // a method that no route of the path has, or none
                "Origin: https://app.example.org; Access-Control-Request-Method: DELETE|method: DELETE",
                "Origin: https://app.example.org; Access-Control-Request-Method: get|method: get",
                "Origin: https://app.example.org; Access-Control-Request-Method: |'method: '",
                "Origin: https://app.example.org|no method",
                // a header that the section does not list
                "Origin: https://app.example.org; Access-Control-Request-Method: GET; Access-Control-Request-Headers: authorization, x-user|header: x-user"
            })
    void a_preflight_for_anything_else_is_refused_with_a_record_and_without_a_hint(String fields, String detail)
            throws Exception {
        var request = "OPTIONS / HTTP/1.1\r\nHost: localhost\r\n" + fields.replace("; ", "\r\n") + "\r\n\r\n";
        try (var server = preflights();
                var client = server.connect().send(request)) {
            assertThat(client.readAnswer())
                    .startsWith("HTTP/1.1 403 Forbidden\r\n")
                    .doesNotContain("access-control");
            var outcome = (Outcome.Refused) server.outcome();
            assertThat(outcome.denial().reason()).isEqualTo(Reason.FORWARD_PREFLIGHT_REFUSED);
            assertThat(outcome.denial().evidence().get(Evidence.Key.DETAIL)).isEqualTo(detail);
        }
    }

    @Test
    void the_metadata_of_a_protected_resource_says_who_issues_tokens_for_it() throws Exception {
        try (var server = metadata();
                var client = server.connect()
                        .send(
                                "GET /.well-known/oauth-protected-resource/v1/orders HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
            var answer = client.readAnswer();

            // RFC 9728 section 3.2
            assertThat(answer)
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .contains("\r\ncontent-type: application/json\r\n", "\r\naccess-control-allow-origin: *\r\n")
                    .endsWith("\r\n\r\n{\"resource\":\"https://api.example.org/v1/orders\","
                            + "\"authorization_servers\":[\"https://idp.example.org\"],"
                            + "\"bearer_methods_supported\":[\"header\"],"
                            + "\"scopes_supported\":[\"orders:read\",\"orders:write\"]}");
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
        }
    }

    @Test
    void HEAD_gets_the_length_of_the_metadata_and_nothing_of_it() throws Exception {
        var head = "HEAD /.well-known/oauth-protected-resource HTTP/1.1\r\nHost: localhost\r\n\r\n";
        try (var server = metadata();
                var client = server.connect().send(head)) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n").contains("\r\ncontent-length: 178\r\n");
            assertThat(client.send(head).readHead()).startsWith("HTTP/1.1 200 OK\r\n");
        }
    }

    @Test
    void scopes_that_nobody_knows_are_not_mentioned() {
        var document = LocalAnswer.ProtectedResource.of(
                URI.create("https://api.example.org"), List.of("https://idp.example.org"), List.of());

        assertThat(new String(document.json("/v1"), java.nio.charset.StandardCharsets.UTF_8))
                .doesNotContain("scopes_supported");
    }

    @Test
    void an_unmatched_route_has_nothing_to_forward_to() throws Exception {
        var server = WireServer.permitting(new PermitForwarder(new LocalForwarder(() -> new byte[0]), NOBODY, NOBODY));
        try (var started = server.on(Route.builder("sallyport:unmatched", "localhost", Route.Kind.UNMATCHED)
                                .build())
                        .start();
                var client = started.connect().send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 404 Not Found\r\n");
        }
    }

    private static String preflight(String origin, String method, String more) {
        return "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: " + origin + "\r\nAccess-Control-Request-Method: "
                + method + "\r\n" + more + "\r\n";
    }

    private static WireServer preflights() {
        return serving(LocalAnswer.Preflight.of(List.of(READERS, WRITERS)));
    }

    private static WireServer metadata() {
        return serving(LocalAnswer.ProtectedResource.of(
                URI.create("https://api.example.org"),
                List.of("https://idp.example.org"),
                List.of("orders:write", "orders:read")));
    }

    private static WireServer serving(LocalAnswer answer) {
        return WireServer.permitting(new PermitForwarder(new LocalForwarder(() -> new byte[0]), NOBODY, NOBODY))
                .on(Route.builder("sallyport:local", "localhost", Route.Kind.LOCAL)
                        .settings(StageName.FORWARD, answer)
                        .build())
                .start();
    }

    static CorsRules rules(String origin, HttpMethod... methods) {
        var config = new CorsConfig(
                List.of(new Origin(origin)),
                List.of("Authorization", "X-Trace"),
                List.of("X-Total"),
                true,
                Duration.ofMinutes(10));
        return Objects.requireNonNull(CorsRules.compile(config, Set.of(methods), new Findings().at("cors")));
    }
}
