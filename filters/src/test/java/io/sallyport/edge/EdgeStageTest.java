// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.pipeline.CanonicalPath;
import io.sallyport.pipeline.ClientAddress;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.StageName;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the stage refuses, what it removes, and what it hands on. */
class EdgeStageTest {
    private static final String HOST = "api.example.org";
    private static final String PEER = "192.0.2.7";

    private static final Route ORDERS = Route.builder("orders", HOST, Route.Kind.UPSTREAM)
            .settings(StageName.EDGE, new BodyLimit(100))
            .build();
    private static final Route ACCEPTING = Route.builder("accepting", "api.example.org", Route.Kind.UPSTREAM)
            .removing(IdentityHeaders.STANDARD.except(List.of("X-Tenant-ID")))
            .build();
    private static final Route FILES =
            Route.builder("files", HOST, Route.Kind.UPSTREAM).makePublic().build();
    private static final Route PROJECTS =
            Route.builder("projects", HOST, Route.Kind.UPSTREAM).makePublic().build();
    private static final Route UNMATCHED =
            Route.builder("sallyport:unmatched", HOST, Route.Kind.UNMATCHED).build();

    private static final Snapshot SNAPSHOT = snapshot();

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final EdgeStage stage = new EdgeStage(meters);

    private static Snapshot snapshot() {
        var routes = requireNonNull(RouteTable.compile(
                List.of(
                        new RouteTable.Entry(
                                ORDERS,
                                PathPattern.parse("/v1/{tenant}/orders/**"),
                                Set.of(HttpMethod.GET, HttpMethod.POST)),
                        new RouteTable.Entry(FILES, PathPattern.parse("/files/**"), Set.of(HttpMethod.GET)),
                        new RouteTable.Entry(ACCEPTING, PathPattern.parse("/accepting"), Set.of(HttpMethod.GET)),
                        new RouteTable.Entry(
                                PROJECTS,
                                PathPattern.parse("/v4/{project}/**"),
                                Set.of(HttpMethod.GET),
                                new PathRules(PathRules.Handling.PASS, PathRules.Handling.PASS))),
                List.of(UNMATCHED),
                new Findings().at("sallyport.routes")));
        var settings = new EdgeSettings(
                routes,
                List.of(Cidr.parse("10.0.0.0/8"), Cidr.parse("2001:db8::/32")),
                new HeadLimits(200, 400, 8),
                new BodyLimit(1000),
                IdentityHeaders.with(List.of("X-Tenant-ID")));
        return new Snapshot("test", List.of(ORDERS, FILES, PROJECTS, UNMATCHED), Map.of(StageName.EDGE, settings));
    }

    @ParameterizedTest
    @MethodSource
    void a_request_with_two_readings_is_refused(FakeRequest request, Reason reason) {
        var context = request.snapshot(SNAPSHOT).on(null).context();

        assertThat(reasonOf(stage.evaluate(context))).isEqualTo(reason);
        assertThat(context.client()).isNotNull();
    }

