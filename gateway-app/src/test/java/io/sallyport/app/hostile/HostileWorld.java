// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.demo.DemoDirectory;
import io.sallyport.app.demo.DemoHttp;
import io.sallyport.app.demo.DemoParts;
import io.sallyport.app.demo.FreePort;
import io.sallyport.app.scenarios.RawConnection;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import reactor.netty.resources.LoopResources;

/**
 * One gateway for all hostile classes, a {@link RecordingUpstream} behind all its routes, and neighbours: well-behaved clients
 * whose requests share event loops and upstream connections with the attacker's, and who are asked after each attack whether they
 * still get their own answers.
 */
final class HostileWorld implements BeforeAllCallback {
    /** How the targets of neighbours' requests begin. */
    static final String NEIGHBOUR = "/neighbour/";

    /** Where the upstream is told who called; for callers with a token. */
    static final String TOLD = "/told/acme/";

    /** Before which only callers with a token get. */
    static final String SECRET = "/secret/";

    private static final int NEIGHBOURS = LoopResources.DEFAULT_IO_WORKER_COUNT;

    private static final Namespace SHARED = Namespace.create(HostileWorld.class);
    private static final Duration READY_WITHIN = Duration.ofSeconds(30);

    /** Longer than other classes take between two of these. */
    private static final Duration IDLE = Duration.ofMinutes(10);

    private static final List<String> TELLING = List.of(
            "X-Told-Subject: { value: token.subject }",
            "X-Told-Mail: { value: token.claims.email }",
            "X-Told-Groups: { value: token.claims.groups, type: list }",
            "X-Told-Name: { value: token.claims.name, encoding: ext-value }",
            "X-Told-Tenant: { value: path.tenant }",
            "X-Told-Level: { value: 12 / token.claims.level }");

    private static final String ROUTES = """
                HOST-open:
                  match: { hosts: [HOST, RESOLVABLE], path: "/**", methods: [GET, HEAD, POST, PUT, DELETE] }
                  authorize: public
            FILTERS      upstream: UPSTREAM
                HOST-secret:
                  match: { hosts: [HOST], path: "/secret/**", methods: [GET, POST] }
                  authenticate: { issuers: [demo] }
                  authorize: { allow: { anyone: "true" } }
            FILTERS      upstream: UPSTREAM
                HOST-judged:
                  match: { hosts: [HOST], path: "/judged/**", methods: [GET] }
                  authenticate: { issuers: [demo] }
                  authorize:
                    deny:
                      pattern: "request.headers['x-text'].matches('(a|aa|a*)*b')"
                    allow:
                      contained:  "token.claims.text.contains(request.headers['x-text'])"
                      nested:     "token.claims.list.exists(x, token.claims.list.exists(y, x + y == 'z'))"
                      listed:     "'z' in token.claims.list || 'z' in token.scopes || token.claims.list == token.claims.other"
                      number:     "token.claims.number > 1.5 && token.claims.number == 1"
                      queried:    "request.query['q'] == 'z' || token.claims.text.endsWith(request.path)"
                      anyone:     "true"
                  rate-limits: { tenant: { key: "claim:tenant_id", limit: 1000000, per: 1m }, user: { key: subject, limit: 1000000, per: 1m } }
                  risk: { deny: 100 }
                  cors: { origins: ["https://app.example.org"] }
            FILTERS      upstream: UPSTREAM
                HOST-socket:
                  match: { hosts: [HOST], path: "/socket/**", methods: [GET, POST] }
                  authorize: public
                  websocket: { origins: ["https://app.example.org"] }
            FILTERS      upstream: UPSTREAM
                HOST-told:
                  match: { hosts: [HOST], path: "/told/{tenant}/**", methods: [GET] }
                  authenticate: { issuers: [demo] }
                  authorize: { allow: { anyone: "true" } }
            FILTERS      upstream: TOLD
                HOST-own:
                  match: { hosts: [HOST], path: "/own/**", methods: [GET] }
                  authorize: public
            FILTERS      upstream: OWN
                HOST-accepting:
                  match: { hosts: [HOST], path: "/accepting/**", methods: [GET] }
                  authorize: public
                  accept-client-header: [X-Tenant-ID, X-Told-Subject]
            FILTERS      upstream: UPSTREAM
                HOST-projects:
                  match: { hosts: [HOST], path: "/projects/{project}/**", methods: [GET, OPTIONS] }
                  paths: { encoded-slash: pass, parameters: pass }
                  authorize: { allow: { own: "path.project == 'group/proj' || path.project == 'plain'" } }
                  authenticate: { issuers: [demo] }
                  rewrite: { location: true, cookies: true }
            FILTERS      upstream: UPSTREAM
                HOST-stripped:
                  match: { hosts: [HOST], path: "/api/v1/**", methods: [GET] }
                  authorize: public
                  filters: [StripPrefix=2]
                  upstream: UPSTREAM
                HOST-shop:
                  match: { hosts: [HOST], path: "/shop/**", methods: [GET] }
                  authorize: public
                  rewrite: { location: true, cookies: true }
                  filters: [StripPrefix=1]
                  upstream: UPSTREAM
                HOST-guarded:
                  match: { hosts: [HOST], path: "/guarded", methods: [POST] }
                  authorize: public
            FILTERS      upstream: GUARDED
            """;

