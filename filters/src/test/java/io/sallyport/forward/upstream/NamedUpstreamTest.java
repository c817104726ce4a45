// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.ssl.OpenSsl;
import io.sallyport.config.Findings;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.edge.BodyLimit;
import io.sallyport.edge.PathRules;
import io.sallyport.forward.DirectForwarder;
import io.sallyport.forward.Disclosure;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.StreamLimit;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import io.sallyport.forward.TestFront;
import io.sallyport.forward.TestTarget;
import io.sallyport.forward.UpstreamClient;
import io.sallyport.gateway.FilterDefinitions;
import io.sallyport.gateway.GatewayForwarder;
import io.sallyport.gateway.PermitRouteMapping;
import io.sallyport.gateway.PinnedRoutingFilter;
import io.sallyport.gateway.PinnedWebHandler;
import io.sallyport.identity.ExpectedId;
import io.sallyport.identity.ExpectedIds;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.util.unit.DataSize;

/** An upstream that has no SPIFFE ID: a real nginx under a private authority, with both TLS providers. */
@ParameterizedClass
@EnumSource
class NamedUpstreamTest {
    enum Provider {
        OPENSSL,
        JDK
    }

    private static final String ORDERS = "orders.internal";
    private static final String SPIFFE_ID = "spiffe://example.org/ns/orders/sa/api";

    @Parameter
    @SuppressWarnings("NullAway.Init") // by the class's parameter
    Provider tls;

    @TempDir
    private Path folder;

    private final TestCa ca = TestCa.of("example.org");
    private final FakeSvidSource identities = new FakeSvidSource();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final HttpClient browser = HttpClient.newHttpClient();
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeEach
    void check() throws IOException {
        Assumptions.assumeTrue(tls == Provider.JDK || OpenSsl.isAvailable(), "no native TLS on this platform");
        trust(ca);
    }

    @AfterEach
    void stop() throws Exception {
        browser.close();
        for (var each : opened.reversed()) {
            each.close();
        }
    }

    @Test
    void the_named_upstream_answers_and_is_asked_for_by_its_name() throws Exception {
        var nginx = nginx(new Leaf().dnsName(ORDERS));
        var front = front(route(nginx, tls()));

        assertThat(get(front).body()).contains("sni=orders.internal client= ");

        assertThat(handshakes("verified")).isEqualTo(1);
        assertThat(front.nextEnd().evidence()).isEmpty();
    }

    @Test
    void so_it_does_over_http_2() throws Exception {
        var nginx = nginx(new Leaf().dnsName(ORDERS));

        assertThat(get(front(route("orders", nginx, proof(tls()), UpstreamProtocol.H2)))
                        .body())
                .contains("sni=orders.internal");
    }

    @Test
    void a_certificate_for_another_name_is_a_mismatch_and_nginx_gets_no_byte() throws Exception {
        var nginx = nginx(new Leaf().dnsName("payments.internal"));

        assertRefused(nginx, Reason.FORWARD_NAME_MISMATCH, "expected orders.internal, found payments.internal");

        assertThat(handshakes("name_mismatch")).isEqualTo(1);
    }

    @Test
    void the_common_name_is_no_name() throws Exception {
        assertRefused(
                nginx(new Leaf().commonName(ORDERS)),
                Reason.FORWARD_NAME_MISMATCH,
                "expected orders.internal, found no DNS name");
    }

    @Test
    void a_name_of_the_authority_s_workload_is_no_dns_name() throws Exception {
        assertRefused(nginx(new Leaf().uris(SPIFFE_ID)), Reason.FORWARD_NAME_MISMATCH, "no DNS name");
    }

    @Test
    void an_expired_certificate_is_refused() throws Exception {
        var expired = new Leaf().dnsName(ORDERS).validUntil(Instant.parse("2021-01-01T00:00:00Z"));

        assertRefused(nginx(expired), Reason.FORWARD_PEER_UNTRUSTED, "expected orders.internal");

        assertThat(handshakes("peer_untrusted")).isEqualTo(1);
    }

    @Test
    void a_certificate_of_a_foreign_authority_is_refused() throws Exception {
        var nginx = nginx(TestCa.of("example.org"), new Leaf().dnsName(ORDERS));

        assertRefused(nginx, Reason.FORWARD_PEER_UNTRUSTED, "expected orders.internal");
    }

    @Test
    void a_foreign_certificate_with_another_name_is_untrusted_and_no_mismatch() throws Exception {
        var nginx = nginx(TestCa.of("example.org"), new Leaf().dnsName("payments.internal"));

        assertRefused(nginx, Reason.FORWARD_PEER_UNTRUSTED, "expected orders.internal");
    }

