// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.decision.Reason;
import io.sallyport.forward.upstream.UpstreamConnections;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.identity.FakeSubject;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.RateLimitState;
import io.sallyport.telemetry.Logged;
import io.sallyport.wire.WireServer;
import io.spiffe.spiffeid.SpiffeId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages, bodies and failures, over plaintext; what TLS adds is in {@code upstream.PinnedUpstreamTest}. */
class AttemptTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration BEFORE_THE_DEFAULT = Duration.ofSeconds(3);
    private static final Duration SHORT = Duration.ofMillis(300);

    private final UpstreamConnections clients = new UpstreamConnections(
            new FakeSvidSource(), Duration.ZERO, Duration.ZERO, InstantSource.system(), new SimpleMeterRegistry());
    private final HttpClient browser = HttpClient.newHttpClient();
    private AutoCloseable upstream = () -> {};
    private AutoCloseable front = () -> {};

    @AfterEach
    void stop() throws Exception {
        browser.close();
        front.close();
        upstream.close();
        clients.close();
    }

    // heads

    @Test
    void path_and_query_arrive_exactly_as_they_were_authorized() throws Exception {
        var orders = upstream(RawUpstream.text("hello"));
        var front = front(orders);

        var answer = raw(
                front, "GET /v1/a%20b/c?x=%7B1%7D&y=[2]&z=|{}\" HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "hello");

        assertThat(answer).startsWith("HTTP/1.1 200").endsWith("hello");
        assertThat(orders.received()).startsWith("GET /v1/a%20b/c?x=%7B1%7D&y=[2]&z=|{}\" HTTP/1.1\r\n");
    }

    @Test
    void the_upstream_sees_facts_that_the_gateway_vouches_for_and_no_others() throws Exception {
        var orders = upstream(RawUpstream.text("hello"));
        var front = front(orders);

        raw(front, """
                GET /v1 HTTP/1.1
                Host: api.example.org
                X-Forwarded-For: 6.6.6.6
                X-Forwarded-Proto: gopher
                X-Forwarded-Host: evil.test
                X-Forwarded-Prefix: /evil
                X--Forwarded---Prefix: /evil
                X-Forwarded-Port: 1
                Forwarded: for=6.6.6.6
                X-Real-IP: 6.6.6.6
                X-Request-ID: mine
                X-Auth-User: admin
                X-Forwarded-Client-Cert: Subject="CN=admin"
                Authorization: Bearer secret
                Cookie: session=secret
                DPoP: secret
                Proxy-Authorization: secret
                Connection: keep-alive, X-Hop
                X-Hop: one
                Keep-Alive: timeout=5
                TE: trailers, gzip
                Upgrade: websocket
                Expect: nothing
                HTTP2-Settings: AAA
                X-Http2-Scheme: gopher
                Accept: text/plain
                X-Kept: yes

                """, "hello");

        var head = orders.received().toLowerCase(java.util.Locale.ROOT);
        assertThat(head.lines().skip(1).filter(line -> !line.isEmpty() && !line.startsWith("via: 1.1 sallyport-")))
                .containsExactlyInAnyOrder(
                        "host: 127.0.0.1:" + orders.port(),
                        "accept: text/plain",
                        "x-kept: yes",
                        "x-request-id: " + front.nextEnd().requestId(),
                        "x-forwarded-for: 127.0.0.1",
                        "x-forwarded-proto: http",
                        "x-forwarded-host: api.example.org",
                        "te: trailers",
                        "connection: te");
    }

    @Test
    void the_host_is_the_upstreams_own_unless_the_route_says_otherwise() throws Exception {
        var orders = upstream(RawUpstream.text("hello"));
        var front = front(target(orders, LONG, true, false));

        raw(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org:8443\r\n\r\n", "hello");

        // With the port that clients use, whatever port one of them writes.
        assertThat(orders.received()).containsIgnoringCase("\r\nhost: api.example.org\r\n");
    }

    @Test
    void credentials_reach_the_upstream_only_if_the_route_says_so_and_somebody_was_verified() throws Exception {
        var orders = upstream(RawUpstream.text("hello"));
        var request =
                "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\nAuthorization: Bearer secret\r\nCookie: a=b\r\n\r\n";

        var anonymous = front(target(orders, LONG, false, true));
        raw(anonymous, request, "hello");
        assertThat(orders.received()).doesNotContainIgnoringCase("secret").doesNotContainIgnoringCase("cookie");
        anonymous.close();

        var verified = front(target(orders, LONG, false, true))
                .as(new Principal.Workload(SpiffeId.parse("spiffe://example.org/caller"), Instant.MAX));
        raw(verified, request, "hello");
        assertThat(orders.received())
                .containsIgnoringCase("authorization: bearer secret")
                .containsIgnoringCase("cookie: a=b");
    }

    @Test
    void the_answers_head_is_the_gateways_where_it_speaks_for_itself() throws Exception {
        var orders = upstream(turn -> turn.send("""
                HTTP/1.1 201 Created
                Content-Length: 2
                Server: orders/1.0
                X-Request-ID: theirs
                RateLimit: "theirs";r=1
                RateLimit-Policy: "theirs";q=1
                X-RateLimit-Limit: 1
                Access-Control-Allow-Origin: *
                Alt-Svc: h3=":443"
                Connection: X-Hop
                X-Hop: one
                Keep-Alive: timeout=5
                Proxy-Authenticate: Basic
                Set-Cookie: a=1
                Set-Cookie: b=2

                ok""".replace("\n", "\r\n")));
        var front = front(orders)
                .knowing(context -> context.rateLimitState(new RateLimitState("\"ours\";q=9", "\"ours\";r=8")));

        var answer = get(front, "/v1");

        assertThat(answer.statusCode()).isEqualTo(201);
        var headers = answer.headers();
        assertThat(headers.allValues("x-request-id"))
                .containsExactly(front.nextEnd().requestId());
        assertThat(headers.allValues("ratelimit")).containsExactly("\"ours\";r=8");
        assertThat(headers.allValues("ratelimit-policy")).containsExactly("\"ours\";q=9");
        assertThat(headers.allValues("server")).containsExactly("orders/1.0");
        assertThat(headers.allValues("set-cookie")).containsExactly("a=1", "b=2");
        assertThat(headers.map())
                .doesNotContainKeys(
                        "x-ratelimit-limit",
                        "access-control-allow-origin",
                        "alt-svc",
                        "x-hop",
                        "keep-alive",
                        "proxy-authenticate",
                        "connection");
    }

    @Test
    void an_upstreams_own_rate_limit_is_passed_on_where_the_gateway_has_none() throws Exception {
        var front = front(upstream(
                turn -> turn.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nRateLimit: \"theirs\";r=1\r\n\r\n")));

        assertThat(get(front, "/v1").headers().allValues("ratelimit")).containsExactly("\"theirs\";r=1");
    }

    // bodies

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PUT", "PATCH", "DELETE", "GET"})
    void a_body_of_known_length_arrives_whatever_the_method(String method) throws Exception {
        var orders = upstream(echo());
        var front = front(orders);

        var answer = raw(
                front, method + " /v1 HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 5\r\n\r\nhello", "<hello>");

        assertThat(answer).contains("<hello>");
        assertThat(orders.received())
                .containsIgnoringCase("content-length: 5\r\n")
                .doesNotContainIgnoringCase("chunked");
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "DELETE", "GET"})
    void a_chunked_body_arrives_chunked(String method) throws Exception {
        var orders = upstream(echo());
        var front = front(orders);

        var answer = raw(
                front,
                method + " /v1 HTTP/1.1\r\nHost: api.example.org\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + "3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: dropped\r\n\r\n",
                "<hello>");

        assertThat(answer).contains("<hello>");
        assertThat(orders.received())
                .containsIgnoringCase("transfer-encoding: chunked\r\n")
                .doesNotContainIgnoringCase("content-length")
                .doesNotContainIgnoringCase("x-trailer");
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PUT", "GET", "OPTIONS"})
    void a_request_without_a_body_has_none(String method) throws Exception {
        var orders = upstream(RawUpstream.text("hello"));

        raw(front(orders), method + " /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "hello");

        assertThat(orders.received()).doesNotContainIgnoringCase("chunked").endsWith("\r\n\r\n");
    }

    @Test
    void large_bodies_pass_unchanged_in_both_directions() throws Exception {
        var body = new byte[8 * 1024 * 1024];
        new Random(1).nextBytes(body);
        var front = front(upstream(turn -> {
            var received = turn.readBody();
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n".formatted(received.length));
            turn.send(received);
        }));

        var answer = browser.send(
                HttpRequest.newBuilder(URI.create(front.uri("/v1")))
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                        .build(),
                HttpResponse.BodyHandlers.ofByteArray());

        assertThat(Arrays.equals(answer.body(), body)).isTrue();
        var end = front.nextEnd();
        assertThat(end.outcome()).isInstanceOf(Outcome.Answered.class);
        assertThat(end.lease()).containsExactly("answered 200");
    }

    @Test
    void an_answer_is_passed_on_as_it_comes() throws Exception {
        var clientHasFirst = new CountDownLatch(1);
        var front = front(upstream(turn -> {
            turn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
            awaitLatch(clientHasFirst);
            turn.send("6\r\nsecond\r\n0\r\n\r\n");
        }));

        try (var socket = send(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n")) {
            readUntil(socket, "first");
            clientHasFirst.countDown();
            assertThat(readUntil(socket, "0\r\n\r\n")).contains("second");
        }
    }

    @Test
    void a_body_is_passed_on_as_it_comes() throws Exception {
        var upstreamHasFirst = new CountDownLatch(1);
        var orders = upstream(turn -> {
            turn.readBody();
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        var front = front(orders);

        try (var socket = send(
                front,
                "POST /v1 HTTP/1.1\r\nHost: api.example.org\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")) {
            await().until(() -> orders.received().contains("first"));
            upstreamHasFirst.countDown();
            socket.getOutputStream().write("6\r\nsecond\r\n0\r\n\r\n".getBytes(ISO_8859_1));
            assertThat(readUntil(socket, "ok")).startsWith("HTTP/1.1 200");
        }
        assertThat(orders.received()).contains("second");
    }

    @Test
    void trailer_fields_follow_for_a_client_that_accepts_them() throws Exception {
        var front = front(
                upstream(
                        turn -> turn.send(
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nGrpc-Status: 0\r\nX-Request-ID: theirs\r\n\r\n")));

        var asked = raw(
                front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\nTE: trailers\r\n\r\n", "\r\n0\r\n", "\r\n\r\n");
        assertThat(asked.toLowerCase(java.util.Locale.ROOT))
                .contains("0\r\ngrpc-status: 0\r\n\r\n")
                .doesNotContain("theirs");

        var notAsked = raw(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "\r\n\r\nok");
        assertThat(notAsked).doesNotContainIgnoringCase("grpc-status");
    }

    /** RFC 9110 section 6.5.1. */
    @Test
    void trailer_fields_that_belong_into_a_head_do_not_follow() throws Exception {
        var front = front(upstream(turn -> turn.send("""
                HTTP/1.1 200 OK
                Trailer: Set-Cookie, Location, X-Checked
                Transfer-Encoding: chunked

                2
                ok
                0
                Set-Cookie: evil=1
                Location: https://evil.test/
                WWW-Authenticate: Basic
                Content-Length: 5
                X-Checked: yes

                """.replace("\n", "\r\n"))));

        var asked = raw(
                front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\nTE: trailers\r\n\r\n", "\r\n0\r\n", "\r\n\r\n");

        assertThat(asked.toLowerCase(java.util.Locale.ROOT))
                .contains("0\r\nx-checked: yes\r\n\r\n")
                .doesNotContain("evil")
                .doesNotContain("basic");
    }

    @Test
    void an_answer_without_a_length_ends_with_its_connection() throws Exception {
        var orders = upstream(turn -> {
            turn.send("HTTP/1.0 200 OK\r\n\r\nall of it");
            turn.close();
        });
        var front = front(orders);

        assertThat(get(front, "/v1").body()).isEqualTo("all of it");
        assertThat(get(front, "/v1").body()).isEqualTo("all of it");
        assertThat(orders.connections()).isEqualTo(2);
    }

    // connections

    @Test
    void a_connection_is_used_again() throws Exception {
        var orders = upstream(RawUpstream.text("hello"));
        var front = front(orders);

        try (var socket = send(front, "GET /1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n")) {
            readUntil(socket, "hello");
            socket.getOutputStream().write("GET /2 HTTP/1.1\r\nHost: api.example.org\r\n\r\n".getBytes(ISO_8859_1));
            readUntil(socket, "hello");
        }
        assertThat(orders.connections()).isEqualTo(1);
    }

    /** Trap 12: the bytes behind an answer that has no body were the next client's answer. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nstray",
                "HTTP/1.1 204 No Content\r\n\r\nstray",
                "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nstray\r\n0\r\n\r\n",
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nstray",
                "HTTP/1.1 304 Not Modified\r\n\r\nstray",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokstray",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray",
                "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
            })
    void what_follows_an_answer_is_never_the_next_ones(String first) throws Exception {
        var orders = upstream(turn -> turn.send(
                turn.target().equals("/first") ? first : "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"));
        var front = front(orders);

        try (var socket = send(
                front,
                "GET /first HTTP/1.1\r\nHost: api.example.org\r\n\r\nGET /second HTTP/1.1\r\nHost: api.example.org\r\n\r\n")) {
            assertThat(readUntil(socket, "second")).doesNotContain("stray").doesNotContain(" 50");
        }
        assertThat(orders.connections()).isEqualTo(2);
    }

    @Test
    void what_follows_the_answer_to_a_head_is_never_the_next_ones() throws Exception {
        var orders = upstream(turn -> turn.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"));
        var front = front(orders);

        try (var socket = send(
                front,
                "HEAD /first HTTP/1.1\r\nHost: api.example.org\r\n\r\nGET /second HTTP/1.1\r\nHost: api.example.org\r\n\r\n")) {
            var both = readUntil(socket, "second");
            assertThat(both.split("HTTP/1.1 200 OK", -1)).hasSize(3);
        }
        assertThat(orders.connections()).isEqualTo(2);
    }

    @Test
    void a_connection_is_kept_for_as_long_as_the_route_says() throws Exception {
        var orders = upstream(turn -> turn.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
        var brief = TestTarget.plaintext(orders.port()).idleTimeout(Duration.ofMillis(50));
        var front = front(brief.build());

        assertThat(get(front, "/v1").body()).isEqualTo("ok");
        await().atMost(BEFORE_THE_DEFAULT).until(() -> orders.closedByPeer() == 1);

        var patient = front(brief.idleTimeout(LONG).build());
        assertThat(get(patient, "/v1").body()).isEqualTo("ok");
        await().during(Duration.ofMillis(300)).until(() -> orders.closedByPeer() == 1);
        assertThat(get(patient, "/v1").body()).isEqualTo("ok");
        assertThat(orders.connections()).isEqualTo(2);
    }

    @Test
    void bytes_that_nobody_asked_for_close_an_idle_connection() throws Exception {
        var idle = new CountDownLatch(1);
        var orders = upstream(turn -> {
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            awaitLatch(idle);
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray");
        });
        var front = front(orders);

        assertThat(get(front, "/v1").body()).isEqualTo("ok");
        idle.countDown();

        await().until(() -> orders.closedByPeer() == 1);
        assertThat(get(front, "/v1").body()).isEqualTo("ok");
    }

    /** RFC 9110 section 15.2. */
    @Test
    void interim_answers_come_first() throws Exception {
        var orders = upstream(hinting());
        var front = front(orders);

        try (var socket = send(front, "GET /1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n")) {
            assertThat(readUntil(socket, "\r\n\r\n").lines()).containsExactly("HTTP/1.1 100 Continue", "");
            assertThat(readUntil(socket, "\r\n\r\n").lines())
                    .containsExactly("HTTP/1.1 103 Early Hints", "Link: </x>", "X-Hint: yes", "");
            assertThat(readUntil(socket, "ok")).startsWith("HTTP/1.1 200");
            socket.getOutputStream().write("GET /2 HTTP/1.1\r\nHost: api.example.org\r\n\r\n".getBytes(ISO_8859_1));
            assertThat(readUntil(socket, "ok")).startsWith("HTTP/1.1 100").contains("\r\nHTTP/1.1 200");
        }
        assertThat(orders.connections()).isEqualTo(1);
    }

    /** RFC 9110 section 15.2. */
    @Test
    void a_client_of_http_1_0_gets_no_interim_answer() throws Exception {
        var front = front(upstream(hinting()));

        assertThat(raw(front, "GET /1 HTTP/1.0\r\nHost: api.example.org\r\n\r\n", "ok"))
                .startsWith("HTTP/1.1 200")
                .doesNotContain("Link");
    }

    @Test
    void a_client_that_waits_with_its_body_is_told_once_to_go_on() throws Exception {
        var front = front(upstream(turn -> {
            turn.send("HTTP/1.1 100 Continue\r\n\r\n");
            turn.readBody();
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }));

        try (var socket = send(
                front,
                "POST /1 HTTP/1.1\r\nHost: api.example.org\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")) {
            assertThat(readUntil(socket, "\r\n\r\n")).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            socket.getOutputStream().write("hello".getBytes(ISO_8859_1));
            assertThat(readUntil(socket, "ok")).startsWith("HTTP/1.1 200");
        }
    }

    private static RawUpstream.Script hinting() {
        return turn -> {
            turn.send("HTTP/1.1 100 Continue\r\n\r\n");
            turn.send(
                    "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nX-Hint: yes\r\nAlt-Svc: h3\r\nConnection: X-Hop\r\nX-Hop: one\r\n\r\n");
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        };
    }

    /** RFC 9110 section 6.6.1. */
    @Test
    void an_answer_without_a_date_gets_one() throws Exception {
        var front = front(upstream(RawUpstream.text("hello")));

        var date = get(front, "/v1").headers().allValues("date");

        assertThat(date).hasSize(1);
        var at = Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(date.getFirst()));
        assertThat(Duration.between(WireServer.NOW, at)).isBetween(Duration.ofSeconds(-1), Duration.ofSeconds(20));
    }

    @Test
    void an_answers_own_date_stays() throws Exception {
        var date = "Sun, 06 Nov 1994 08:49:37 GMT";
        var front = front(
                upstream(turn -> turn.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: " + date + "\r\n\r\n")));

        assertThat(get(front, "/v1").headers().allValues("date")).containsExactly(date);
    }

    /** RFC 9110 section 5.3. */
    @Test
    void field_lines_of_one_name_keep_their_order() throws Exception {
        var orders = upstream(turn ->
                turn.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: 1\r\nX-B: x\r\nX-A: 2\r\nx-a: 3\r\n\r\n"));

        var answer = raw(
                front(orders),
                "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\nX-A: 3\r\nX-B: x\r\nx-a: 2\r\nX-A: 1\r\n\r\n",
                "\r\n\r\n");

        assertThat(linesOf(orders.received(), "x-a:")).containsExactly("x-a: 3", "x-a: 2", "x-a: 1");
        assertThat(linesOf(answer, "x-a:")).containsExactly("x-a: 1", "x-a: 2", "x-a: 3");
    }

    /** RFC 9110 sections 10.2.1 and 11.6.1. */
    @Test
    void what_an_upstream_says_of_itself_stays() throws Exception {
        var front = front(
                upstream(
                        turn -> turn.send(
                                "HTTP/1.1 401 No\r\nContent-Length: 0\r\nAllow: GET, BREW\r\nWWW-Authenticate: Basic realm=\"a\"\r\n\r\n")));

        var headers = raw(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "\r\n\r\n");

        assertThat(linesOf(headers, "allow:")).containsExactly("allow: get, brew");
        assertThat(linesOf(headers, "www-authenticate:")).containsExactly("www-authenticate: basic realm=\"a\"");
    }

    /** RFC 9110 section 13.2.1. */
    @Test
    void preconditions_are_the_upstreams_to_evaluate() throws Exception {
        var orders = upstream(RawUpstream.text("hello"));

        var answer = raw(front(orders), """
                GET /v1 HTTP/1.1
                Host: api.example.org
                If-Match: "a"
                If-None-Match: *
                If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT
                If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT
                If-Range: "a"
                Range: bytes=0-1

                """, "hello");

        assertThat(answer).startsWith("HTTP/1.1 200");
        assertThat(linesOf(orders.received(), "if-")).hasSize(5);
        assertThat(linesOf(orders.received(), "range:")).containsExactly("range: bytes=0-1");
    }

    /** RFC 9110 section 15. */
    @Test
    void an_unknown_status_is_passed_on() throws Exception {
        var front = front(upstream(turn -> turn.send("HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nok")));

        assertThat(get(front, "/v1").statusCode()).isEqualTo(299);
    }

    private static List<String> linesOf(String head, String beginning) {
        return head.toLowerCase(Locale.ROOT)
                .lines()
                .filter(line -> line.startsWith(beginning))
                .toList();
    }

    /** RFC 9110 section 7.6.3. */
    @Test
    void the_upstream_sees_through_whom_a_request_came() throws Exception {
        var orders = upstream(RawUpstream.text("hello"));
        var front = front(orders);

        raw(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\nVia: 1.0 fred\r\n\r\n", "hello");
        raw(front, "GET /v1 HTTP/1.0\r\nHost: api.example.org\r\n\r\n", "hello");

        assertThat(vias(orders))
                .satisfiesExactly(
                        first -> assertThat(first).isEqualTo("via: 1.0 fred"),
                        second -> assertThat(second).startsWith("via: 1.1 sallyport-"),
                        third -> assertThat(third).startsWith("via: 1.0 sallyport-"));
    }

    /** RFC 9110 section 7.6. */
    @Test
    void a_request_that_comes_back_does_not_go_round() throws Exception {
        var orders = upstream(RawUpstream.text("hello"));
        var front = front(orders);
        raw(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "hello");
        assertThat(front.nextEnd().outcome()).isInstanceOf(Outcome.Answered.class);

        raw(
                front,
                "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n" + vias(orders).getFirst() + "\r\n\r\n",
                "}");

        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_LOOP);
        assertThat(vias(orders)).hasSize(1);
    }

    private static List<String> vias(RawUpstream upstream) {
        return linesOf(upstream.received(), "via:");
    }

    /** RFC 9110 section 7.6.2. */
    @ParameterizedTest
    @CsvSource({"OPTIONS,2,max-forwards: 1", "OPTIONS,1,max-forwards: 0", "OPTIONS,many,''", "GET,2,max-forwards: 2"})
    void max_forwards_counts_down(String method, String received, String forwarded) throws Exception {
        var orders = upstream(RawUpstream.text("hello"));

        raw(
                front(orders),
                method + " /v1 HTTP/1.1\r\nHost: api.example.org\r\nMax-Forwards: " + received + "\r\n\r\n",
                "hello");

        assertThat(orders.received().toLowerCase(Locale.ROOT).lines().filter(line -> line.startsWith("max-forwards")))
                .containsExactlyElementsOf(forwarded.isEmpty() ? List.of() : List.of(forwarded));
    }

    /** What is still sent of the body meets a reset. */
    @RepeatedTest(48)
    void an_answer_before_the_end_of_the_body_is_not_lost() throws Exception {
        var front = front(upstream(turn -> {
            turn.send("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge");
            turn.close();
        }));
        var body = new byte[8 * 1024 * 1024];

        try (var socket = send(
                front,
                "POST /1 HTTP/1.1\r\nHost: api.example.org\r\nExpect: 100-continue\r\nContent-Length: " + body.length
                        + "\r\n\r\n")) {
            var head = readUntil(socket, "\r\n\r\n");
            if (head.startsWith("HTTP/1.1 100")) {
                Thread.ofVirtual().start(() -> {
                    try {
                        socket.getOutputStream().write(body);
                    } catch (IOException _) {
                        // It is not wanted.
                    }
                });
                head = readUntil(socket, "\r\n\r\n");
            }
            assertThat(head).startsWith("HTTP/1.1 413").containsIgnoringCase("connection: close");
            assertThat(readUntil(socket, "large")).isEqualTo("large");
        }
        assertThat(front.nextEnd().outcome()).isEqualTo(new Outcome.Answered(413));
    }

    // requests that meet the end of their connection

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "OPTIONS"})
    void a_request_that_is_safe_is_sent_once_more_where_its_connection_had_been_used(String method) throws Exception {
        var requests = new AtomicInteger();
        var orders = upstream(turn -> {
            if (requests.incrementAndGet() == 2) {
                turn.close();
            } else {
                turn.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Turn: %d\r\n\r\n".formatted(requests.get()));
            }
        });
        var front = front(orders);

        var answer = second(front, method + " /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 200").containsIgnoringCase("x-turn: 3");
        assertThat(orders.connections()).isEqualTo(2);
        var end = front.nextEnd();
        assertThat(end.outcome()).isEqualTo(new Outcome.Answered(200));
        assertThat(end.lease()).containsExactly("answered 200");
    }

    @Test
    void it_is_not_sent_a_third_time() throws Exception {
        var requests = new AtomicInteger();
        var orders = upstream(turn -> {
            if (requests.incrementAndGet() == 1) {
                turn.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            } else {
                turn.close();
            }
        });
        var front = front(orders);

        assertThat(second(front, FIRST, "}")).startsWith("HTTP/1.1 502");
        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_RESET);
        assertThat(requests).hasValue(3);
        assertThat(orders.connections()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n",
                "DELETE /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n",
                "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 1\r\n\r\nx"
            })
    void any_other_request_is_not_sent_again(String request) throws Exception {
        var requests = new AtomicInteger();
        var orders = upstream(turn -> {
            if (requests.incrementAndGet() == 2) {
                turn.close();
            } else {
                turn.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        });
        var front = front(orders);

        assertThat(second(front, request, "}")).startsWith("HTTP/1.1 502");
        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_RESET);
        assertThat(requests).hasValue(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"H", "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\n"})
    void a_request_that_has_one_byte_of_an_answer_is_not_sent_again(String begun) throws Exception {
        var requests = new AtomicInteger();
        var orders = upstream(turn -> {
            if (requests.incrementAndGet() == 2) {
                turn.send(begun);
                turn.close();
            } else {
                turn.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        });
        var front = front(orders);

        assertThat(second(front, FIRST, "}")).contains("HTTP/1.1 502");
        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_RESET);
        assertThat(requests).hasValue(2);
    }

    @Test
    void a_request_on_a_connection_that_was_reset_is_sent_once_more_too() throws Exception {
        var requests = new AtomicInteger();
        var orders = upstream(turn -> {
            if (requests.incrementAndGet() == 2) {
                turn.reset();
            } else {
                turn.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        });
        var front = front(orders);

        assertThat(second(front, FIRST, "\r\n\r\n")).startsWith("HTTP/1.1 200");
        assertThat(requests).hasValue(3);
    }

    private static final String FIRST = "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n";

    /** What a request gets behind another on the same connections. */
    private static String second(TestFront front, String request, String end) throws Exception {
        try (var socket = send(front, FIRST)) {
            readUntil(socket, "\r\n\r\n");
            front.nextEnd();
            socket.getOutputStream().write(request.getBytes(ISO_8859_1));
            return readUntil(socket, end);
        }
    }

    @Test
    void redirects_are_the_clients_to_follow() throws Exception {
        var orders =
                upstream(turn -> turn.send("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"));

        var answer = get(front(orders), "/v1");

        assertThat(answer.statusCode()).isEqualTo(302);
        assertThat(orders.received()).doesNotContain("/elsewhere");
    }

    // failures, each with its reason

    @Test
    void nobody_listening_is_connect_failed() throws Exception {
        int port;
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = taken.getLocalPort();
        }

        assertRefused(front(target("http://127.0.0.1:" + port, LONG)), 502, Reason.FORWARD_CONNECT_FAILED);
    }

    @Test
    void a_name_that_does_not_resolve_is_connect_failed() throws Exception {
        assertRefused(front(target("http://no-such-host.invalid:80", LONG)), 502, Reason.FORWARD_CONNECT_FAILED);
    }

    @Test
    void an_upstream_that_accepts_nobody_is_connect_timeout() throws Exception {
        try (var full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var _ = new Socket(InetAddress.getLoopbackAddress(), full.getLocalPort());
                var _ = new Socket(InetAddress.getLoopbackAddress(), full.getLocalPort())) {
            assertRefused(
                    front(target("http://127.0.0.1:" + full.getLocalPort(), LONG)),
                    504,
                    Reason.FORWARD_CONNECT_TIMEOUT);
        }
    }

    @Test
    void an_upstream_that_says_nothing_is_response_timeout() throws Exception {
        var orders = upstream(RawUpstream.Turn::awaitClose);

        assertRefused(front(target(orders, SHORT, false, false)), 504, Reason.FORWARD_RESPONSE_TIMEOUT);
        await().until(() -> orders.closedByPeer() == 1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nContent-Length: SECRETVALUE\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: SECRETVALUE\r\n\r\n",
                "HTTP/1.1 SECRETVALUE OK\r\n\r\n",
                "HTTP/SECRETVALUE 200 OK\r\n\r\n",
                "SECRETVALUE\r\n\r\n",
                "HTTP/1.1 200 OK\r\nSECRETVALUE\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX: a\u0000SECRETVALUE\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: SECRETVALUE\r\n\r\n"
            })
    void what_an_upstream_sent_stands_in_no_evidence(String answer) throws Exception {
        var front = front(upstream(turn -> turn.send(answer)));
        try (var browser = HttpClient.newHttpClient()) {
            var refused = browser.send(
                    HttpRequest.newBuilder(URI.create(front.uri("/v1"))).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(refused.statusCode()).isEqualTo(502);
        }

        assertThat(front.nextEnd().evidence().values()).isNotEmpty().noneMatch(value -> value.contains("SECRET"));
    }

    @Test
    void what_an_upstream_sent_in_a_chunk_stands_in_no_evidence() throws Exception {
        var front = front(upstream(turn ->
                turn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nSECRETVALUE\r\n")));
        try (var socket = send(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n")) {
            assertThatThrownBy(() -> readUntil(socket, "\r\n0\r\n\r\n")).isInstanceOf(IOException.class);
        }

        assertThat(front.nextEnd().evidence().values()).isNotEmpty().noneMatch(value -> value.contains("SECRET"));
    }

    @Test
    void a_word_of_other_origins_that_is_removed_is_logged_once_for_its_route() throws Exception {
        var target = target(
                upstream(turn ->
                        turn.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nAccess-Control-Allow-Origin: *\r\n\r\n")),
                LONG,
                false,
                false);
        var started = TestFront.of(
                new DirectForwarder(new UpstreamClient(clients)), TestFront.route("does-its-own-cors", target));
        front = started;
        try (var logged = Logged.of(RemovedCors.class);
                var browser = HttpClient.newHttpClient()) {
            for (int i = 0; i < 2; i++) {
                browser.send(
                        HttpRequest.newBuilder(URI.create(started.uri("/v1"))).build(),
                        HttpResponse.BodyHandlers.ofString());
                started.nextEnd();
            }

            assertThat(logged.lines()).hasSize(1);
            assertThat(RemovedCors.routes()).contains("does-its-own-cors");
        }
    }

    @Test
    void interim_answers_do_not_buy_time() throws Exception {
        var orders = upstream(turn -> {
            turn.send("HTTP/1.1 100 Continue\r\n\r\n");
            turn.awaitClose();
        });

        assertRefused(front(target(orders, SHORT, false, false)), 504, Reason.FORWARD_RESPONSE_TIMEOUT);
    }

    @Test
    void interim_answers_without_end_are_a_protocol_error() throws Exception {
        var orders = upstream(turn -> {
            while (true) {
                turn.send("HTTP/1.1 100 Continue\r\n\r\n");
            }
        });

        assertRefused(front(target(orders, LONG, false, false)), 502, Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);
    }

    @Test
    void an_upstream_that_falls_silent_in_its_answer_cuts_it_off() throws Exception {
        var front = front(target(
                upstream(turn -> {
                    turn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
                    turn.awaitClose();
                }),
                SHORT,
                false,
                false));

        assertBrokenOff(front, "half", Reason.FORWARD_RESPONSE_TIMEOUT);
    }

    @Test
    void an_exchange_that_lasts_too_long_is_cut_and_is_nobodys_fault() throws Exception {
        var front = streaming(new StreamLimit(SHORT, Duration.ZERO));

        assertBrokenOff(front, "half", Reason.FORWARD_STREAM_OVER, "abandoned");
    }

    @Test
    void an_exchange_is_cut_when_the_callers_token_is_no_longer_valid() throws Exception {
        var caller = FakeSubject.alice().build();
        var overdue = Duration.between(caller.expiresAt(), FakeRequest.NOW).plusSeconds(1);

        assertBrokenOff(
                streaming(new StreamLimit(Duration.ofHours(1), overdue)).as(caller),
                "half",
                Reason.FORWARD_STREAM_OVER,
                "abandoned");
    }

    private TestFront streaming(StreamLimit limit) {
        var upstream = upstream(turn -> {
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
            turn.awaitClose();
        });
        var started = TestFront.of(
                new DirectForwarder(new UpstreamClient(clients)),
                TestFront.route("orders", target(upstream, LONG, false, false), limit));
        front = started;
        return started;
    }

    @Test
    void an_upstream_that_does_not_take_the_body_is_response_timeout() throws Exception {
        var front = front(target(upstream(turn -> awaitLatch(new CountDownLatch(1))), SHORT, false, false));

        var socket = send(front, "POST /v1 HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 1000000000\r\n\r\n");
        Thread.ofVirtual().start(() -> {
            var piece = new byte[64 * 1024];
            try (socket) {
                while (true) {
                    socket.getOutputStream().write(piece);
                }
            } catch (IOException e) {
                // The front has closed: there is its answer.
            }
        });

        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_RESPONSE_TIMEOUT);
    }

    @Test
    void a_client_that_reads_slowly_is_not_the_upstreams_silence() throws Exception {
        var size = 64 * 1024 * 1024;
        var front = front(target(
                upstream(turn -> {
                    turn.send("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n".formatted(size));
                    turn.send(new byte[size]);
                }),
                SHORT,
                false,
                false));

        try (var socket = send(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n")) {
            readUntil(socket, "\r\n\r\n");
            // Longer than the upstream's time-out: the time itself is what is tested.
            Thread.sleep(SHORT.multipliedBy(3));
            assertThat(socket.getInputStream().readNBytes(size - 1024)).hasSize(size - 1024);
        }
    }

    @Test
    void an_upstream_that_resets_before_its_answer_is_reset() throws Exception {
        assertRefused(front(upstream(RawUpstream.Turn::reset)), 502, Reason.FORWARD_UPSTREAM_RESET);
    }

    @Test
    void so_is_one_that_closes_before_its_answer() throws Exception {
        assertRefused(front(upstream(RawUpstream.Turn::close)), 502, Reason.FORWARD_UPSTREAM_RESET);
    }

    @Test
    void so_is_one_that_closes_within_its_head() throws Exception {
        assertRefused(
                front(upstream(turn -> {
                    turn.send("HTTP/1.1 200 OK\r\nContent-");
                    turn.close();
                })),
                502,
                Reason.FORWARD_UPSTREAM_RESET);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"
            })
    void an_answer_that_breaks_off_never_looks_complete(String half) throws Exception {
        var front = front(upstream(turn -> {
            turn.send(half);
            turn.close();
        }));

        assertBrokenOff(front, "half", Reason.FORWARD_UPSTREAM_RESET);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nonsense\r\n\r\n",
                "HTTP/1.1 999 Odd\r\n\r\n",
                "HTTP/1.1 99 Odd\r\n\r\n",
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello"
            })
    void what_is_no_answer_is_a_protocol_error(String nonsense) throws Exception {
        var orders = upstream(turn -> {
            turn.send(nonsense);
            turn.awaitClose();
        });

        assertRefused(front(orders), 502, Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);
        await().until(() -> orders.closedByPeer() == 1);
    }

    @Test
    void so_is_a_head_without_end() throws Exception {
        var orders = upstream(turn -> {
            turn.send("HTTP/1.1 200 OK\r\nX-Long: " + "x".repeat(70 * 1024));
            turn.awaitClose();
        });

        assertRefused(front(orders), 502, Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);
    }

    @Test
    void a_malformed_chunk_cuts_the_answer_off() throws Exception {
        var received = new CountDownLatch(1);
        var front = front(upstream(turn -> {
            turn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
            awaitLatch(received);
            turn.send("nonsense\r\n");
            turn.awaitClose();
        }));

        try (var socket = send(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n")) {
            readUntil(socket, "half");
            received.countDown();
            assertThatThrownBy(() -> readUntil(socket, "\r\n0\r\n\r\n")).isInstanceOf(IOException.class);
        }
        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);
    }

    @Test
    void one_that_came_with_the_head_refuses_all_of_it() throws Exception {
        var orders = upstream(turn -> {
            turn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nnonsense\r\n");
            turn.awaitClose();
        });

        assertRefused(front(orders), 502, Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);
    }

    // clients that go away

    @Test
    void a_client_that_goes_away_takes_the_upstreams_connection_with_it() throws Exception {
        var orders = upstream(RawUpstream.Turn::awaitClose);
        var front = front(orders);

        var socket = send(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n");
        await().until(() -> orders.received().endsWith("\r\n\r\n"));
        socket.close();

        await().until(() -> orders.closedByPeer() == 1);
        assertThat(front.nextEnd().lease()).containsExactly("abandoned");
    }

    /** What is taken back costs a request, and no handshake: a client that does so without end gets no more for it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 6\r\n\r\nunread",
                "Transfer-Encoding: chunked\r\n\r\n6\r\nunread\r\n0\r\n\r\n",
                "Content-Length: 0\r\n\r\n"
            })
    void an_answer_that_is_on_its_way_is_read_and_forgotten_and_its_connection_kept(String unread) throws Exception {
        int times = 10;
        var gone = new Semaphore(0);
        var orders = upstream(turn -> {
            gone.acquireUninterruptibly();
            turn.send("HTTP/1.1 200 OK\r\n" + unread);
        });
        var front = front(orders);

        for (int i = 1; i <= times; i++) {
            int sent = i;
            var socket = send(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n");
            await().until(() -> orders.received().split("\r\n\r\n", -1).length == sent + 1);
            socket.close();
            assertThat(front.nextEnd().lease()).containsExactly("abandoned");
            gone.release();
            // Else the next request's turn could take what this one's has not come to take yet.
            await().pollInterval(Duration.ofMillis(5)).until(() -> gone.availablePermits() == 0);
        }

        // Not one of them, for each event loop has its own, and the next request may come before the answer has been
        // read.
        assertThat(orders.connections()).isLessThan(times);
        gone.release();
        assertThat(get(front, "/v1").statusCode()).isEqualTo(200);
    }

    @Test
    void one_that_is_long_is_not() throws Exception {
        var gone = new CountDownLatch(1);
        var orders = upstream(turn -> {
            awaitLatch(gone);
            turn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (int i = 0; i < 20; i++) {
                turn.send("2000\r\n" + "x".repeat(0x2000) + "\r\n");
            }
            turn.awaitClose();
        });
        var front = front(orders);

        var socket = send(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n");
        await().until(() -> orders.received().endsWith("\r\n\r\n"));
        socket.close();
        assertThat(front.nextEnd().lease()).containsExactly("abandoned");
        gone.countDown();

        await().until(() -> orders.closedByPeer() == 1);
    }

    @Test
    void one_that_goes_away_in_the_middle_of_an_answer_does_too() throws Exception {
        var orders = upstream(turn -> {
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
            turn.awaitClose();
        });
        var front = front(orders);

        var socket = send(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n");
        readUntil(socket, "half");
        socket.close();

        await().until(() -> orders.closedByPeer() == 1);
        assertThat(front.nextEnd().lease()).containsExactly("abandoned");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
                "Transfer-Encoding: chunked\r\n\r\n9\r\nhalf",
                "Content-Length: 9\r\n\r\nhalf"
            })
    void a_body_that_breaks_off_never_looks_complete(String half) throws Exception {
        var orders = upstream(echo());
        var front = front(orders);

        var socket = send(front, "POST /v1 HTTP/1.1\r\nHost: api.example.org\r\n" + half);
        await().until(() -> orders.received().contains("half"));
        socket.close();

        await().until(() -> orders.closedByPeer() == 1);
        assertThat(orders.received()).doesNotContain("\r\n0\r\n\r\n");
        assertThat(front.nextEnd().lease()).containsExactly("abandoned");
    }

    private static void assertRefused(TestFront front, int status, Reason reason) throws Exception {
        try (var browser = HttpClient.newHttpClient()) {
            var answer = browser.send(
                    HttpRequest.newBuilder(URI.create(front.uri("/v1"))).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).isEqualTo(status);
        }
        var end = front.nextEnd();
        assertThat(end.reason()).isEqualTo(reason);
        assertThat(end.lease()).containsExactly("failed");
    }

    private static void assertBrokenOff(TestFront front, String received, Reason reason) throws Exception {
        assertBrokenOff(front, received, reason, "failed");
    }

    private static void assertBrokenOff(TestFront front, String received, Reason reason, String lease)
            throws Exception {
        try (var socket = send(front, "GET /v1 HTTP/1.1\r\nHost: api.example.org\r\n\r\n")) {
            readUntil(socket, received);
            assertThatThrownBy(() -> readUntil(socket, "\r\n0\r\n\r\n")).isInstanceOf(IOException.class);
        }
        var end = front.nextEnd();
        assertThat(end.reason()).isEqualTo(reason);
        assertThat(end.lease()).containsExactly(lease);
    }

    private static RawUpstream.Script echo() {
        return turn -> {
            var body = "<" + new String(turn.readBody(), ISO_8859_1) + ">";
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s".formatted(body.length(), body));
        };
    }

    private RawUpstream upstream(RawUpstream.Script script) {
        var started = RawUpstream.plaintext(script);
        upstream = started;
        return started;
    }

    private TestFront front(RawUpstream upstream) {
        return front(target(upstream, LONG, false, false));
    }

    private TestFront front(UpstreamTarget target) {
        var started = TestFront.of(new DirectForwarder(new UpstreamClient(clients)), TestFront.route("orders", target));
        front = started;
        return started;
    }

    private static UpstreamTarget target(
            RawUpstream upstream, Duration timeout, boolean preserveHost, boolean forwardToken) {
        return TestTarget.plaintext(upstream.port())
                .timeout(timeout)
                .connectTimeout(SHORT)
                .preserveHost(preserveHost)
                .forwardToken(forwardToken)
                .build();
    }

    private static UpstreamTarget target(String uri, Duration timeout) {
        var parsed = URI.create(uri);
        return TestTarget.plaintext(parsed.getPort())
                .at(parsed.getHost())
                .timeout(timeout)
                .connectTimeout(SHORT)
                .build();
    }

    private HttpResponse<String> get(TestFront front, String path) throws IOException, InterruptedException {
        return browser.send(
                HttpRequest.newBuilder(URI.create(front.uri(path))).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String raw(TestFront front, String request, String... until) throws IOException {
        try (var socket = send(front, request.contains("\r\n") ? request : request.replace("\n", "\r\n"))) {
            var answer = new StringBuilder();
            for (var end : until) {
                answer.append(readUntil(socket, end));
            }
            return answer.toString();
        }
    }

    private static Socket send(TestFront front, String request) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), front.port());
        socket.setSoTimeout(20_000);
        socket.getOutputStream().write(request.getBytes(ISO_8859_1));
        return socket;
    }

    private static String readUntil(Socket socket, String end) throws IOException {
        var read = new StringBuilder();
        while (!read.toString().endsWith(end)) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                throw new IOException("the connection ended after: " + read);
            }
            read.append((char) next);
        }
        return read.toString();
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