    static Stream<Arguments> a_request_with_two_readings_is_refused() {
        return Stream.of(
                        refused(
                                Reason.EDGE_METHOD_REFUSED,
                                FakeRequest.of(HttpMethod.TRACE, "/files/a"),
                                FakeRequest.of(HttpMethod.CONNECT, HOST + ":443")),
                        refused(
                                Reason.EDGE_TARGET_MALFORMED,
                                FakeRequest.of(HttpMethod.OPTIONS, "*"),
                                get(""),
                                get("files/a"),
                                get(HOST + ":443"),
                                get("ftp://" + HOST + "/files/a"),
                                get("http:/files/a"),
                                get("http://" + HOST + "#/files/a")),
                        refused(Reason.EDGE_TARGET_TOO_LONG, get("/files/" + "a".repeat(200))),
                        refused(
                                Reason.EDGE_HOST_MISSING,
                                get("/files/a").withoutHeader("Host"),
                                get("/files/a").host(""),
                                get("http://" + HOST + "/files/a").withoutHeader("Host")),
                        refused(
                                Reason.EDGE_HOST_AMBIGUOUS,
                                get("/files/a").header("Host", HOST),
                                get("/files/a").header("host", "other.example.org"),
                                get("http://other.example.org/files/a"),
                                get("http://" + HOST + ":8080/files/a"),
                                get("http://user@" + HOST + "/files/a"),
                                get("http:///files/a"),
                                get("http://" + HOST + "@other.example.org/files/a")),
                        refused(
                                Reason.EDGE_HOST_MALFORMED,
                                Stream.of(
                                                HOST + ".",
                                                "." + HOST,
                                                "api..example.org",
                                                "-api.example.org",
                                                "api_.example.org",
                                                "api.example.org:",
                                                "api.example.org:x",
                                                "api.example.org:65536",
                                                "api.example.org:443:443",
                                                "user@api.example.org",
                                                "api.example.org/",
                                                "api.example.org,other",
                                                "api.example.org other",
                                                "%61pi.example.org",
                                                "\u00e4pi.example.org",
                                                "a".repeat(64) + ".org",
                                                "::1",
                                                "[::1",
                                                "[::1]x",
                                                "[192.0.2.1]",
                                                "[]")
                                        .map(host -> get("/files/a").host(host))
                                        .toArray(FakeRequest[]::new)),
                        refused(
                                Reason.EDGE_HOST_UNKNOWN,
                                Stream.of("example.org", "other.example.org", "192.0.2.1", "[2001:db8::1]:443")
                                        .map(host -> get("/files/a").host(host))
                                        .toArray(FakeRequest[]::new)),
                        refused(
                                Reason.EDGE_PATH_MALFORMED,
                                get("/files/%zz"),
                                get("/files/a b"),
                                get("/files/%C3"),
                                get("/files/a\\b"),
                                get("/files/%"),
                                get("/files/a#b")),
                        refused(
                                Reason.EDGE_QUERY_MALFORMED,
                                get("/files/a?b c"),
                                get("/files/a?b#c"),
                                get("/files/a?\u00e9"),
                                get("/files/a?\0")),
                        refused(
                                Reason.EDGE_PATH_AMBIGUOUS,
                                get("/files/../v1"),
                                get("/files//a"),
                                get("/files/a%2fb"),
                                get("/files/a;b"),
                                get("/nowhere/a%2fb"),
                                get("/nowhere/a;b"),
                                get("/files/%252e%252e/v1"),
                                get("http://" + HOST + "//files/a")),
                        refused(
                                Reason.EDGE_HEADER_NAME_REFUSED,
                                get("/files/a").header("X_Forwarded_For", "192.0.2.1"),
                                get("/files/a").header("X-Auth_User", "alice"),
                                get("/files/a").header("X.Auth.User", "alice"),
                                get("/files/a").header("X-Auth-User ", "alice"),
                                get("/files/a").header("", "alice"),
                                get("/files/a").header("X\u00a0", "alice")),
                        refused(
                                Reason.EDGE_HEADER_VALUE_REFUSED,
                                get("/files/a").header("X", "a\r\nX-Auth-User: alice"),
                                get("/files/a").header("X", "a\nb"),
                                get("/files/a").header("X", "a\0"),
                                get("/files/a").header("X", "\u001b[2J"),
                                get("/files/a").header("X", "\u007f"),
                                get("/files/a").header("X", "\u010d\u010a"),
                                get("/files/a").header("X", " a"),
                                get("/files/a").header("X", "a\t"),
                                get("/files/a").header("X", " ")),
                        // After Nathan Davison's "Abusing HTTP hop-by-hop request headers" (2019).
                        refused(
                                Reason.EDGE_CONNECTION_NOMINATION,
                                Stream.of(
                                                "Authorization",
                                                "close, X-Forwarded-For",
                                                "keep-alive,authorization",
                                                "close ,\tCookie , te",
                                                "DPoP",
                                                "host",
                                                "Content-Length",
                                                "Client-Cert",
                                                "x-tenant-id",
                                                "x-auth-user",
                                                "close;x",
                                                "\"close\"",
                                                "keep-alive, clo se",
                                                "close\u00e9")
                                        .map(value -> get("/files/a").header("Connection", value))
                                        .toArray(FakeRequest[]::new)),
                        refused(
                                Reason.EDGE_CREDENTIAL_IN_QUERY,
                                Stream.of(
                                                "access_token=x",
                                                "a=b&access_token=x",
                                                "a;access_token=x",
                                                "access_token",
                                                "Access_Token=x",
                                                "access%5ftoken=x",
                                                "%61%63cess_token=x",
                                                "access_token[]=x",
                                                "a?access_token=x")
                                        .map(query -> get("/files/a?" + query))
                                        .toArray(FakeRequest[]::new)),
                        refused(
                                Reason.EDGE_FORWARDED_MALFORMED,
                                Stream.of(
                                                "",
                                                "unknown",
                                                "192.0.2.1,",
                                                ",",
                                                "192.0.2.1:x",
                                                "_hidden",
                                                "192.0.2.1 192.0.2.2",
                                                "[::1",
                                                "fe80::1%eth0",
                                                "010.0.0.1",
                                                "192.0.2.1, junk",
                                                "junk, 10.9.9.9")
                                        .map(value ->
                                                get("/files/a").from("10.1.2.3").header("X-Forwarded-For", value))
                                        .toArray(FakeRequest[]::new)),
                        refused(
                                Reason.EDGE_EXPECTATION_UNSUPPORTED,
                                get("/files/a").header("Expect", "102-processing"),
                                get("/files/a").header("Expect", "100-continue").header("Expect", "x"),
                                get("/files/a").header("Expect", "")),
                        refused(
                                Reason.EDGE_HEADERS_TOO_LARGE,
                                get("/files/a").header("X", "a".repeat(400)),
                                manyHeaders(8)),
                        refused(
                                Reason.EDGE_FRAMING_AMBIGUOUS,
                                Stream.of("", "+5", "-5", "5, 5", "0x5", "1234567890123456789")
                                        .map(value -> get("/files/a").header("Content-Length", value))
                                        .toArray(FakeRequest[]::new)),
                        refused(
                                Reason.EDGE_FRAMING_AMBIGUOUS,
                                get("/files/a").header("Content-Length", "5").header("Content-Length", "5")))
                .flatMap(cases -> cases);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/files",
                "/files/a?b=c&d[]=e%20f+g&access_tokens=1&my_access_token=x",
                "/files/a?",
                "/files/a?/?:@!$'()*,;=-._~",
                "/files/a/",
                "http://api.example.org/files/a",
                "HTTP://API.example.org/files/a",
            })
    void a_request_with_one_reading_passes(String target) {
        var context = contextOf(get(target));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.route()).isSameAs(FILES);
    }

    @ParameterizedTest
    @ValueSource(strings = {"api.example.org", "API.Example.ORG", "api.example.org:8443", "Api.example.org:1"})
    void a_host_is_compared_without_case_and_port(String host) {
        var context = contextOf(get("/files/a").host(host));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.route()).isSameAs(FILES);
    }

    @Test
    void route_path_query_and_variables_are_handed_on_as_they_were_read() {
        var context = contextOf(get("/v1/caf%c3%a9/orders/%37?a=%2f"));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.route()).isSameAs(ORDERS);
        assertThat(context.path()).isEqualTo(new CanonicalPath("/v1/caf%C3%A9/orders/7"));
        assertThat(context.query()).isEqualTo("a=%2f");
        assertThat(context.pathVariables()).isEqualTo(Map.of("tenant", "caf\u00e9"));
        assertThat(context.allowedMethods()).isEmpty();
    }

    /** What browsers send: the URL standard's query state. */
    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\0',
            value = {
                "f=a|b, f=a%7Cb",
                "q={a}, q=%7Ba%7D",
                "q=\"^`<>, q=%22%5E%60%3C%3E",
                "q=a\\b, q=a%5Cb",
                "q=100%, q=100%25",
                "q=%zz%2, q=%25zz%252",
                "q=%41[1], q=%41[1]",
                "q%=x, q%25=x",
            })
    void a_query_is_authorized_and_forwarded_with_what_browsers_leave_encoded(String query, String read) {
        var context = contextOf(get("/files/a?" + query));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.query()).isEqualTo(read);
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\0',
            value = {
                "/files/a\\b, path: '\\' at 8",
                "/files/a?b#c, query: '#' at 10",
                "/files/a%2fb, path: '%2f' at 8",
                "/files/a;b, path: ';' at 8",
                "/a%2fb/orders, path: '%2f' at 2",
            })
    void the_record_says_what_is_refused_and_where(String target, String detail) {
        var verdict = stage.evaluate(contextOf(get(target)));

        assertThat(((Verdict.Deny) verdict).denial().evidence().get(Evidence.Key.DETAIL))
                .isEqualTo(detail);
    }

    @Test
    void an_encoded_slash_passes_where_it_is_in_a_variable() {
        var context = contextOf(get("/v4/group%2fproj/issues"));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.path()).isEqualTo(new CanonicalPath("/v4/group%2Fproj/issues"));
        assertThat(context.pathVariables()).isEqualTo(Map.of("project", "group/proj"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v4/a/b%2fc",
                "/v4/a/issues%2f7",
                "/v4/a%2f../issues",
                "/v4/%2fa/issues",
                "/v4/a%2f/issues",
                "/v4/a%5cb/issues",
                "/v4/a%252fb/issues",
                "/v4/..;/issues",
                "/v4/a/;b",
            })
    void anywhere_else_it_does_not(String target) {
        assertThat(reasonOf(stage.evaluate(contextOf(get(target))))).isEqualTo(Reason.EDGE_PATH_AMBIGUOUS);
    }

    @Test
    void parameters_take_no_part_in_what_is_matched_and_authorized() {
        var context = contextOf(get("/v4/a;v=1/issues;x=%7e"));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.route()).isSameAs(PROJECTS);
        assertThat(context.path()).isEqualTo(new CanonicalPath("/v4/a/issues"));
        assertThat(context.pathVariables()).isEqualTo(Map.of("project", "a"));
    }

    /** RFC 9110 section 7.4. */
    @Test
    void a_target_of_https_on_a_plaintext_connection_is_refused() {
        var target = "https://api.example.org/files/a";

        assertThat(reasonOf(stage.evaluate(contextOf(get(target))))).isEqualTo(Reason.EDGE_TARGET_MALFORMED);
        assertThat(stage.evaluate(contextOf(get(target).from("10.1.2.3")))).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void an_absolute_target_without_a_path_names_the_root() {
        var context = contextOf(get("http://api.example.org?a=b"));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.path()).isEqualTo(new CanonicalPath("/"));
        assertThat(context.query()).isEqualTo("a=b");
    }

    @Test
    void a_path_without_a_route_passes_on_the_hosts_unmatched_route() {
        var context = contextOf(get("/nowhere"));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.route()).isSameAs(UNMATCHED);
        assertThat(context.allowedMethods()).isEmpty();
    }

    @Test
    void a_path_without_that_method_passes_on_the_unmatched_route_and_says_which_it_has() {
        var context = contextOf(FakeRequest.of(HttpMethod.DELETE, "/v1/acme/orders/7"));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.route()).isSameAs(UNMATCHED);
        assertThat(context.allowedMethods()).containsExactlyInAnyOrder(HttpMethod.GET, HttpMethod.POST);
    }

    /** Who asks without a credential is asked for it first; the wire refuses the body before it is read. */
    @Test
    void a_body_too_long_passes_to_the_stages_that_know_whose_it_is() {
        assertThat(stage.evaluate(contextOf(post("/v1/acme/orders").header("Content-Length", "101"))))
                .isEqualTo(Verdict.Pass.PASS);
        assertThat(stage.evaluate(contextOf(get("/nowhere").header("Content-Length", "1001"))))
                .isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void expect_100_continue_passes() {
        assertThat(stage.evaluate(contextOf(get("/files/a").header("Expect", "100-Continue"))))
                .isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void connection_may_nominate_what_a_proxy_may_drop() {
        var request = get("/files/a").header("Connection", "keep-alive, Upgrade, TE, X-Hop,, HTTP2-Settings");

        assertThat(stage.evaluate(contextOf(request))).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void trace_is_refused_without_saying_what_is_allowed() {
        assertThat(stage.evaluate(contextOf(FakeRequest.of(HttpMethod.TRACE, "/files/a"))))
                .isEqualTo(new Verdict.Deny(new Denial.MethodNotAllowed(Reason.EDGE_METHOD_REFUSED, Set.of())));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "X-Auth-User",
                "x-auth-request-email",
                "X-AUTHENTICATED-USERID",
                "X-Sallyport-Subject",
                "Client-Cert",
                "Client-Cert-Chain",
                "X-Client-Cert",
                "X-Forwarded-For",
                "X-Forwarded-Host",
                "X-Forwarded-Prefix",
                "X-Forwarded-Client-Cert",
                "Forwarded",
                "X-Real--IP",
                "True-Client-IP",
                "X-Original-URL",
                "X-Original-Method",
                "X-Rewrite-URL",
                "X-HTTP-Method-Override",
                "X-Method-Override",
                "X-HTTP2-Scheme",
                "X-SSL-Client-S-DN",
                "SSL-Client-Verify",
                "X-Remote-User",
                "Remote-User",
                "Proxy",
                "X-Envoy-Original-Path",
                "traceparent",
                "Tracestate",
                "baggage",
                "b3",
                "X-B3-TraceId",
                "x-tenant-id",
            })
    void what_only_a_gateway_may_say_is_removed_on_public_routes_too(String name) {
        for (var target : List.of("/files/a", "/v1/acme/orders", "/nowhere")) {
            var context = contextOf(get(target).header(name, "a").header(name.toUpperCase(Locale.ROOT), "b"));

            assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
            assertThat(context.head().headers().contains(name)).isFalse();
            assertThat(context.head().headers().names()).containsExactly("Host");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Txn-Token", "txn--token", "TXN-TOKEN"})
    void a_transaction_token_from_outside_is_refused(String name) {
        assertThat(stage.evaluate(contextOf(get("/files/a").header(name, "a"))))
                .isInstanceOfSatisfying(
                        Verdict.Deny.class,
                        denied -> assertThat(denied.denial().reason()).isEqualTo(Reason.EDGE_TXN_TOKEN_FROM_OUTSIDE));
    }

    @Test
    void what_was_removed_is_counted_by_name_or_family() {
        stage.evaluate(contextOf(get("/files/a")
                .header("X--User", "a")
                .header("x-user", "b")
                .header("X-Forwarded-Anything-At-All", "c")
                .header("X-Kept", "d")));

        assertThat(removed("x-user")).isEqualTo(2);
        assertThat(removed("x-forwarded-*")).isEqualTo(1);
        assertThat(meters.find("sallyport.identity.headers.removed").counters()).hasSize(2);
    }

    private double removed(String header) {
        return meters.counter("sallyport.identity.headers.removed", "header", header)
                .count();
    }

    @Test
    void a_route_lets_pass_what_it_says_it_does_and_no_other_route_does() {
        for (var name : List.of("X-Tenant-ID", "x-tenant-id", "X-Tenant--ID")) {
            var accepting = contextOf(get("/accepting").header(name, "a").header("X-User", "b"));
            var other = contextOf(get("/files/a").header(name, "a"));

            assertThat(stage.evaluate(accepting)).isEqualTo(Verdict.Pass.PASS);
            assertThat(stage.evaluate(other)).isEqualTo(Verdict.Pass.PASS);

            assertThat(accepting.head().headers().names()).containsExactlyInAnyOrder("Host", name);
            assertThat(other.head().headers().names()).containsExactly("Host");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Authorization",
                "Cookie",
                "DPoP",
                "Accept",
                "Content-Type",
                "X-Request-ID",
                "X-Authority",
                "X-Forward",
                "X-SSLX",
                "Via",
                "If-None-Match",
                "Sec-WebSocket-Key",
                "X-API-Key",
                "S",
                "X"
            })
    void what_a_client_may_say_stays(String name) {
        var context = contextOf(get("/files/a").header(name, "a"));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.head().headers().getAll(name)).containsExactly("a");
    }

    @Test
    void the_peer_is_the_client_and_what_it_says_of_others_is_ignored() throws Exception {
        var context = contextOf(get("/files/a").header("X-Forwarded-For", "10.0.0.1, junk"));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.client()).isEqualTo(new ClientAddress(InetAddress.getByName(PEER), false));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "192.0.2.1 | 192.0.2.1",
                "192.0.2.1:4711 | 192.0.2.1",
                "203.0.113.9, 192.0.2.1 | 192.0.2.1",
                "203.0.113.9, 192.0.2.1 , 10.7.7.7,10.8.8.8 | 192.0.2.1",
                "junk, 192.0.2.1 | 192.0.2.1",
                "10.0.0.1, 10.0.0.2 | 10.0.0.1",
                "[2001:db9::1]:443, 2001:db8::5 | 2001:db9::1",
                "2001:db9::1 | 2001:db9::1",
                "[2001:db9::1] | 2001:db9::1",
                "::ffff:192.0.2.1 | 192.0.2.1",
                "192.0.2.1, ::ffff:10.0.0.1 | 192.0.2.1",
            })
    void behind_trusted_proxies_the_client_is_the_last_address_that_none_of_them_has(String forwarded, String client)
            throws Exception {
        var context = contextOf(get("/files/a").from("10.1.2.3").header("X-Forwarded-For", forwarded));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.client()).isEqualTo(new ClientAddress(InetAddress.getByName(client), true));
    }

    @Test
    void lines_of_forwarded_addresses_are_one_list() throws Exception {
        var context = contextOf(get("/files/a")
                .from("10.1.2.3")
                .header("X-Forwarded-For", "203.0.113.9, 192.0.2.1")
                .header("X-Forwarded-For", "10.7.7.7"));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.client()).isEqualTo(new ClientAddress(InetAddress.getByName("192.0.2.1"), true));
    }

    @Test
    void a_trusted_proxy_that_forwards_nobody_is_the_client() throws Exception {
        var context = contextOf(get("/files/a").from("::ffff:10.1.2.3"));

        assertThat(stage.evaluate(context)).isEqualTo(Verdict.Pass.PASS);
        assertThat(context.client()).isEqualTo(new ClientAddress(InetAddress.getByName("10.1.2.3"), false));
    }

    @Test
    void a_refusal_counts_against_the_client_and_not_the_proxy() throws Exception {
        var context = contextOf(get("/files//a").from("10.1.2.3").header("X-Forwarded-For", "192.0.2.1"));

        assertThat(reasonOf(stage.evaluate(context))).isEqualTo(Reason.EDGE_PATH_AMBIGUOUS);
        assertThat(context.client()).isEqualTo(new ClientAddress(InetAddress.getByName("192.0.2.1"), true));
    }

    @Test
    void the_record_names_the_host_or_the_header_that_was_refused() {
        var host = contextOf(get("/files/a").host("Other.example.org:80"));
        var header = contextOf(get("/files/a").header("X_A", "secret"));
        var unprintable = contextOf(get("/files/a").header("X\u001b[2J", "secret"));

        assertThat(evidenceOf(stage.evaluate(host)))
                .isEqualTo(Evidence.NONE.with(Evidence.Key.DETAIL, "other.example.org"));
        assertThat(evidenceOf(stage.evaluate(header))).isEqualTo(Evidence.NONE.with(Evidence.Key.DETAIL, "X_A"));
        assertThat(evidenceOf(stage.evaluate(unprintable))).isSameAs(Evidence.NONE);
    }

    /** Of requests made of random pieces: an answer each time, and nothing handed on that was not read in full. */
    @Test
    void no_request_makes_the_stage_throw() {
        var random = new Random(5);
        var pieces = List.of(
                "/",
                "files",
                "v1",
                "acme",
                "orders",
                "http://",
                HOST,
                ":",
                "443",
                "?",
                "&",
                "access_token",
                "=",
                "%",
                "2f",
                "..",
                "[",
                "]",
                "@",
                "#",
                ",",
                " ",
                "\t",
                "\r\n",
                "\0",
                "\u00ff",
                "\u20ac",
                "10.0.0.1",
                "::1",
                "100-continue",
                "-",
                "_");
        int passed = 0;
        for (int i = 0; i < 50_000; i++) {
            var target = random.nextBoolean() ? "/files/" + randomText(random, pieces) : randomText(random, pieces);
            var request = get(target).from(random.nextBoolean() ? "10.1.2.3" : PEER);
            for (var name : List.of("Host", "X-Forwarded-For", "Connection", "Content-Length", "Expect", "X-A")) {
                if (random.nextInt(8) == 0) {
                    request.header(name, randomText(random, pieces));
                }
            }
            var context = contextOf(request);
            if (stage.evaluate(context) == Verdict.Pass.PASS) {
                passed++;
                assertThat(context.route()).as(target).isNotNull();
                assertThat(requireNonNull(context.path()).value()).as(target).startsWith("/");
            } else {
                assertThat(context.client()).as(target).isNotNull();
            }
        }
        assertThat(passed).isGreaterThan(1_000);
    }

    private static String randomText(Random random, List<String> pieces) {
        var text = new StringBuilder();
        for (int i = random.nextInt(5); i > 0; i--) {
            text.append(pieces.get(random.nextInt(pieces.size())));
        }
        return text.toString();
    }

    private static Stream<Arguments> refused(Reason reason, FakeRequest... requests) {
        return Stream.of(requests).map(request -> arguments(request, reason));
    }

    private static FakeRequest get(String target) {
        return FakeRequest.get(target).from(PEER);
    }

    private static FakeRequest post(String target) {
        return FakeRequest.of(HttpMethod.POST, target).from(PEER);
    }

    private static FakeRequest manyHeaders(int count) {
        var request = get("/files/a");
        for (int i = 0; i < count; i++) {
            request.header("X", "a");
        }
        return request;
    }

    private static RequestContext contextOf(FakeRequest request) {
        return request.snapshot(SNAPSHOT).on(null).context();
    }

    private static Evidence evidenceOf(Verdict verdict) {
        return ((Verdict.Deny) verdict).denial().evidence();
    }

    private static Reason reasonOf(Verdict verdict) {
        return ((Verdict.Deny) verdict).denial().reason();
    }
}