    @Test
    void through_filters_wrong_expired_and_foreign_certificates_are_502_too_and_nginx_gets_no_byte() throws Exception {
        var wrong = nginx(new Leaf().dnsName("payments.internal"));
        var expired = nginx(new Leaf().dnsName(ORDERS).validUntil(Instant.parse("2021-01-01T00:00:00Z")));
        var foreign = nginx(TestCa.of("example.org"), new Leaf().dnsName(ORDERS));
        var right = nginx(new Leaf().dnsName(ORDERS));

        assertThat(get(frontWithFilters(right)).headers().firstValue("X-Way")).hasValue("filters");
        assertThat(reasonThroughFilters(wrong)).isEqualTo(Reason.FORWARD_NAME_MISMATCH);
        assertThat(reasonThroughFilters(expired)).isEqualTo(Reason.FORWARD_PEER_UNTRUSTED);
        assertThat(reasonThroughFilters(foreign)).isEqualTo(Reason.FORWARD_PEER_UNTRUSTED);
    }

    private @Nullable Reason reasonThroughFilters(Nginx nginx) throws Exception {
        var front = frontWithFilters(nginx);
        var response = get(front);
        assertThat(response.statusCode()).isEqualTo(502);
        assertThat(nginx.requests()).isEmpty();
        return front.reasonOf(response);
    }

    private TestFront frontWithFilters(Nginx nginx) {
        var filters = FilterDefinitions.compile(
                List.of("AddResponseHeader=X-Way, filters"),
                Set.of(),
                PathRules.STRICT,
                IdentityHeaders.STANDARD,
                new Findings().at("filters"));
        var plan = new ForwardPlan(
                TestTarget.proving(nginx.port(), proof(tls())).build(),
                Objects.requireNonNull(filters),
                null,
                new StreamLimit(Duration.ofHours(1), Duration.ZERO),
                null,
                Disclosure.of("api.example.org"));
        var route = Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .settings(StageName.EDGE, BodyLimit.of(DataSize.ofMegabytes(1)))
                .settings(StageName.FORWARD, plan)
                .build();
        var handler = new PinnedWebHandler(new PinnedRoutingFilter(client()));
        return opened(
                TestFront.of(new GatewayForwarder(new PermitRouteMapping(handler, new StandardEnvironment())), route));
    }

