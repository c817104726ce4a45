// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.config.Finding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What no single section can see, and the keys of this package; those of a stage are tested beside it. */
final class ConfigurationCheckTest {
    private static final String RIGHT = """
            sallyport:
              listener: { port: 8443, insecure-plaintext: true }
              management: { port: 8444, insecure-plaintext: true, issuer: corp, audience: "urn:sallyport" }
              identity: { workload-api: "unix:/run/spire/agent.sock" }
              issuers:
                corp:
                  issuer: https://idp.example.org
                  audiences: [https://api.example.org]
              stages:
                risk: { mode: observe }
              routes:
                payments:
                  match: { hosts: [api.example.org], path: "/v1/{tenant}/payments/**", methods: [GET, POST] }
                  authenticate: { issuers: [corp] }
                  authorize: { allow: { anyone: "true" } }
                  upstream: { uri: "https://payments:8443", expected-ids: ["spiffe://example.org/payments"] }
                status:
                  match: { hosts: [api.example.org], path: /status, methods: [GET] }
                  authorize: public
                  upstream: { uri: "http://status:8080", insecure-plaintext: true }
            """;

    @TempDir
    private Path folder;

    @Test
    void a_right_file_has_no_findings() throws IOException {
        assertThat(check(RIGHT)).isEmpty();
    }