    private World world;

    @Override
    public void beforeAll(ExtensionContext context) {
        world = context.getRoot().getStore(SHARED).computeIfAbsent(World.class, _ -> World.start(), World.class);
    }

    /** A configuration with the routes of both hosts to that upstream, and the key that some of them sign with beside its file. */
    static String withRoutes(String configuration, Path file, int upstreamPort) throws IOException {
        var key = file.resolveSibling("signing.pem");
        Files.writeString(key, newSigningKey());
        return configuration.replaceFirst(
                        "(?m)^  identity:", "  signing: { keys: [\"%s\"] }\n  identity:".formatted(key))
                + routes(upstreamPort);
    }

    private static String newSigningKey() {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            var encoded = generator.generateKeyPair().getPrivate().getEncoded();
            return "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
                    .formatted(Base64.getMimeEncoder().encodeToString(encoded));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has P-256", e);
        }
    }

    private static String routes(int upstreamPort) {
        var to = "{ uri: \"https://localhost:%d\", expected-ids: [\"%s\"], timeout: 5s }"
                .formatted(upstreamPort, DemoParts.PAYMENTS_ID);
        // Under another name, for an upstream has one breaker.
        var guarded = to.replace("localhost", "127.0.0.1").replace(" }", ", circuit-breaker: { minimum-calls: 5 } }");
        var told = to.replace(
                " }",
                ", identity: { assertion: { claims: [groups] }, txn-token: {}, headers: { " + String.join(", ", TELLING)
                        + " } } }");
        var own = to.replace(" }", ", forward-credentials: { authorization: true, cookies: [session] } }");
        var routes = new StringBuilder();
        for (var way : Way.values()) {
            var filters = way == Way.DIRECT ? "" : "      filters: [\"AddResponseHeader=X-Way, filters\"]\n";
            routes.append(
                    ROUTES.replace("HOST-", way.name().toLowerCase(Locale.ROOT).replace('_', '-') + "-")
                            .replace("HOST", way.host())
                            .replace("RESOLVABLE", way.resolvable())
                            .replace("FILTERS", filters)
                            .replace("UPSTREAM", to)
                            .replace("GUARDED", guarded)
                            .replace("TOLD", told)
                            .replace("OWN", own));
        }
        return routes.toString();
    }

    RecordingUpstream upstream() {
        return world.upstream;
    }

    /** The gateway's port. */
    int port() {
        return world.peer.port();
    }

    /** TLS that trusts the gateway's certificate; its sessions are resumed. */
    SSLContext tls() {
        return world.tls;
    }

    RawConnection connect() throws IOException {
        return RawConnection.open(world.tls, port());
    }

    /** A token that the gateway has not seen before, with these claims beside the usual ones or in their place. */
    String token(Map<String, ?> claims) {
        return world.parts.issuer().mint(DemoParts.ACME, DemoParts.AUDIENCE, claims);
    }

    /** A target that nobody has asked for before. */
    String target() {
        return "/attack/" + world.targets.incrementAndGet();
    }

    /** The same on a route that takes WebSockets. */
    String socketTarget() {
        return "/socket/" + world.targets.incrementAndGet();
    }

    /** Asks a neighbour on each event loop: each gets its own answer on the connection that it has had all along. */
    void requireNeighboursUnharmed(Way way) throws IOException {
        for (int i = 0; i < NEIGHBOURS; i++) {
            requireUnharmed(way, i);
        }
    }

    /** Asks one of them, a different one each time: for attacks that are expected to end at the wire. */
    void requireOneNeighbourUnharmed(Way way) throws IOException {
        requireUnharmed(way, world.targets.get() % NEIGHBOURS);
    }

    private void requireUnharmed(Way way, int which) throws IOException {
        var target = NEIGHBOUR + world.targets.incrementAndGet();
        var neighbours = world.neighbours.get(way);
        var unharmed = false;
        try {
            var response = neighbours
                    .get(which)
                    .write("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(target, way.host()))
                    .read();
            assertThat(response.status()).as("a neighbour's status").isEqualTo(200);
            assertThat(response.body()).as("a neighbour's answer").isEqualTo(target);
            unharmed = true;
        } finally {
            if (!unharmed) {
                // One attack's harm is not found again after the next.
                neighbours.set(which, connect());
            }
        }
    }

    private static final class World implements AutoCloseable {
        private final DemoDirectory directory;
        private final DemoParts parts;
        private final RecordingUpstream upstream;
        private final Peer.Running peer;
        private final SSLContext tls;
        private final AtomicInteger targets = new AtomicInteger();
        private final Map<Way, List<RawConnection>> neighbours = new EnumMap<>(Way.class);

        private World() throws IOException, InterruptedException {
            directory = DemoDirectory.create();
            int port = FreePort.find();
            parts = DemoParts.start(directory.path(), DemoParts.Layout.onLoopback(port), InstantSource.system());
            upstream = RecordingUpstream.start(
                    parts.svid(DemoParts.PAYMENTS_ID, Duration.ofDays(1)), parts.workloadRoot());
            addRoutes();
            tls = DemoHttp.tlsTrusting(parts.root());
            peer = Peer.underTest().start(parts, port, upstream.port());
            awaitReady();
            for (var way : Way.values()) {
                // Connections are handed to the event loops in turn.
                var each = new ArrayList<RawConnection>();
                for (int i = 0; i < NEIGHBOURS; i++) {
                    each.add(RawConnection.open(tls, peer.port()));
                }
                neighbours.put(way, each);
            }
        }

        static World start() {
            try {
                return new World();
            } catch (IOException e) {
                throw new AssertionError("the world did not start", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted while the world started", e);
            }
        }

        private void addRoutes() throws IOException {
            var configuration = Files.readString(parts.configuration())
                    .replace(
                            "  listener:\n",
                            "  listener:\n    health-path: /healthz\n    max-headers: 16KB\n    idle-timeout: %ds\n"
                                    .formatted(IDLE.toSeconds()))
                    // Who is turned away unread shows nothing.
                    .replace("failures-per-minute: 100 ", "failures-per-minute: 10000000 ")
                    .replace("      signals:\n", "      signals:\n        ua-scanner: { weight: 60 }\n");
            Files.writeString(parts.configuration(), withRoutes(configuration, parts.configuration(), upstream.port()));
        }

        private void awaitReady() throws IOException, InterruptedException {
            var deadline = System.nanoTime() + READY_WITHIN.toNanos();
            while (!isReady()) {
                if (System.nanoTime() > deadline) {
                    throw new AssertionError(Peer.underTest() + " is not ready");
                }
                Thread.sleep(50);
            }
        }

        private boolean isReady() throws IOException {
            try (var connection = RawConnection.open(tls, peer.port())) {
                return connection
                                .write("GET %sready HTTP/1.1\r\nHost: %s\r\n\r\n"
                                        .formatted(NEIGHBOUR, Way.DIRECT.host()))
                                .read()
                                .status()
                        == 200;
            } catch (ConnectException _) {
                return false;
            }
        }

        @Override
        public void close() throws IOException {
            for (var each : neighbours.values()) {
                for (var neighbour : each) {
                    neighbour.close();
                }
            }
            peer.close();
            upstream.close();
            parts.close();
            directory.close();
        }
    }
}