    @Test
    void an_intermediate_authority_is_followed_to_the_one_that_is_trusted() throws Exception {
        assertThat(get(front(route(nginx(ca.intermediate(), new Leaf().dnsName(ORDERS)), tls())))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void a_wildcard_counts_only_where_the_route_says_so() throws Exception {
        var nginx = nginx(new Leaf().dnsName("*.internal"));

        assertRefused(nginx, Reason.FORWARD_NAME_MISMATCH, "found *.internal");
        var allowing = new UpstreamTlsConfig(ca(), ORDERS, true, List.of(), ClientCertificateConfig.NONE);
        assertThat(get(front(route(nginx, allowing))).statusCode()).isEqualTo(200);
    }

    @Test
    void a_key_that_is_not_pinned_is_refused() throws Exception {
        var server = ca.issue(new Leaf().dnsName(ORDERS));
        var nginx = nginx(server);
        var right = pinning(SpkiPin.of(server.leaf().getPublicKey()));
        var wrong = pinning(SpkiPin.of(ca.certificate().getPublicKey()));

        assertThat(get(front(route(nginx, right))).statusCode()).isEqualTo(200);

        assertRefused(nginx, wrong, Reason.FORWARD_PEER_UNTRUSTED, ORDERS, 1);
    }

    private UpstreamTlsConfig pinning(SpkiPin pin) {
        return new UpstreamTlsConfig(ca(), ORDERS, false, List.of(pin), ClientCertificateConfig.NONE);
    }

    @Test
    void a_connection_that_was_verified_for_one_name_never_serves_another() throws Exception {
        var nginx = nginx(new Leaf().dnsName(ORDERS));
        var payments = new UpstreamTlsConfig(ca(), "payments.internal", false, List.of(), ClientCertificateConfig.NONE);
        var routes = Map.of(
                "orders", route("orders", nginx, proof(tls()), UpstreamProtocol.HTTP1),
                "payments", route("payments", nginx, proof(payments), UpstreamProtocol.HTTP1));
        var front = opened(TestFront.of(forwarder(), name -> Objects.requireNonNull(routes.get(name))));

        assertThat(get(front, "/orders").statusCode()).isEqualTo(200);

        assertThat(front.reasonOf(get(front, "/payments"))).isEqualTo(Reason.FORWARD_NAME_MISMATCH);
        assertThat(nginx.requests()).hasSize(1);
    }

    // what the gateway shows

    @Test
    void the_gateway_shows_the_certificate_of_its_files() throws Exception {
        var nginx = nginx(new Leaf().dnsName(ORDERS));
        ca.issue(new Leaf().commonName("edge")).writeTo(folder.resolve("edge.pem"), folder.resolve("edge.key"));
        var files = new ClientCertificateConfig(folder.resolve("edge.pem"), folder.resolve("edge.key"));

        assertThat(get(front(route(nginx, showing(files)))).body()).contains("client=CN=edge ");
    }

    @Test
    void the_gateway_shows_its_svid_where_the_route_says_so() throws Exception {
        var nginx = nginx(new Leaf().dnsName(ORDERS));
        var front = front(route(nginx, showing(ClientCertificateConfig.SVID)));

        assertThat(front.reasonOf(get(front))).isEqualTo(Reason.FORWARD_SVID_MISSING);
        assertThat(nginx.requests()).isEmpty();

        identities.hold(ca.issue("/ns/edge/sa/gateway"), ca.bundle());
        assertThat(get(front).body()).contains("client=CN=workload ");
    }

    private UpstreamTlsConfig showing(ClientCertificateConfig certificate) {
        return new UpstreamTlsConfig(ca(), ORDERS, false, List.of(), certificate);
    }

    // files that change

    @Test
    void a_replaced_authority_holds_within_seconds_and_open_connections_are_not_used_any_more() throws Exception {
        var nginx = nginx(new Leaf().dnsName(ORDERS));
        var front = front(route(nginx, tls()));
        assertThat(get(front).statusCode()).isEqualTo(200);

        trust(TestCa.of("example.org"));

        await().atMost(Duration.ofSeconds(10)).until(() -> get(front).statusCode() == 502);
        assertThat(front.reasonOf(get(front))).isEqualTo(Reason.FORWARD_PEER_UNTRUSTED);

        trust(ca);
        await().atMost(Duration.ofSeconds(10)).until(() -> get(front).statusCode() == 200);
    }

    @Test
    void a_replaced_client_certificate_is_shown_within_seconds() throws Exception {
        var nginx = nginx(new Leaf().dnsName(ORDERS));
        var files = new ClientCertificateConfig(folder.resolve("edge.pem"), folder.resolve("edge.key"));
        ca.issue(new Leaf().commonName("edge")).writeTo(folder.resolve("edge.pem"), folder.resolve("edge.key"));
        var front = front(route(nginx, showing(files)));
        assertThat(get(front).body()).contains("client=CN=edge ");

        ca.issue(new Leaf().commonName("edge2")).writeTo(folder.resolve("edge.pem"), folder.resolve("edge.key"));

        await().atMost(Duration.ofSeconds(10)).until(() -> get(front).body().contains("client=CN=edge2 "));
    }

    @Test
    void a_file_that_cannot_be_used_changes_nothing() throws Exception {
        var nginx = nginx(new Leaf().dnsName(ORDERS));
        var front = front(route(nginx, tls()));
        assertThat(get(front).statusCode()).isEqualTo(200);

        Files.writeString(folder.resolve("ca.pem"), "nothing\n");
        Thread.sleep(4_000);

        assertThat(get(front).statusCode()).isEqualTo(200);
    }

    // the next pin

    @Test
    void a_candidate_pin_is_reported_and_ends_nothing() throws Exception {
        identities.hold(ca.issue("/ns/edge/sa/gateway"), ca.bundle());
        var named = nginx(new Leaf().dnsName(ORDERS));
        var workload = nginx(new Leaf().dnsName(ORDERS).uris(SPIFFE_ID));

        assertThat(get(front(route("orders", named, proof(tls(), SPIFFE_ID), UpstreamProtocol.HTTP1)))
                        .statusCode())
                .isEqualTo(200);
        assertThat(candidate(named, "untrusted")).isEqualTo(1);

        assertThat(get(front(route("orders", workload, proof(tls(), SPIFFE_ID), UpstreamProtocol.HTTP1)))
                        .statusCode())
                .isEqualTo(200);
        assertThat(candidate(workload, "match")).isEqualTo(1);

        var other = proof(tls(), "spiffe://example.org/ns/payments/sa/api");
        assertThat(get(front(route("orders", workload, other, UpstreamProtocol.HTTP1)))
                        .statusCode())
                .isEqualTo(200);
        assertThat(candidate(workload, "mismatch")).isEqualTo(1);
    }

    @Test
    void so_is_a_candidate_beside_a_pin() throws Exception {
        identities.hold(ca.issue("/ns/edge/sa/gateway"), ca.bundle());
        var workload = nginx(new Leaf().uris(SPIFFE_ID));
        var pin = new PeerProof.Workload(ids(SPIFFE_ID), ids("spiffe://example.org/ns/orders/sa/next"));

        assertThat(get(front(route("orders", workload, pin, UpstreamProtocol.HTTP1)))
                        .statusCode())
                .isEqualTo(200);

        assertThat(candidate(workload, "mismatch")).isEqualTo(1);
    }

    private double candidate(Nginx upstream, String result) {
        var counter = meters.find("sallyport.upstream.candidate.pins")
                .tags("upstream", "127.0.0.1:" + upstream.port(), "result", result)
                .counter();
        return counter == null ? 0 : counter.count();
    }

    private static ExpectedIds ids(String... ids) {
        return ExpectedIds.of(List.of(ids).stream().map(ExpectedId::parse).toList());
    }

    private void assertRefused(Nginx nginx, Reason reason, String detail) throws Exception {
        assertRefused(nginx, tls(), reason, detail, 0);
    }

    private void assertRefused(Nginx nginx, UpstreamTlsConfig tls, Reason reason, String detail, int requests)
            throws Exception {
        var front = front(route(nginx, tls));

        var response = get(front);

        assertThat(response.statusCode()).isEqualTo(502);
        assertThat(response.body()).doesNotContain("internal");
        var end = front.nextEnd();
        assertThat(end.reason()).isEqualTo(reason);
        assertThat(end.evidence().get(Evidence.Key.DETAIL)).contains(detail);
        assertThat(end.lease()).containsExactly("failed");
        assertThat(nginx.requests()).hasSize(requests);
    }

    private void trust(TestCa authority) throws IOException {
        var next = Files.writeString(folder.resolve("next.pem"), TestCa.pemOf(List.of(authority.certificate())));
        Files.move(next, folder.resolve("ca.pem"), StandardCopyOption.REPLACE_EXISTING);
    }

    private CaSource ca() {
        return new CaSource(folder.resolve("ca.pem"));
    }

    private UpstreamTlsConfig tls() {
        return showing(ClientCertificateConfig.NONE);
    }

    private static PeerProof proof(UpstreamTlsConfig tls, String... candidates) {
        var findings = new Findings();
        var files = TlsFiles.read(tls, findings.at("tls"));
        assertThat(findings.all()).isEmpty();
        return new PeerProof.Named(
                Objects.requireNonNull(files),
                Objects.requireNonNull(tls.serverName()),
                tls.wildcard(),
                tls.clientCertificate().isSvid(),
                Set.copyOf(tls.spki()),
                ids(candidates));
    }

    private static Route route(Nginx upstream, UpstreamTlsConfig tls) {
        return route("orders", upstream, proof(tls), UpstreamProtocol.HTTP1);
    }

    private static Route route(String name, Nginx upstream, PeerProof proof, UpstreamProtocol protocol) {
        var target = TestTarget.proving(upstream.port(), proof);
        return TestFront.route(name, target.over(protocol).build());
    }

    private Nginx nginx(Leaf leaf) throws Exception {
        return nginx(ca, leaf);
    }

    private Nginx nginx(TestCa authority, Leaf leaf) throws Exception {
        return nginx(authority.issue(leaf));
    }

    private Nginx nginx(TestCa.Svid server) throws Exception {
        return opened(Nginx.start(folder.resolve("nginx" + opened.size()), server, ca.certificate()));
    }

    private TestFront front(Route route) {
        return opened(TestFront.of(forwarder(), route));
    }

    private DirectForwarder forwarder() {
        return new DirectForwarder(client());
    }

    private UpstreamClient client() {
        return new UpstreamClient(opened(new UpstreamConnections(
                identities, Duration.ZERO, Duration.ZERO, InstantSource.system(), meters, tls == Provider.OPENSSL)));
    }

    private double handshakes(String result) {
        var counter = meters.find("sallyport.upstream.handshake")
                .tags("route", "orders", "result", result)
                .counter();
        return counter == null ? 0 : counter.count();
    }

    private HttpResponse<String> get(TestFront front) throws Exception {
        return get(front, "/orders");
    }

    private HttpResponse<String> get(TestFront front, String path) throws Exception {
        return browser.send(
                HttpRequest.newBuilder(URI.create(front.uri(path)))
                        .timeout(Duration.ofSeconds(20))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private <T extends AutoCloseable> T opened(T resource) {
        opened.add(resource);
        return resource;
    }
}