    static Stream<Arguments> wrong() {
        return Stream.of(
                change(
                        "  listener:",
                        "  listner:",
                        List.of(
                                "2: sallyport.listner: unknown key (expected: listener)",
                                "1: sallyport.listener: (absent) (expected: Where the gateway listens. Read at start only.)")),
                change(
                        "sallyport:",
                        "sallyports:",
                        List.of(
                                "0: sallyport: (absent) (expected: Everything that the gateway is told.)",
                                "1: sallyports: unknown key (expected: sallyport)")),
                change(
                        "sallyport:",
                        "server: { port: 1 }\nsallyport:",
                        List.of("1: server: unknown key (expected: sallyport)")),
                change(
                        "port: 8444",
                        "port: 8443",
                        List.of("3: sallyport.management.port: 8443 (expected: another port than the listener's)")),
                change(
                        "path: /status, methods: [GET] }",
                        "path: /status, methods: [GET] }\n      websocket: { origins: [\"*\"], max-frame: 1B }",
                        List.of(
                                "19: sallyport.routes.status.websocket.origins[0]: * (expected: an origin as browsers send it:"
                                        + " https://app.example.org, in lower case, without a path, a slash at the end or the usual port)")),
                change(
                        "path: /status, methods: [GET] }",
                        "path: /status, methods: [POST] }\n      websocket: { origins: [] }",
                        List.of(
                                "19: sallyport.routes.status.websocket: (a section) (expected: nothing, because the route does not"
                                        + " match GET, by which a WebSocket is asked for)")),
                change(
                        "path: /status, methods: [GET] }\n      authorize: public\n      upstream: {",
                        "path: /status, methods: [GET] }\n      authorize: public\n      websocket: { origins: [] }\n"
                                + "      upstream: { protocol: h2,",
                        List.of("20: sallyport.routes.status.websocket: (a section) (expected: nothing, because"
                                + " upstream.protocol is h2, and a WebSocket is asked for in HTTP/1.1)")),
                change(
                        "path: /status, methods: [GET] }",
                        "path: /status, methods: [GET] }\n      websocket: {}",
                        List.of(
                                "19: sallyport.routes.status.websocket.origins: (absent) (expected: The origins of the pages that may"
                                        + " open one: https://app.example.org. Exact, no wildcard. [] for none: then only callers that are"
                                        + " no browser, and send no Origin.)")),
                change(
                        "port: 8444",
                        "port: 65536",
                        List.of("3: sallyport.management.port: 65536 (expected: 0 to 65535)")),
                change(
                        "port: 8444",
                        "address: localhost",
                        List.of("3: sallyport.management.address: localhost (expected: an IPv4 or IPv6 address)")),
                change(
                        "8444, insecure-plaintext: true,",
                        "8444,",
                        List.of("3: sallyport.management.tls: (absent)"
                                + " (expected: certificate and key, or else insecure-plaintext: true)")),
                change(
                        "port: 8444,",
                        "tls: { certificate: c.pem, key: k.pem },",
                        List.of("3: sallyport.management.insecure-plaintext: true"
                                + " (expected: false or absent, because tls is there)")),
                change(
                        ", audience: \"urn:sallyport\"",
                        "",
                        List.of("3: sallyport.management.audience: (absent)"
                                + " (expected: the audience of tokens for this port, because issuer is there)")),
                change(
                        "issuer: corp, ",
                        "",
                        List.of("3: sallyport.management.issuer: (absent)"
                                + " (expected: the name of an issuer, because audience is there)")),
                change(
                        "issuer: corp,",
                        "issuer: crop,",
                        List.of("3: sallyport.management.issuer: crop (expected: the name of an issuer: corp)")),
                change(
                        "audience: \"urn:sallyport\"",
                        "audience: a, read-scope: \"a b\"",
                        List.of("3: sallyport.management.read-scope: a b"
                                + " (expected: one scope: printable ASCII without space, quote and backslash)")),
                change(
                        "audience: \"urn:sallyport\"",
                        "audience: a, write-scope: \"\"",
                        List.of("3: sallyport.management.write-scope: \"\""
                                + " (expected: one scope: printable ASCII without space, quote and backslash)")),
                change(
                        "audience: \"urn:sallyport\"",
                        "audience: a, write-scope: x, read-scope: x",
                        List.of("3: sallyport.management.write-scope: x (expected: another scope than read-scope)")),
                change(
                        "  identity: { workload-api: \"unix:/run/spire/agent.sock\" }\n",
                        "",
                        List.of("1: sallyport.identity: (absent)"
                                + " (expected: an identity to prove to the upstream of route payments)")),
                change(
                        "authenticate: { issuers: [corp] }",
                        "authenticate: { client-spiffe-ids: [\"spiffe://example.org/batch\"] }",
                        List.of("14: sallyport.routes.payments.authenticate.client-spiffe-ids:"
                                + " [spiffe://example.org/batch] (expected: nothing, because no client is asked for one: there is"
                                + " no internal-listener, and listener.tls.client-certificates is none)")),
                change(
                        "authenticate: { issuers: [corp] }",
                        "authenticate: { client-spiffe-ids: [\"spiffe://example.org/*\"] }",
                        List.of(
                                "14: sallyport.routes.payments.authenticate.client-spiffe-ids[0]: spiffe://example.org/*"
                                        + " (expected: the SPIFFE ID of a workload, for example"
                                        + " spiffe://example.org/ns/orders/sa/orders-api; a whole segment of its path may be *,"
                                        + " not all of them)")),
                change(
                        "      issuer: https://idp.example.org",
                        "      trust-domain: example.org",
                        List.of("3: sallyport.management.issuer: corp"
                                + " (expected: an issuer of access tokens: workloads have no scopes)")),
                change(
                        "      issuer: https://idp.example.org",
                        "      jwks-uri: https://idp.example.org/keys",
                        List.of("6: sallyport.issuers.corp.issuer: (absent)"
                                + " (expected: exactly one of issuer and trust-domain)")),
                change(
                        "    corp:",
                        "    Corp:",
                        List.of(
                                "6: sallyport.issuers.Corp: Corp (expected: a name of 1 to 64 of a-z, 0-9 and dash)",
                                "3: sallyport.management.issuer: corp (expected: the name of an issuer: Corp)",
                                "14: sallyport.routes.payments.authenticate.issuers[0]: corp"
                                        + " (expected: the name of an issuer: Corp)")),
                change(
                        "issuers: [corp]",
                        "issuers: [partner]",
                        List.of("14: sallyport.routes.payments.authenticate.issuers[0]: partner"
                                + " (expected: the name of an issuer: corp)")),
                // What follows from another finding is not said again.
                change(
                        "audiences: [https://api.example.org]",
                        "audience: https://api.example.org",
                        List.of(
                                "8: sallyport.issuers.corp.audience: unknown key (expected: audiences)",
                                "6: sallyport.issuers.corp.audiences: (absent) (expected: at least one, or else clients)")),
                change(
                        "      issuer: https://idp.example.org",
                        "      issuer: \"https://idp.example.org/{tenant}/v2\"\n      tenant-claim: tid\n"
                                + "      insecure-any-tenant: true",
                        List.of(
                                "3: sallyport.management.issuer: corp (expected: an issuer without tenants)",
                                "17: sallyport.routes.payments.authorize: (rules) (expected: a rule that reads"
                                        + " token.claims.tid, because issuer corp admits every tenant)")),
                change(
                        "    risk: { mode: observe }",
                        "    risk: { mode: observe }\n    authenticate: { max-token-size: 40KB }",
                        List.of("11: sallyport.stages.authenticate.max-token-size: 40960B"
                                + " (expected: at most listener.max-headers: 32768B)")),
                change(
                        "    payments:",
                        "    pay_ments:",
                        List.of(
                                "12: sallyport.routes.pay_ments: pay_ments (expected: a name of 1 to 64 of a-z, 0-9 and dash)")),
                change(
                        "      authenticate: { issuers: [corp] }\n",
                        "",
                        List.of(
                                "12: sallyport.routes.payments.authenticate: (absent)"
                                        + " (expected: issuers whose tokens are accepted, or client-spiffe-ids, or else authorize: public)")),
                change(
                        "      authorize: public",
                        "      authenticate: { issuers: [corp] }\n      authorize: public",
                        List.of("19: sallyport.routes.status.authenticate: (a section)"
                                + " (expected: nothing, because authorize is public)")),
                change(
                        "      authorize: { allow: { anyone: \"true\" } }\n",
                        "",
                        List.of("12: sallyport.routes.payments.authorize: (absent)"
                                + " (expected: Who may: the word public, or scopes and rules.)")),
                change(
                        "path: /status",
                        "path: \"/v1/{any}/payments/**\"",
                        List.of(
                                "18: sallyport.routes.status.match: GET api.example.org/v1/{any}/payments/** (expected: what no"
                                        + " other route takes; route payments takes api.example.org/v1/{tenant}/payments/**)")),
                change(
                        "risk: { mode: observe }",
                        "edge: { mode: observe }",
                        List.of(
                                "10: sallyport.stages.edge.mode: observe (expected: enforce, which is all that edge knows)")),
                change(
                        "risk: { mode: observe }",
                        "flood: { mode: off }",
                        List.of(
                                "10: sallyport.stages.flood.mode: off (expected: enforce, which is all that flood knows)")),
                change(
                        "risk: { mode: observe }",
                        "route: { on-undecided: pass }",
                        List.of("10: sallyport.stages.route.on-undecided: pass"
                                + " (expected: nothing: route always decides, and denies when it cannot)")),
                change(
                        "risk: { mode: observe }",
                        "authenticate: { mode: off }",
                        List.of("10: sallyport.stages.authenticate.mode: off"
                                + " (expected: observe or enforce, which is all that authenticate knows)")),
                change(
                        "risk: { mode: observe }",
                        "authorize: { mode: observe }",
                        List.of("10: sallyport.stages.authorize.mode: observe (expected: enforce: a route is opened by"
                                + " insecure-observe: true in its own section authorize alone)")),
                change(
                        "authenticate: { issuers: [corp] }",
                        "stages: { authenticate: { mode: observe } }\n" + "      authenticate: { issuers: [corp] }",
                        List.of(
                                "14: sallyport.routes.payments.stages.authenticate.mode: observe (expected: enforce: a route is"
                                        + " opened by insecure-observe: true in its own section authenticate alone)")),
                change(
                        "authenticate: { issuers: [corp] }",
                        "stages: { authenticate: { mode: enforce } }\n"
                                + "      authenticate: { issuers: [corp], insecure-observe: true }",
                        List.of(
                                "14: sallyport.routes.payments.stages.authenticate.mode: enforce (expected: observe, or nothing:"
                                        + " authenticate of this route says insecure-observe: true)")),
                change(
                        "authorize: public",
                        "authorize: public\n      stages: { rsik: { mode: observe } }",
                        List.of("20: sallyport.routes.status.stages.rsik: unknown stage (expected: risk)")),
                change(
                        "authorize: public",
                        "authorize: public\n      stages: { forward: { mode: enforce } }",
                        List.of(
                                "20: sallyport.routes.status.stages.forward: unknown stage (expected: one of edge, flood,"
                                        + " authenticate, revocation, ratelimit, risk, authorize, route)")),
                change(
                        "authorize: public",
                        "authorize: public\n      stages: { risk: { mode: obsreve } }",
                        List.of(
                                "20: sallyport.routes.status.stages.risk.mode: obsreve (expected: one of off, observe, enforce)")),
                change(
                        "authorize: public",
                        "authorize: public\n      stages: { risk: { on-undecided: allow } }",
                        List.of(
                                "20: sallyport.routes.status.stages.risk.on-undecided: allow (expected: one of deny, pass)")),
                change(
                        "authorize: public",
                        "authorize: public\n      max-body: 1 MB",
                        List.of(
                                "20: sallyport.routes.status.max-body: 1 MB (expected: a size such as 512B, 8KiB or 1MiB (KB, MB"
                                        + " and GB are the same))")),
                change(
                        "uri: \"http://status:8080\", insecure-plaintext: true",
                        "max-concurrent: 5, uri: \"https://payments:8443\", expected-ids: [\"spiffe://example.org/payments\"]",
                        List.of("20: sallyport.routes.status.upstream: another circuit-breaker or max-concurrent"
                                + " (expected: the same as route payments, whose upstream is payments:8443 as"
                                + " spiffe://example.org/payments too)")),
                change(
                        "authorize: public",
                        "authorise: public",
                        List.of(
                                "17: sallyport.routes.status.authorize: (absent)"
                                        + " (expected: Who may: the word public, or scopes and rules.)",
                                "19: sallyport.routes.status.authorise: unknown key (expected: authorize)")));
    }

