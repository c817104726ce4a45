// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import io.sallyport.app.Gateway;
import io.sallyport.app.demo.Credentials;
import io.sallyport.app.demo.DecisionRecords;
import io.sallyport.app.demo.DecisionRecords.Decision;
import io.sallyport.app.demo.DemoClient;
import io.sallyport.app.demo.DemoDirectory;
import io.sallyport.app.demo.DemoHttp;
import io.sallyport.app.demo.DemoParts;
import io.sallyport.app.demo.DemoUpstream;
import io.sallyport.app.demo.FreePort;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import reactor.netty.resources.LoopResources;

/**
 * The gateway with a real SPIRE: a server and an agent of the gateway's trust domain, a server of a partner's, and upstreams whose
 * SVIDs those servers have minted. The gateway has no registration entry until a test gives it one.
 */
final class SpireWorld implements AutoCloseable {
    static final TrustDomain OURS = TrustDomain.parse("example.org");
    static final TrustDomain PARTNERS = TrustDomain.parse("partner.test");
    static final SpiffeId GATEWAY = workload(OURS, "edge", "gateway");
    static final SpiffeId PAYMENTS = workload(OURS, "payments", "payments");
    static final SpiffeId LEDGER = workload(OURS, "ledger", "ledger");
    static final SpiffeId NEWSLETTER = workload(OURS, "marketing", "newsletter");
    static final SpiffeId PARTNERS_PAYMENTS = workload(PARTNERS, "payments", "payments");

    static final SpiffeId EXPORT = workload(OURS, "batch", "export");
    static final SpiffeId AUDIT = workload(OURS, "batch", "audit");
    static final SpiffeId PARTNERS_EXPORT = workload(PARTNERS, "batch", "export");
    static final SpiffeId PARTNERS_WEB = workload(PARTNERS, "shop", "web");

    /** What JWT-SVIDs for the gateway are for. */
    static final String AUDIENCE = "https://api.example.org";

    private static final SpiffeId NODE = OURS.newSpiffeId("node");
    private static final String ENTRY = "gateway";

    private final Deque<AutoCloseable> running = new ArrayDeque<>();
    private final Thread atExit = new Thread(this::stop, "spire-stop");
    private final int uid;
    private final SpireServer server;
    private final SpireServer partner;
    private final SpireAgent agent;
    private final DemoUpstream payments;
    private final DemoUpstream newsletter;
    private final DemoUpstream partnersPayments;
    private final DemoParts parts;
    private final DemoClient client;
    private final HttpClient http;
    private final DecisionRecords records;
    private final int internalPort = FreePort.find();

