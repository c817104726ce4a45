// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static io.sallyport.app.hostile.Http2Connection.END_HEADERS;
import static io.sallyport.app.hostile.Http2Connection.END_STREAM;
import static io.sallyport.app.hostile.Http2Connection.HEADERS;
import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.scenarios.RawConnection;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients and upstreams may expect of a gateway, on both ways forward; {@code docs/http-conformance.md} has the list. */
@ParameterizedClass
@EnumSource(Way.class)
class HttpConformanceIT {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    /** RFC 9110 section 3.3. */
    @Test
    void two_requests_on_one_connection_are_two_callers() throws Exception {
        try (var connection = world.connect()) {
            var known = connection
                    .write("GET /secret/a HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n"
                            .formatted(way.host(), world.token(Map.of())))
                    .read();
            assertThat(known.status()).isEqualTo(200);
            assertThat(get(connection, "/secret/a").status()).isEqualTo(401);
        }
    }

    /** RFC 9110 section 15.2, RFC 8297. */
    @Test
    void early_hints_reach_a_client_of_either_version() throws Exception {
        var target = answering("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX-Hint: yes\r\n\r\n" + OK);
        try (var connection = world.connect()) {
            connection.write("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(target, way.host()));
            var hints = connection.readHead();
            assertThat(hints.status()).isEqualTo(103);
            assertThat(hints.field("link")).isEqualTo("</a.css>");
            // Filters do not see it, so that nothing else passes where there are any.
            assertThat(hints.fields().contains("X-Hint: yes")).isEqualTo(way == Way.DIRECT);
            assertThat(connection.read().body()).isEqualTo("ok");
        }
        try (var connection = Http2Connection.open(world)) {
            connection.send(
                    HEADERS,
                    END_HEADERS | END_STREAM,
                    1,
                    Http2Connection.block(
                            ":method", "GET", ":scheme", "https", ":authority", way.host(), ":path", target));
            assertThat(connection.outcomeOf(1)).isEqualTo("103");
            assertThat(connection.outcomeOf(1)).isEqualTo("200");
        }
        try (var connection = world.connect()) {
            connection.write("GET %s HTTP/1.0\r\nHost: %s\r\n\r\n".formatted(target, way.host()));
            assertThat(connection.read().status()).isEqualTo(200);
        }
    }

    /** RFC 9110 section 6.5, RFC 9112 section 7.1.2. */
    @Test
    void trailers_reach_a_client_that_asks_for_them() throws Exception {
        var target = answering(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Checksum: 1\r\nX-Auth-User: evil\r\nConnection: close\r\nAuthorization: evil\r\n\r\n");
        try (var connection = world.connect()) {
            var answer = connection
                    .write("GET %s HTTP/1.1\r\nHost: %s\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n"
                            .formatted(target, way.host()))
                    .readToEnd();
            assertThat(answer).endsWith("\r\n0\r\nX-Checksum: 1\r\n\r\n").doesNotContain("evil");
        }
        try (var connection = world.connect()) {
            assertThat(get(connection, target).body()).isEqualTo("ok");
        }
    }

    /** RFC 9110 section 7.6.2. */
    @Test
    void an_options_request_that_may_go_no_further_is_answered_here() throws Exception {
        int mark = world.upstream().mark();
        try (var connection = world.connect()) {
            var answer = connection
                    .write(
                            "OPTIONS /projects/plain/a HTTP/1.1\r\nHost: %s\r\nMax-Forwards: 0\r\nAuthorization: Bearer %s\r\n\r\n"
                                    .formatted(way.host(), world.token(Map.of())))
                    .readHead();
            assertThat(answer.status()).isEqualTo(204);
        }
        assertThat(world.upstream().since(mark)).isEmpty();
    }

    /** RFC 9112 section 9.8. A client would see a truncation attack in anything else. */
    @Test
    void the_end_of_a_connection_is_announced_by_tls() throws Exception {
        try (var connection = world.connect()) {
            connection.write("GET /a HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n".formatted(way.host()));
            assertThat(connection.read().status()).isEqualTo(200);
            assertThat(connection.isClosedByPeer()).isTrue();
        }
    }

    // paths and queries

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\0',
            value = {
                "/projects/group%2Fproj/issues, /projects/group%2Fproj/issues",
                "/projects/group%2fproj/issues?x=%2f, /projects/group%2Fproj/issues?x=%2f",
                "/projects/plain;v=1/issues;a, /projects/plain;v=1/issues;a",
                "/projects/%70lain/a|b, /projects/plain/a%7Cb",
                "/projects/plain/a?f=a|b&q={100%}\\, /projects/plain/a?f=a%7Cb&q=%7B100%25%7D%5C",
            })
    void what_a_route_lets_pass_is_forwarded_in_one_form(String target, String forwarded) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = world.connect()) {
            assertThat(getWithToken(connection, target).status()).isEqualTo(200);
        }
        assertThat(world.upstream().since(mark))
                .extracting(RecordingUpstream.Message::target)
                .containsExactly(forwarded);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/projects/group%2Fother/issues",
                "/projects/group%2F../issues",
                "/projects/group%2F%2Fproj/issues",
                "/projects/plain/a%2Fb",
                "/projects/..;/plain/a",
                "/projects/plain;/../../secret/x",
                "/projects/plain%3Bv=1/issues",
                "/projects/plain/a\\b",
                "/a%2Fb",
                "/a;b",
            })
    void what_it_does_not_is_refused(String target) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = world.connect()) {
            // 403 where the rule reads a value that it does not allow.
            assertThat(getWithToken(connection, target).status()).isIn(400, 403);
        }
        assertThat(world.upstream().since(mark)).isEmpty();
    }

    // answers that name the upstream

    @Test
    void an_upstream_that_names_itself_names_the_gateway() throws Exception {
        var inner = "https://localhost:" + world.upstream().port();
        var outer = "https://" + way.host() + ":" + world.port();
        var target = "/shop" + world.target();
        world.upstream()
                .answer(
                        target.substring("/shop".length()),
                        new RecordingUpstream.Answer(
                                "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s/login?x\r\nSet-Cookie: a=b; Domain=localhost; Path=/\r\n\r\n"
                                        .formatted(inner),
                                false,
                                false));
        try (var connection = world.connect()) {
            var answer = get(connection, target);

            assertThat(answer.field("location")).isEqualTo(outer + "/shop/login?x");
            assertThat(answer.field("set-cookie")).isEqualTo("a=b; Domain=" + way.host() + "; Path=/shop/");
        }
    }

    @Test
    void on_a_route_that_does_not_say_so_it_stays() throws Exception {
        var location = "https://localhost:" + world.upstream().port() + "/login";
        var target = answering("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + "\r\n\r\n");
        try (var connection = world.connect()) {
            assertThat(get(connection, target).field("location")).isEqualTo(location);
        }
    }

    // health checks, and requests without a credential

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /healthz HTTP/1.1\r\nHost: 10.1.2.3:29443\r\n\r\n",
                "GET /healthz HTTP/1.1\r\n\r\n",
                "GET /healthz HTTP/1.0\r\n\r\n",
            })
    void a_health_check_is_answered_whatever_its_host(String check) throws Exception {
        try (var connection = world.connect()) {
            var answer = connection.write(check).read();
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.body()).isEqualTo("ok\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/secret/a", "/judged/a", "/projects/plain/a"})
    void an_oversized_request_without_a_credential_is_asked_for_one(String target) throws Exception {
        try (var connection = world.connect()) {
            connection.write(
                    "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000000000\r\n\r\n".formatted(target, way.host()));
            assertThat(connection.read().status()).isEqualTo(401);
        }
    }

    @Test
    void with_one_it_is_too_large() throws Exception {
        int mark = world.upstream().mark();
        try (var connection = world.connect()) {
            connection.write(
                    "POST /secret/a HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: 1000000000\r\n\r\n"
                            .formatted(way.host(), world.token(Map.of())));
            assertThat(connection.read().status()).isEqualTo(413);
        }
        assertThat(world.upstream().since(mark)).isEmpty();
    }

    /** RFC 9728 section 3. */
    @Test
    void every_path_of_a_host_has_metadata_and_its_challenge_says_where() throws Exception {
        try (var connection = world.connect()) {
            for (var path : new String[] {"/secret/a", "/secret/some/where", "/projects/group%2Fproj/issues"}) {
                var metadata = "/.well-known/oauth-protected-resource" + path;
                var base = "https://" + way.host() + ":" + world.port();
                assertThat(get(connection, path).field("www-authenticate"))
                        .isEqualTo(
                                "Bearer realm=\"%s\",resource_metadata=\"%s\"".formatted(way.host(), base + metadata));

                var document = get(connection, metadata);

                assertThat(document.status()).isEqualTo(200);
                assertThat(document.body())
                        .startsWith("{\"resource\":\"%s\",\"authorization_servers\":[".formatted(base + path));
            }
            assertThat(get(connection, "/.well-known/oauth-protected-resource/no/such/path")
                            .status())
                    .isEqualTo(200);
        }
    }

    private static String answering(String answer) {
        var target = world.target();
        world.upstream().answer(target, new RecordingUpstream.Answer(answer, false, false));
        return target;
    }

    private RawConnection.Response get(RawConnection connection, String target) throws Exception {
        return connection
                .write("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(target, way.host()))
                .read();
    }

    private RawConnection.Response getWithToken(RawConnection connection, String target) throws Exception {
        return connection
                .write("GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n"
                        .formatted(target, way.host(), world.token(Map.of())))
                .read();
    }
}