    private static Arguments change(String from, String to, List<String> findings) {
        return Arguments.of(from, to, findings);
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void a_wrong_file_is_refused_for_what_is_wrong_with_it(String from, String to, List<String> expected)
            throws IOException {
        assertThat(RIGHT).contains(from);

        var findings = check(RIGHT.replace(from, to));

        assertThat(findings.stream().map(finding -> finding.line() + ": " + finding))
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    @Test
    void routes_that_are_none_are_refused() throws IOException {
        var findings = check(RIGHT.substring(0, RIGHT.indexOf("  routes:")) + "  routes: {}\n");

        assertThat(findings)
                .extracting(Finding::toString)
                .containsExactly("sallyport.routes: {} (expected: at least one route)");
    }

    @Test
    void mistakes_in_several_sections_are_found_at_once() throws IOException {
        var findings = check(RIGHT.replace("port: 8443", "port: x")
                .replace("mode: observe", "mode: observed")
                .replace("authorize: public", "authorize: publik")
                .replace("anyone: \"true\"", "anyone: \"tru\""));

        assertThat(findings)
                .extracting(Finding::path)
                .containsExactly(
                        "sallyport.listener.port",
                        "sallyport.stages.risk.mode",
                        "sallyport.routes.payments.authorize.allow.anyone",
                        "sallyport.routes.status.authorize");
    }

    @Test
    void mistakes_in_several_parts_of_one_route_are_found_at_once() throws IOException {
        var findings = check(RIGHT.replace("\"/v1/{tenant}", "\"v1/{tenant}")
                .replace("issuers: [corp]", "issuers: [crop]")
                .replace("uri: \"https", "timeout: 1, uri: \"ftp")
                .replace("authorize: public", "authorize: public\n      risk: { step-up: 60 }")
                .replace("http://status:8080", "http://status:8080/path"));

        assertThat(findings)
                .extracting(Finding::path)
                .containsExactly(
                        "sallyport.routes.payments.match.path",
                        "sallyport.routes.payments.authenticate.issuers[0]",
                        "sallyport.routes.payments.upstream.timeout",
                        "sallyport.routes.payments.upstream.uri",
                        "sallyport.routes.status.risk.step-up",
                        "sallyport.routes.status.upstream.uri");
    }

    @Test
    void what_would_have_no_effect_on_the_way_to_an_upstream_does_not_load() throws IOException {
        var findings = check(
                RIGHT.replace(
                                "uri: \"http://status:8080\",",
                                "uri: \"http://status:8080\", forward-token: true,"
                                        + " identity: { headers: { X-Person: { value: token.subject } } },")
                        .replace(
                                "uri: \"https://payments:8443\",",
                                "uri: \"https://payments:8443\", forward-credentials: { authorization: true }, identity: { headers: {} },")
                        .replace(
                                "authenticate: { issuers: [corp] }",
                                "authenticate: { issuers: [corp] }\n      accept-client-header: [X-Kept, X-Forwarded-For, X-Tenant-ID]"));

        assertThat(findings)
                .extracting(Finding::path)
                .containsExactlyInAnyOrder(
                        "sallyport.routes.payments.accept-client-header[0]",
                        "sallyport.routes.payments.accept-client-header[1]",
                        "sallyport.routes.payments.upstream.identity",
                        "sallyport.routes.payments.upstream.forward-credentials",
                        "sallyport.routes.status.upstream.forward-token",
                        "sallyport.routes.status.upstream.identity.headers.X-Person.value");
    }

    @Test
    void a_mode_of_a_stage_that_does_nothing_on_a_route_does_not_load() throws IOException {
        var stages =
                "\n      stages: { risk: { mode: off }, ratelimit: { mode: observe }, revocation: { mode: observe } }";

        assertThat(check(RIGHT.replace("authorize: public", "authorize: public" + stages)
                        .replace("issuers: [corp] }", "issuers: [corp] }" + stages)))
                .extracting(Finding::path)
                .containsExactlyInAnyOrder(
                        "sallyport.routes.payments.stages.risk",
                        "sallyport.routes.payments.stages.ratelimit",
                        "sallyport.routes.status.stages.risk",
                        "sallyport.routes.status.stages.ratelimit",
                        "sallyport.routes.status.stages.revocation");
    }

    @Test
    void what_signs_tokens_has_keys_a_name_and_an_audience() throws IOException {
        var asking = RIGHT.replace(
                        "uri: \"https://payments:8443\",",
                        "uri: \"https://payments:8443\", identity: { assertion: {}, txn-token: {} },")
                .replace("\"spiffe://example.org/payments\"", "\"spiffe://example.org/payments/*\"");
        var signing = "sallyport:\n  signing: { keys: [missing.pem] }\n";

        assertThat(check(asking))
                .extracting(Finding::path)
                .containsExactlyInAnyOrder(
                        "sallyport.signing", "sallyport.routes.payments.upstream.identity.assertion.audience");
        assertThat(check(asking.replace("assertion: {}", "assertion: { audience: payments }")
                        .replace("sallyport:\n", signing)))
                .extracting(Finding::path)
                .containsExactly("sallyport.signing.keys[0]");
        assertThat(check(RIGHT.replace(
                        "uri: \"http://status:8080\",", "uri: \"http://status:8080\", identity: { assertion: {} },")))
                .extracting(Finding::path)
                .containsExactlyInAnyOrder(
                        "sallyport.signing",
                        "sallyport.routes.status.upstream.identity.assertion",
                        "sallyport.routes.status.upstream.identity.assertion.audience");
    }

    @Test
    void a_rule_and_a_filter_that_name_a_removed_header_do_not_load_whichever_route_writes_it() throws IOException {
        var told = RIGHT.replace(
                        "uri: \"http://status:8080\",",
                        "uri: \"http://status:8080\", identity: { headers: { X-Corp-Way: { value: path.tenant } } },")
                .replace("path: /status,", "path: \"/status/{tenant}\",");
        var reading = told.replace(
                "anyone: \"true\" } }",
                "anyone: \"true\", way: \"request.headers['x-corp--way'] == 'a'\", user: \"'x-user' in request.headers\" } }\n"
                        + "      filters: [\"AddRequestHeader=X-Corp-Way, a\", \"MapRequestHeader=X-User, X-Other\"]");

        assertThat(check(told)).isEmpty();
        assertThat(check(reading))
                .extracting(Finding::path)
                .containsExactlyInAnyOrder(
                        "sallyport.routes.payments.filters[0]",
                        "sallyport.routes.payments.filters[1]",
                        "sallyport.routes.payments.authorize.allow.way",
                        "sallyport.routes.payments.authorize.allow.user");
        assertThat(check(reading.replace(
                        "authenticate: { issuers: [corp] }",
                        "authenticate: { issuers: [corp] }\n      accept-client-header: [X-Corp-Way, X-User]")))
                .isEmpty();
    }

    @Test
    void two_routes_of_one_place_and_another_mistake_are_found_at_once() throws IOException {
        var findings = check(RIGHT.replace("path: /status", "path: \"/v1/{any}/payments/**\"")
                .replace("issuers: [corp]", "issuers: [crop]"));

        assertThat(findings)
                .extracting(Finding::path)
                .containsExactly("sallyport.routes.payments.authenticate.issuers[0]", "sallyport.routes.status.match");
    }

    @Test
    void a_route_in_the_place_of_a_built_in_one_and_another_mistake_are_found_at_once() throws IOException {
        var findings = check(RIGHT.replace("path: /status", "path: \"/.well-known/oauth-protected-resource/**\"")
                .replace("issuers: [corp]", "issuers: [crop]"));

        assertThat(findings)
                .extracting(Finding::path)
                .containsExactly("sallyport.routes.payments.authenticate.issuers[0]", "sallyport.routes.status.match");
    }

    @Test
    void a_file_that_is_not_there_is_a_finding() {
        assertThat(ConfigurationCheck.check(folder.resolve("gateway.yaml")))
                .extracting(Finding::toString)
                .containsExactly(
                        "not readable: there is no such file (expected: a YAML file that this process may read)");
    }

    private List<Finding> check(String yaml) throws IOException {
        return ConfigurationCheck.check(Files.writeString(folder.resolve("gateway.yaml"), yaml));
    }
}
