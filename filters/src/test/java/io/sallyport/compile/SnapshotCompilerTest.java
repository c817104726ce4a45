// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.authenticate.AcceptedTokens;
import io.sallyport.authenticate.AuthenticateConfig;
import io.sallyport.authorize.RouteRules;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.edge.BodyLimit;
import io.sallyport.edge.EdgeSettings;
import io.sallyport.flood.FloodConfig;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.WebSocketPlan;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.ratelimit.RouteLimits;
import io.sallyport.risk.RiskLadder;
import io.sallyport.risk.RiskScoring;
import io.sallyport.route.UpstreamCapacity;
import io.sallyport.wire.answer.LocalAnswer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.unit.DataSize;

/** What a right file becomes. */
final class SnapshotCompilerTest {
    private static final String FILE = """
            sallyport:
              listener: { port: 8443, external-port: 443, tls: { certificate: c.pem, key: k.pem } }
              management: { insecure-plaintext: true, issuer: corp, audience: "urn:management" }
              identity: { workload-api: "unix:/run/spire/agent.sock" }
              issuers:
                corp: { issuer: "https://idp.example.org", audiences: [api], max-token-lifetime: 1h }
              stages:
                authenticate: { clock-skew: 20s }
                risk: { mode: observe, on-undecided: pass }
                ratelimit: { mode: observe }
              routes:
                orders:
                  match: { hosts: [api.example.org, api.example.net], path: "/v1/orders/{id}", methods: [GET, POST] }
                  authenticate: { issuers: [corp] }
                  authorize: { scopes: [orders], allow: { anyone: "true" } }
                  rate-limits: { user: { key: subject, limit: 5, per: 1m } }
                  risk: { deny: 90 }
                  cors: { origins: [https://app.example.org] }
                  websocket: { origins: [https://app.example.org], max-frame: 64KB }
                  max-body: 1KB
                  stages: { risk: { mode: enforce }, ratelimit: { on-undecided: pass } }
                  upstream:
                    uri: https://orders:8443
                    expected-ids: ["spiffe://example.org/orders"]
                    max-concurrent: 7
                observed:
                  match: { hosts: [api.example.org], path: "/v1/observed", methods: [GET] }
                  authenticate: { issuers: [corp], insecure-observe: true }
                  authorize: { allow: { anyone: "true" }, insecure-observe: true }
                  filters: [StripPrefix=1]
                  upstream: { uri: "https://orders:8443", expected-ids: ["spiffe://example.org/orders"], max-concurrent: 7 }
                status:
                  match: { hosts: [status.example.org], path: /status, methods: [GET] }
                  authorize: public
                  upstream: { uri: "http://status", insecure-plaintext: true }
            """;

    @TempDir
    private Path folder;

    @Test
    void each_section_becomes_a_route_on_each_of_its_hosts_and_hosts_bring_routes_along() throws IOException {
        assertThat(compile(FILE).snapshot().routes())
                .extracting(Route::toString)
                .containsExactlyInAnyOrder(
                        "orders@api.example.org",
                        "orders@api.example.net",
                        "observed@api.example.org",
                        "status@status.example.org",
                        "sallyport:protected-resource@api.example.org",
                        "sallyport:protected-resource@api.example.net",
                        "sallyport:preflight@api.example.org",
                        "sallyport:preflight@api.example.net",
                        "sallyport:unmatched@api.example.org",
                        "sallyport:unmatched@api.example.net",
                        "sallyport:unmatched@status.example.org");
    }

    @Test
    void a_route_carries_what_each_stage_compiled() throws IOException {
        var orders = route(compile(FILE), "orders@api.example.org");

        assertThat(orders.kind()).isEqualTo(Route.Kind.UPSTREAM);
        assertThat(orders.isPublic()).isFalse();
        assertThat(orders.settings(StageName.EDGE, BodyLimit.class)).isEqualTo(new BodyLimit(1024));
        assertThat(orders.settings(StageName.AUTHENTICATE, AcceptedTokens.class))
                .isNotNull();
        assertThat(orders.settings(StageName.RATELIMIT, RouteLimits.class)).isNotNull();
        assertThat(orders.settings(StageName.RISK, RiskLadder.class)).isNotNull();
        assertThat(orders.settings(StageName.AUTHORIZE, RouteRules.class)).isNotNull();
        assertThat(orders.settings(StageName.ROUTE, UpstreamCapacity.class))
                .isEqualTo(new UpstreamCapacity("orders:8443 as spiffe://example.org/orders", null, 7));
        var plan = ForwardPlan.of(orders);
        assertThat(plan.target().authority()).isEqualTo("orders:8443");
        assertThat(plan.filters().isEmpty()).isTrue();
        // The external port is that of the scheme.
        assertThat(plan.disclosure().forwardedHost()).isEqualTo("api.example.org");
        assertThat(plan.disclosure().literalPrefix()).isEqualTo("/v1/orders");
        assertThat(plan.cors()).isNotNull();
        assertThat(plan.webSocket())
                .isEqualTo(new WebSocketPlan(Set.of("https://app.example.org"), 65_536, Duration.ofMinutes(5)));
        assertThat(ForwardPlan.of(route(compile(FILE), "observed@api.example.org"))
                        .filters()
                        .isEmpty())
                .isFalse();
    }