    private SpireWorld(SpireTools tools) throws IOException, InterruptedException {
        Runtime.getRuntime().addShutdownHook(atExit);
        try {
            var directory = DemoDirectory.create();
            running.push(directory);
            this.uid = (int) Files.getAttribute(directory.path(), "unix:uid");
            this.server = closing(SpireServer.start(tools, OURS, directory.path()));
            this.partner = closing(SpireServer.start(tools, PARTNERS, directory.path()));
            this.agent = closing(SpireAgent.start(tools, server, NODE));
            var loops = LoopResources.create("spire-upstreams", 1, 2, true);
            running.push(loops::dispose);
            this.payments = closing(upstream(PAYMENTS, server, loops));
            this.newsletter = closing(upstream(NEWSLETTER, server, loops));
            this.partnersPayments = closing(upstream(PARTNERS_PAYMENTS, partner, loops));
            this.parts = closing(DemoParts.start(
                    directory.path(), DemoParts.Layout.onLoopback(FreePort.find()), InstantSource.system()));
            closing(Gateway.start(configuration()));
            this.client = closing(new DemoClient(parts));
            this.http = closing(DemoHttp.clientTrusting(parts.root()));
            this.records = new DecisionRecords(parts.decisionLog());
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    static SpireWorld start(SpireTools tools) throws IOException, InterruptedException {
        return new SpireWorld(tools);
    }

    private static SpiffeId workload(TrustDomain trustDomain, String namespace, String account) {
        return trustDomain.newSpiffeId("ns", namespace, "sa", account);
    }

    private DemoUpstream upstream(SpiffeId id, SpireServer authority, LoopResources loops)
            throws IOException, InterruptedException {
        return DemoUpstream.start(
                id.getPath(),
                id,
                new DemoUpstream.Endpoint("localhost", 0, loops),
                authority.mint(id),
                server.roots().getFirst(),
                GATEWAY);
    }

    /** The demo's file, but for who the gateway is and where it forwards to. */
    private Path configuration() throws IOException {
        var demo = Files.readString(parts.configuration());
        var common = demo.substring(0, demo.indexOf("  routes:\n"))
                .replaceFirst(
                        "workload-api: \\S+",
                        "workload-api: %s\n    drain-after: 1s\n    cut-after: 1s".formatted(agent.address()));
        var workloads = common.replaceFirst(
                        "key: gateway-key.pem }", "key: gateway-key.pem, client-certificates: optional }")
                .replace("  management:\n", """
                  internal-listener:
                    address: 127.0.0.1
                    port: %d
                    client-spiffe-ids: ["spiffe://example.org/ns/batch/sa/*", "%s"]
                  management:
                """.formatted(internalPort, PARTNERS_WEB))
                .replace(
                        "  issuers:\n",
                        "  issuers:\n    mesh: { trust-domain: example.org, audiences: [\"%s\"] }\n"
                                .formatted(AUDIENCE));
        return Files.writeString(parts.directory().resolve("spire.yaml"), workloads + routes());
    }

    private String routes() {
        return """
              routes:
                payments:
                  match: { hosts: [localhost], path: "/payments/**", methods: [GET] }
                  authorize: public
                  upstream: { uri: "https://localhost:%d", expected-ids: ["%s"] }
                # For workloads: by a token, by a certificate.
                svids:
                  match: { hosts: [localhost], path: "/svids/**", methods: [GET] }
                  authenticate: { issuers: [mesh] }
                  authorize: { allow: { exports: "principal.kind == 'workload' && principal.spiffe_id.endsWith('/export')" } }
                  upstream: { uri: "https://localhost:%d", expected-ids: ["%s"] }
                certificates:
                  match: { hosts: [localhost], path: "/certificates/**", methods: [GET] }
                  authenticate: { client-spiffe-ids: ["spiffe://example.org/ns/batch/sa/*", "%s"] }
                  authorize: { allow: { others: "!principal.spiffe_id.endsWith('/audit')" } }
                  upstream: { uri: "https://localhost:%d", expected-ids: ["%s"] }
                # Something else of the same trust domain listens where the ledger should be.
                ledger:
                  match: { hosts: [localhost], path: "/ledger/**", methods: [GET] }
                  authorize: public
                  upstream: { uri: "https://localhost:%d", expected-ids: ["%s"] }
                # The partner's payments, named as theirs, and taken for ours, which have the same path.
                partner:
                  match: { hosts: [localhost], path: "/partner/**", methods: [GET] }
                  authorize: public
                  upstream: { uri: "https://localhost:%d", expected-ids: ["%s"] }
                mistaken:
                  match: { hosts: [localhost], path: "/mistaken/**", methods: [GET] }
                  authorize: public
                  upstream: { uri: "https://localhost:%d", expected-ids: ["%s"] }
            """.formatted(
                        payments.port(),
                        PAYMENTS,
                        payments.port(),
                        PAYMENTS,
                        PARTNERS_WEB,
                        payments.port(),
                        PAYMENTS,
                        newsletter.port(),
                        LEDGER,
                        partnersPayments.port(),
                        PARTNERS_PAYMENTS,
                        partnersPayments.port(),
                        PAYMENTS);
    }

    private <T extends AutoCloseable> T closing(T part) {
        running.push(part);
        return part;
    }

    SpireServer server() {
        return server;
    }

    SpireServer partner() {
        return partner;
    }

    SpireAgent agent() {
        return agent;
    }

    DemoUpstream payments() {
        return payments;
    }

    /** Listens where the ledger should be. */
    DemoUpstream newsletter() {
        return newsletter;
    }

    DemoUpstream partnersPayments() {
        return partnersPayments;
    }

    /** Gives the gateway an entry whose SVIDs live that long, and returns when the gateway is ready by it. */
    void register(Duration ttl) throws IOException, InterruptedException {
        server.createEntry(ENTRY, NODE, GATEWAY, uid, ttl);
        Patience.until("the gateway is ready", () -> probe("/readyz") == 200);
    }

    /** Changes the entry; the gateway gets another SVID by that. */
    void reregister(Duration ttl, TrustDomain... federatesWith) throws IOException, InterruptedException {
        double rotations = metric("sallyport_svid_rotations_total");
        server.updateEntry(ENTRY, NODE, GATEWAY, uid, ttl, federatesWith);
        Patience.until("the SVID is renewed", () -> metric("sallyport_svid_rotations_total") > rotations);
    }

    void unregister() throws IOException, InterruptedException {
        server.deleteEntry(ENTRY);
    }

    /** The status of a health probe. */
    int probe(String path) throws IOException, InterruptedException {
        return http.send(request(parts.management().resolve(path)), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return http.send(request(parts.gateway().resolve(path)), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> get(String path, String token) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(parts.gateway().resolve(path))
                        .timeout(Duration.ofSeconds(20))
                        .header("Authorization", "Bearer " + token)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** A connection of a workload to the listener of everybody. */
    RawConnection connect(Credentials workload) throws IOException {
        return RawConnection.open(
                DemoHttp.tlsTrusting(parts.root(), workload), parts.gateway().getPort());
    }

    /** The same to the internal listener, of a workload that knows the gateway by this root. */
    RawConnection connectInside(Credentials workload, X509Certificate root) throws IOException {
        return RawConnection.open(DemoHttp.tlsTrusting(root, workload), internalPort);
    }

    /** Registers a workload that can ask the agent for JWT-SVIDs, and returns when the agent knows of it. */
    void registerCaller(SpiffeId workload) throws IOException, InterruptedException {
        server.createEntryOfAgent("caller", NODE, workload, uid);
        Patience.until("the agent knows the caller", () -> {
            try {
                return !agent.jwtSvid(workload, AUDIENCE).isEmpty();
            } catch (IOException e) {
                return false;
            }
        });
    }

    private static HttpRequest request(URI uri) {
        return HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(20)).build();
    }

    Decision recordOf(HttpResponse<?> answer) throws IOException, InterruptedException {
        return recordOf(answer.headers().firstValue("X-Request-ID").orElseThrow());
    }

    Decision recordOf(String id) throws IOException, InterruptedException {
        var record = records.await(id, Duration.ofSeconds(10));
        if (record == null) {
            throw new AssertionError("no record of request " + id);
        }
        return record;
    }

    /** How many requests on that route the decision log has as successes. */
    long successes(String route) throws IOException {
        try (var lines = Files.lines(parts.decisionLog())) {
            return lines.filter(line -> line.contains("\"outcome\":\"success\"")
                            && line.contains("\"route\":\"%s\"".formatted(route)))
                    .count();
        }
    }

    /** The value of the metric with all these labels, each written {@code name="value"}; NaN if there is none. */
    double metric(String name, String... labels) throws IOException, InterruptedException {
        var token = client.token(DemoParts.OPERATOR, Map.of("resource", DemoParts.MANAGEMENT_AUDIENCE));
        var response = http.send(
                HttpRequest.newBuilder(parts.management().resolve("/actuator/prometheus"))
                        .header("Authorization", "Bearer " + token)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        var line = Pattern.compile("%s(?:\\{(.*)})? (\\S+)".formatted(Pattern.quote(name)));
        return response.body()
                .lines()
                .map(line::matcher)
                .filter(matched -> matched.matches()
                        && List.of(labels).stream()
                                .allMatch(label ->
                                        String.valueOf(matched.group(1)).contains(label)))
                .mapToDouble(matched -> Double.parseDouble(matched.group(2)))
                .findFirst()
                .orElse(Double.NaN);
    }

    /** The same, and 0 if it has never been counted. */
    double count(String name, String... labels) throws IOException, InterruptedException {
        double value = metric(name, labels);
        return Double.isNaN(value) ? 0 : value;
    }

    @Override
    public void close() {
        stop();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // The process is ending.
        }
    }

    private synchronized void stop() {
        while (!running.isEmpty()) {
            try {
                running.pop().close();
            } catch (Exception e) {
                // The rest is to be stopped all the same.
            }
        }
    }
}
