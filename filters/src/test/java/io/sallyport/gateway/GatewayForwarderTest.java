// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.config.Findings;
import io.sallyport.decision.Reason;
import io.sallyport.edge.PathRules;
import io.sallyport.forward.Disclosure;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.RawUpstream;
import io.sallyport.forward.StreamLimit;
import io.sallyport.forward.TestFront;
import io.sallyport.forward.TestTarget;
import io.sallyport.forward.UpstreamClient;
import io.sallyport.forward.upstream.UpstreamConnections;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.support.ServerWebExchangeUtils;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.http.HttpStatus;
import reactor.core.publisher.Mono;

/** The library's filters on the way of a permitted request, and what none of them can do. */
class GatewayForwarderTest {
    private final UpstreamConnections clients = new UpstreamConnections(
            new FakeSvidSource(), Duration.ZERO, Duration.ZERO, InstantSource.system(), new SimpleMeterRegistry());
    private final RawUpstream upstream = RawUpstream.plaintext(turn -> {
        turn.readBody();
        turn.send(
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Color: red\r\nX-Color: red\r\nServer: orders\r\n\r\nhello");
    });
    private AutoCloseable front = () -> {};

    @AfterEach
    void stop() throws Exception {
        front.close();
        upstream.close();
        clients.close();
    }

    // what filters are for

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "StripPrefix=1|/acme/orders/7?x=1|/orders/7?x=1",
                "StripPrefix=5|/acme/orders/7|/",
                "PrefixPath=/api|/acme/orders|/api/acme/orders",
                "PrefixPath=/of/{tenant}|/acme/orders|/of/acme/acme/orders",
                "SetPath=/tenants/{tenant}|/acme/orders?x=%20|/tenants/acme?x=%20",
                "RewritePath=/(?<tenant>[a-z]+)/(.*), /$\\{tenant}-$2|/acme/orders/a%20b|/acme-orders/a%20b",
                "AddRequestParameter=color, blue|/acme?x=%5B1%5D|/acme?x=%5B1%5D&color=blue",
                "RemoveRequestParameter=admin|/acme?x=1&%61dmin=1&y=2|/acme?x=1&y=2",
            })
    void a_path_filter_changes_what_is_asked_of_the_upstream(String filter, String asked, String forwarded)
            throws Exception {
        get(front(filter), asked);

        assertThat(upstream.received()).startsWith("GET " + forwarded + " HTTP/1.1\r\n");
    }

    @Test
    void a_path_without_filters_on_it_is_sent_byte_for_byte() throws Exception {
        get(front("AddRequestHeader=X-Color, blue"), "/a%20b/c?x=[1]&y=%7B");

        assertThat(upstream.received()).startsWith("GET /a%20b/c?x=[1]&y=%7B HTTP/1.1\r\n");
    }

    @Test
    void header_filters_change_what_the_upstream_sees() throws Exception {
        var front = front(
                "AddRequestHeader=X-Color, blue",
                "AddRequestHeader=X-Tenant, {tenant}",
                "SetRequestHeader=X-Size, large",
                "MapRequestHeader=X-Size, X-Copy",
                "RemoveRequestHeader=X-Secret");

        raw(front, "GET /acme HTTP/1.1\r\nHost: api.example.org\r\nX-Size: small\r\nX-Secret: yes\r\n\r\n");

        assertThat(lines(upstream.received()))
                .contains("x-color: blue", "x-tenant: acme", "x-size: large", "x-copy: large")
                .noneMatch(line -> line.startsWith("x-secret"));
    }

    @Test
    void header_filters_change_what_the_client_sees() throws Exception {
        var front = front(
                "AddResponseHeader=X-Added, {tenant}",
                "SetResponseHeader=X-Set, yes",
                "RemoveResponseHeader=Server",
                "DedupeResponseHeader=X-Color",
                "RewriteResponseHeader=X-Color, r(e)d, bl$1u",
                "SecureHeaders");

        var answer = get(front, "/acme");

        assertThat(lines(answer))
                .contains("x-added: acme", "x-set: yes", "x-content-type-options: nosniff", "content-length: 5")
                .filteredOn(line -> line.startsWith("x-color"))
                .containsExactly("x-color: bleu");
        assertThat(lines(answer)).noneMatch(line -> line.startsWith("server"));
        assertThat(answer).endsWith("hello");
    }

    @Test
    void bodies_pass_by_the_filters() throws Exception {
        var answer = raw(
                front("StripPrefix=1", "RequestSize=5B"),
                "POST /acme/orders HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 5\r\n\r\nhello");

        assertThat(answer).startsWith("HTTP/1.1 200");
        assertThat(upstream.received()).startsWith("POST /orders HTTP/1.1\r\n").endsWith("\r\n\r\nhello");
    }

    @Test
    void a_filter_that_refuses_a_size_refuses_with_our_reason() throws Exception {
        var body = front("RequestSize=4B");
        raw(body, "POST /acme HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 5\r\n\r\nhello");
        assertThat(body.nextEnd().reason()).isEqualTo(Reason.EDGE_BODY_TOO_LARGE);
        body.close();

        var head = front("RequestHeaderSize=20B");
        raw(head, "GET /acme HTTP/1.1\r\nHost: api.example.org\r\nX-Long: 123456789012345678901\r\n\r\n");
        var end = head.nextEnd();
        assertThat(end.reason()).isEqualTo(Reason.EDGE_HEADERS_TOO_LARGE);
        assertThat(end.lease()).containsExactly("abandoned");
        assertThat(upstream.received()).isEmpty();
    }

    /** Spring answers preflights itself wherever it finds one; one that was permitted is the upstream's. */
    @Test
    void a_preflight_that_was_permitted_is_the_upstreams_to_answer() throws Exception {
        var answer = raw(
                front("AddRequestHeader=X-Color, blue"),
                String.join(
                        "\r\n",
                        "OPTIONS /acme HTTP/1.1",
                        "Host: api.example.org",
                        "Origin: https://app.example",
                        "Access-Control-Request-Method: PUT",
                        "",
                        ""));

        assertThat(answer).startsWith("HTTP/1.1 200");
        assertThat(lines(upstream.received())).contains("access-control-request-method: put");
    }

    // what none of them can do

    @Test
    void no_filter_can_undo_what_was_pinned() throws Exception {
        GatewayFilter hostile = (exchange, chain) -> chain.filter(exchange.mutate()
                .request(exchange.getRequest()
                        .mutate()
                        .headers(headers -> {
                            headers.set("X-Forwarded-For", "6.6.6.6");
                            headers.set("X-Forwarded-Host", "evil.test");
                            headers.set("X-Request-ID", "theirs");
                            headers.set("X-Auth-User", "admin");
                            headers.set("Authorization", "Bearer stolen");
                            headers.set("Cookie", "session=stolen");
                            headers.set("Host", "evil.test");
                            headers.set("Connection", "X-Request-ID, close");
                            headers.set("Transfer-Encoding", "chunked");
                            headers.set("Content-Length", "1000");
                        })
                        .build())
                .build());

        var front = front(hostile);
        get(front, "/acme");

        assertThat(lines(upstream.received()).stream().filter(line -> !line.startsWith("via: 1.1 sallyport-")))
                .containsExactlyInAnyOrder(
                        "get /acme http/1.1",
                        "host: 127.0.0.1:" + upstream.port(),
                        "x-request-id: " + front.nextEnd().requestId(),
                        "x-forwarded-for: 127.0.0.1",
                        "x-forwarded-proto: http",
                        "x-forwarded-host: api.example.org");
    }

    @Test
    void nor_what_the_gateway_says_to_the_client() throws Exception {
        GatewayFilter hostile = (exchange, chain) -> chain.filter(exchange).then(Mono.fromRunnable(() -> {
            var headers = exchange.getResponse().getHeaders();
            headers.set("X-Request-ID", "theirs");
            headers.set("Content-Length", "1000");
            headers.set("Transfer-Encoding", "gzip");
            headers.set("Access-Control-Allow-Origin", "*");
        }));

        var front = front(hostile);
        var answer = get(front, "/acme");

        assertThat(lines(answer))
                .contains("x-request-id: " + front.nextEnd().requestId(), "content-length: 5")
                .noneMatch(line -> line.startsWith("transfer-encoding") || line.startsWith("access-control"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://evil.test/acme",
                "https://127.0.0.1:%d/acme",
                "http://127.0.0.1:1/acme",
                "http://127.0.0.1/acme",
                "http://user@127.0.0.1:%d/acme",
                "http://localhost:%d/acme"
            })
    void no_filter_can_send_the_request_elsewhere(String elsewhere) throws Exception {
        var uri = URI.create(elsewhere.formatted(upstream.port()));
        GatewayFilter byRequest = (exchange, chain) -> chain.filter(exchange.mutate()
                .request(exchange.getRequest().mutate().uri(uri).build())
                .build());
        GatewayFilter byAttribute = (exchange, chain) -> {
            exchange.getAttributes().put(ServerWebExchangeUtils.GATEWAY_REQUEST_URL_ATTR, uri);
            return chain.filter(exchange);
        };

        for (var filter : List.of(byRequest, byAttribute)) {
            var front = front(filter);
            get(front, "/acme");
            assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_TARGET_CHANGED);
            front.close();
        }
        assertThat(upstream.connections()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "RewritePath=/acme, /../admin",
                "RewritePath=/acme, //admin",
                "RewritePath=/acme, /a%2fb",
                "RewritePath=/acme, /a;b",
                "RewritePath=/acme, /%2e%2e/admin",
                "PrefixPath=/a/.."
            })
    void no_filter_can_make_a_path_with_two_readings(String filter) throws Exception {
        var front = front(filter);

        get(front, "/acme");

        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_REWRITE_REFUSED);
        assertThat(upstream.connections()).isZero();
    }

    /** Two tenants whose names differ only beyond Latin-1 would both be sent as a question mark. */
    @Test
    void a_value_that_cannot_be_sent_as_it_is_is_not_sent_at_all() throws Exception {
        GatewayFilter tenant = (exchange, chain) -> chain.filter(exchange.mutate()
                .request(exchange.getRequest()
                        .mutate()
                        .header("X-Tenant", "\u0101cme")
                        .build())
                .build());
        var front = front(tenant);

        get(front, "/acme");

        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_REWRITE_REFUSED);
        assertThat(upstream.connections()).isZero();
    }

    @Test
    void a_filter_that_fails_gets_no_error_page() throws Exception {
        GatewayFilter broken = (exchange, chain) -> {
            throw new IllegalStateException("secret");
        };
        var front = front(broken);

        try (var socket = send(front, "GET /acme HTTP/1.1\r\nHost: api.example.org\r\nConnection: close\r\n\r\n")) {
            assertThat(new String(socket.getInputStream().readAllBytes(), ISO_8859_1))
                    .startsWith("HTTP/1.1 502 ")
                    .doesNotContain("secret");
        }
        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_FAILED);
        assertThat(upstream.connections()).isZero();
    }

    @Test
    void a_filter_that_fails_on_the_way_back_lets_go_of_the_answer() throws Exception {
        GatewayFilter broken = (exchange, chain) ->
                chain.filter(exchange).then(Mono.error(new IllegalStateException("on the way back")));
        var slow = RawUpstream.plaintext(turn -> {
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
            turn.awaitClose();
        });
        try (slow) {
            var front = front(slow, List.of(broken));
            try (var socket = send(front, "GET /acme HTTP/1.1\r\nHost: api.example.org\r\nConnection: close\r\n\r\n")) {
                assertThat(new String(socket.getInputStream().readAllBytes(), ISO_8859_1))
                        .startsWith("HTTP/1.1 502 ");
            }
            await().until(() -> slow.closedByPeer() == 1);
        }
    }

    @Test
    void an_upstream_whose_body_a_filter_drops_has_answered_all_the_same() throws Exception {
        GatewayFilter dropping = (exchange, chain) -> chain.filter(exchange)
                .then(Mono.fromRunnable(() -> exchange.getResponse().setStatusCode(HttpStatus.NO_CONTENT)));
        var slow = RawUpstream.plaintext(turn -> {
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
            turn.awaitClose();
        });
        try (slow) {
            var front = front(slow, List.of(dropping));
            assertThat(raw(front, "GET /acme HTTP/1.1\r\nHost: api.example.org\r\n\r\n"))
                    .startsWith("HTTP/1.1 204");
            assertThat(front.nextEnd().lease()).containsExactly("answered 200");
            await().until(() -> slow.closedByPeer() == 1);
        }
    }

    @Test
    void what_goes_wrong_with_the_upstream_keeps_its_reason() throws Exception {
        var gone = RawUpstream.plaintext(RawUpstream.Turn::reset);
        try (gone) {
            var front = front(gone, List.of());
            get(front, "/acme");
            var end = front.nextEnd();
            assertThat(end.reason()).isEqualTo(Reason.FORWARD_UPSTREAM_RESET);
            assertThat(end.lease()).containsExactly("failed");
        }
    }

    @Test
    void a_permit_is_redeemed_once() throws Exception {
        var forwarder = new GatewayForwarder(routes());
        var front = started(TestFront.of(
                (permit, client) -> {
                    permit.redeem();
                    forwarder.forward(permit, client);
                },
                route(upstream, List.of())));

        try (var socket = send(front, "GET /acme HTTP/1.1\r\nHost: api.example.org\r\n\r\n")) {
            assertThat(readAnswer(socket)).startsWith("HTTP/1.1 502 ");
        }
        assertThat(upstream.connections()).isZero();
    }

    private TestFront front(String... filters) {
        var findings = new Findings();
        var compiled = FilterDefinitions.compile(
                List.of(filters), Set.of("tenant"), PathRules.STRICT, IdentityHeaders.STANDARD, findings.at("filters"));
        assertThat(findings.all()).isEmpty();
        return front(upstream, Objects.requireNonNull(compiled).filters());
    }

    private TestFront front(GatewayFilter filter) {
        return front(upstream, List.of(filter));
    }

    private TestFront front(RawUpstream upstream, List<GatewayFilter> filters) {
        return started(TestFront.of(new GatewayForwarder(routes()), route(upstream, filters)));
    }

    private TestFront started(TestFront started) {
        front = started;
        return started;
    }

    private PermitRouteMapping routes() {
        return new PermitRouteMapping(
                new PinnedWebHandler(new PinnedRoutingFilter(new UpstreamClient(clients))), new StandardEnvironment());
    }

    private static Route route(RawUpstream upstream, List<GatewayFilter> filters) {
        var target = TestTarget.plaintext(upstream.port()).build();
        return Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .settings(
                        StageName.FORWARD,
                        new ForwardPlan(
                                target,
                                new CompiledFilters(filters, PathRules.STRICT),
                                null,
                                new StreamLimit(Duration.ofHours(1), Duration.ZERO),
                                null,
                                new Disclosure(
                                        IdentityHeaders.STANDARD, "api.example.org", "/v1/orders", null, null, false)))
                .build();
    }

    private static List<String> lines(String head) {
        return head.toLowerCase(Locale.ROOT)
                .lines()
                .filter(line -> !line.isEmpty())
                .toList();
    }

    private static String get(TestFront front, String target) throws IOException {
        return raw(front, "GET " + target + " HTTP/1.1\r\nHost: api.example.org\r\n\r\n");
    }

    private static String raw(TestFront front, String request) throws IOException {
        try (var socket = send(front, request)) {
            return readAnswer(socket);
        }
    }

    private static Socket send(TestFront front, String request) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), front.port());
        socket.setSoTimeout(20_000);
        socket.getOutputStream().write(request.getBytes(ISO_8859_1));
        return socket;
    }

    /** One head, and the body that its Content-Length announces. */
    private static String readAnswer(Socket socket) throws IOException {
        var read = new StringBuilder();
        int end = -1;
        while (end < 0 || read.length() < end) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                throw new IOException("the connection ended after: " + read);
            }
            read.append((char) next);
            if (end < 0 && read.toString().endsWith("\r\n\r\n")) {
                var head = read.toString().toLowerCase(Locale.ROOT);
                int at = head.indexOf("content-length: ");
                end = read.length() + (at < 0 ? 0 : Integer.parseInt(head.substring(at + 16, head.indexOf('\r', at))));
            }
        }
        return read.toString();
    }
}