    @Test
    void a_public_route_says_so_and_asks_for_nothing() throws IOException {
        var status = route(compile(FILE), "status@status.example.org");

        assertThat(status.isPublic()).isTrue();
        assertThat(status.settings(StageName.AUTHENTICATE, AcceptedTokens.class))
                .isNull();
        assertThat(status.settings(StageName.AUTHORIZE, RouteRules.class)).isNull();
        assertThat(status.settings(StageName.ROUTE, UpstreamCapacity.class)).isNull();
        assertThat(status.settings(StageName.EDGE, BodyLimit.class)).isEqualTo(BodyLimit.of(DataSize.ofMegabytes(10)));
    }

    @Test
    void what_a_route_says_of_a_stage_goes_before_what_is_said_for_all() throws IOException {
        var compiled = compile(FILE);
        var orders = route(compiled, "orders@api.example.org");
        var status = route(compiled, "status@status.example.org");

        assertThat(orders.mode(StageName.RISK)).isEqualTo(Mode.ENFORCE);
        assertThat(orders.onUndecided(StageName.RISK)).isEqualTo(FaultPolicy.PASS);
        assertThat(orders.mode(StageName.RATELIMIT)).isEqualTo(Mode.OBSERVE);
        assertThat(orders.onUndecided(StageName.RATELIMIT)).isEqualTo(FaultPolicy.PASS);
        assertThat(orders.mode(StageName.REVOCATION)).isEqualTo(Mode.ENFORCE);
        assertThat(status.mode(StageName.RISK)).isEqualTo(Mode.OBSERVE);
        assertThat(status.onUndecided(StageName.RATELIMIT)).isEqualTo(FaultPolicy.DENY);
    }

    @Test
    void insecure_observe_observes_that_stage_on_that_route_alone() throws IOException {
        var compiled = compile(FILE);
        var observed = route(compiled, "observed@api.example.org");
        var orders = route(compiled, "orders@api.example.org");

        assertThat(observed.mode(StageName.AUTHENTICATE)).isEqualTo(Mode.OBSERVE);
        assertThat(observed.mode(StageName.AUTHORIZE)).isEqualTo(Mode.OBSERVE);
        assertThat(orders.mode(StageName.AUTHENTICATE)).isEqualTo(Mode.ENFORCE);
        assertThat(orders.mode(StageName.AUTHORIZE)).isEqualTo(Mode.ENFORCE);
    }

    @Test
    void what_matches_nothing_is_as_closed_as_the_host() throws IOException {
        var compiled = compile(FILE);
        var closed = route(compiled, "sallyport:unmatched@api.example.org");
        var open = route(compiled, "sallyport:unmatched@status.example.org");

        assertThat(closed.isPublic()).isFalse();
        assertThat(closed.requireSettings(StageName.AUTHENTICATE, AcceptedTokens.class)
                        .authorizationServers())
                .containsExactly("https://idp.example.org");
        assertThat(closed.mode(StageName.RISK)).isEqualTo(Mode.OBSERVE);
        assertThat(open.isPublic()).isTrue();
    }

    @Test
    void what_the_gateway_answers_itself_is_public_and_local() throws IOException {
        var locals = compile(FILE).snapshot().routes().stream()
                .filter(route -> route.kind() == Route.Kind.LOCAL)
                .toList();

        assertThat(locals).hasSize(4).allMatch(Route::isPublic);
        assertThat(locals)
                .allSatisfy(route -> assertThat(route.settings(StageName.FORWARD, LocalAnswer.class))
                        .isNotNull());
    }

    @Test
    void the_gateway_wide_part_is_what_stages_read() throws IOException {
        var snapshot = compile(FILE).snapshot();

        assertThat(snapshot.settings(StageName.EDGE, EdgeSettings.class).trustedProxies())
                .isEmpty();
        assertThat(snapshot.settings(StageName.FLOOD, FloodConfig.class).failuresPerMinute())
                .isPositive();
        assertThat(snapshot.settings(StageName.AUTHENTICATE, AuthenticateConfig.class)
                        .clockSkew())
                .isEqualTo(Duration.ofSeconds(20));
        assertThat(snapshot.settings(StageName.RISK, RiskScoring.class)).isNotNull();
    }

    @Test
    void the_management_port_accepts_tokens_for_its_own_audience_alone() throws IOException {
        var management = Objects.requireNonNull(compile(FILE).management());

        assertThat(management.routes())
                .filteredOn(route -> route.kind() == Route.Kind.LOCAL)
                .singleElement()
                .satisfies(route -> assertThat(route.requireSettings(StageName.AUTHENTICATE, AcceptedTokens.class)
                                .audiences())
                        .containsExactly("urn:management"));
        assertThat(compile(FILE.replace(", issuer: corp, audience: \"urn:management\"", ""))
                        .management())
                .isNull();
    }

    @Test
    void a_revocation_outlives_every_token_that_it_is_about() throws IOException {
        var compiled = compile(FILE);

        assertThat(compiled.longestLifetime("https://idp.example.org"))
                .isEqualTo(Duration.ofHours(1).plusSeconds(20));
        assertThat(compiled.longestLifetime("https://other.example")).isNull();
    }

    private static final String WORKLOADS = """
            sallyport:
              listener: { port: 8443, tls: { certificate: c.pem, key: k.pem, client-certificates: optional } }
              identity: { workload-api: "unix:/run/spire/agent.sock" }
              routes:
                batch:
                  match: { hosts: [batch.example.org], path: "/**", methods: [GET] }
                  authenticate: { client-spiffe-ids: ["spiffe://example.org/ns/batch/sa/*"] }
                  authorize: { allow: { anyone: "true" } }
                  upstream: { uri: "http://batch:8080", insecure-plaintext: true }
            """;

    @Test
    void a_route_may_be_for_workloads_alone_and_then_has_no_authorization_server_to_tell_of() throws IOException {
        var routes = compile(WORKLOADS).snapshot().routes();

        assertThat(routes).extracting(Route::name).containsExactlyInAnyOrder("batch", "sallyport:unmatched");
        assertThat(routes).allSatisfy(route -> {
            var accepted = route.requireSettings(StageName.AUTHENTICATE, AcceptedTokens.class);
            assertThat(accepted.takesCertificates()).isTrue();
            assertThat(accepted.takesTokens()).isFalse();
        });
    }

    private static final String SVIDS = """
            sallyport:
              listener: { port: 8443, tls: { certificate: c.pem, key: k.pem } }
              identity: { workload-api: "unix:/run/spire/agent.sock" }
              issuers: { mesh: { trust-domain: example.org, audiences: ["https://batch.example.org"] } }
              routes:
                batch:
                  match: { hosts: [batch.example.org], path: "/**", methods: [GET] }
                  authenticate: { issuers: [mesh] }
                  authorize: { allow: { anyone: "true" } }
                  upstream: { uri: "http://batch:8080", insecure-plaintext: true }
            """;

    @Test
    void a_trust_domain_is_an_issuer_but_no_authorization_server() throws IOException {
        assertThat(route(compile(SVIDS), "batch@batch.example.org")
                        .requireSettings(StageName.AUTHENTICATE, AcceptedTokens.class)
                        .authorizationServers())
                .isEmpty();
    }

    @Test
    void a_trust_domain_has_its_keys_from_the_workload_api() throws IOException {
        var files = "identity: { files: { svid: s.pem, key: k.pem, bundle: b.pem } }";

        assertThat(findings(SVIDS.replaceFirst("identity: .*", files)))
                .containsExactly(
                        "sallyport.issuers.mesh.trust-domain: example.org (expected: nothing, because there is no"
                                + " identity.workload-api to have its keys from)");
    }

    @Test
    void who_asks_for_certificates_needs_bundles_to_judge_them_by() throws IOException {
        assertThat(findings(WORKLOADS.replaceFirst("  identity: .*\n", "")))
                .containsExactly("sallyport.identity: (absent) (expected: trust bundles to judge by what"
                        + " listener.tls.client-certificates asks for)");
    }

    private static final String INTERNAL = WORKLOADS
            .replaceFirst(", client-certificates: optional", "")
            .replace(
                    "  identity:",
                    "  internal-listener: { port: 8445, client-spiffe-ids: [\"spiffe://example.org/ns/batch/sa/*\"] }\n"
                            + "  identity:");

    @Test
    void a_route_for_workloads_may_be_reached_by_an_internal_listener_alone() throws IOException {
        assertThat(findings(INTERNAL)).isEmpty();
    }

    @Test
    void an_internal_listener_needs_an_identity_to_show() throws IOException {
        assertThat(findings(INTERNAL.replaceFirst("  identity: .*\n", "")))
                .containsExactly(
                        "sallyport.identity: (absent) (expected: an identity to show on the internal-listener)");
    }

    @Test
    void an_internal_listener_has_a_port_of_its_own() throws IOException {
        assertThat(findings(INTERNAL.replace("8445", "8443")))
                .containsExactly("sallyport.internal-listener.port: 8443 (expected: another port than the listener's)");
        assertThat(findings(INTERNAL.replace("8445", "8444")))
                .containsExactly("sallyport.internal-listener.port: 8444 (expected: another port than management's)");
    }

    @Test
    void a_route_for_workloads_alone_asks_for_no_scopes() throws IOException {
        assertThat(findings(WORKLOADS.replace("authorize: {", "authorize: { scopes: [read],")))
                .containsExactly(
                        "sallyport.routes.batch.authorize.scopes: [read] (expected: nothing, because no issuer's"
                                + " tokens are accepted, and only they have any)");
    }

    private List<String> findings(String yaml) throws IOException {
        return ConfigurationCheck.check(Files.writeString(folder.resolve("gateway.yaml"), yaml)).stream()
                .map(Object::toString)
                .toList();
    }

    @Test
    void the_revision_is_the_beginning_of_the_files_digest() throws IOException {
        var first = compile(FILE).configuration().revision();

        assertThat(first).matches("[0-9a-f]{12}");
        assertThat(compile(FILE).configuration().revision()).isEqualTo(first);
        assertThat(compile(FILE + "#\n").configuration().revision()).isNotEqualTo(first);
    }

    @Test
    void a_route_that_takes_what_a_built_in_one_needs_is_refused() throws IOException {
        var path = Files.writeString(
                folder.resolve("gateway.yaml"),
                FILE.replace("path: \"/v1/observed\"", "path: \"/.well-known/oauth-protected-resource/**\""));

        assertThat(ConfigurationCheck.check(path))
                .extracting(Object::toString)
                .containsExactly("sallyport.routes.observed.match: /.well-known/oauth-protected-resource/** (expected:"
                        + " another path: the gateway answers it with the metadata of its host)");
    }

    @Test
    void a_route_that_takes_the_path_of_health_checks_is_refused() throws IOException {
        assertThat(check(FILE.replace("{ port: 8443,", "{ port: 8443, health-path: /v1/observed,")))
                .containsExactly("sallyport.routes.observed.match.path: /v1/observed (expected: another path:"
                        + " listener.health-path is answered by the gateway on every host)");
    }

    @Test
    void a_key_of_paths_or_rewrite_that_changes_nothing_is_refused() throws IOException {
        var route = "    observed:\n";
        assertThat(check(FILE.replace(route, route + "      paths: { encoded-slash: pass }\n      rewrite: {}\n")))
                .containsExactlyInAnyOrder(
                        "sallyport.routes.observed.paths.encoded-slash: pass (expected: refuse, because match.path has no"
                                + " {name} for it to be in)",
                        "sallyport.routes.observed.rewrite: (a section) (expected: location: true, or cookies: true, or no"
                                + " such section)");
        assertThat(check(FILE.replace(route, route + "      paths: { parameters: refuse }\n")))
                .containsExactly(
                        "sallyport.routes.observed.paths: (a section) (expected: nothing, because refuse is what"
                                + " holds without it)");
    }

    private List<String> check(String yaml) throws IOException {
        return ConfigurationCheck.check(Files.writeString(folder.resolve("gateway.yaml"), yaml)).stream()
                .map(Object::toString)
                .toList();
    }

    private CompiledConfiguration compile(String yaml) throws IOException {
        return SnapshotCompiler.forChecking()
                .compile(Configuration.load(new ConfigurationFile(
                        Files.writeString(folder.resolve("gateway.yaml"), yaml), InstantSource.system())));
    }

    private static Route route(CompiledConfiguration compiled, String name) {
        return compiled.snapshot().routes().stream()
                .filter(route -> route.toString().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
