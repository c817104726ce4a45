// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.sallyport.app.Gateway;
import io.sallyport.app.demo.DecisionRecords;
import io.sallyport.app.demo.DecisionRecords.Decision;
import io.sallyport.app.demo.DemoClient;
import io.sallyport.app.demo.DemoDirectory;
import io.sallyport.app.demo.DemoHttp;
import io.sallyport.app.demo.DemoIssuer;
import io.sallyport.app.demo.DemoParts;
import io.sallyport.app.demo.FreePort;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A gateway with short time-outs in front of a {@link StreamingUpstream}, with the same routes for both ways forward, and tokens that
 * expire when a test wants them to.
 */
final class StreamingWorld implements BeforeAllCallback, AfterAllCallback {
    /** The two ways forward: which one a request takes, its path decides. */
    enum Way {
        DIRECT("direct", ""),
        THROUGH_FILTERS("filtered", "      filters: [\"AddResponseHeader=X-Way, filters\"]\n");

        private final String path;
        private final String filters;

        Way(String path, String filters) {
            this.path = path;
            this.filters = filters;
        }

        /** The service of gRPC whose calls go this way. */
        String service() {
            return path + ".Calls";
        }

        /** A path of this way. */
        String path(String rest) {
            return "/" + path + rest;
        }
    }

    /** The page that may open a WebSocket. */
    static final String ORIGIN = "https://app.example.org";

    private static final Duration RECORD_WITHIN = Duration.ofSeconds(20);

    private static final String ROUTES = """
                WAY-socket:
                  match: { hosts: [localhost], path: "/WAY/socket/**", methods: [GET] }
                  authenticate: { issuers: [demo] }
                  authorize: { allow: { anyone: "true" } }
                  websocket: { origins: ["https://app.example.org"] }
            FILTERS      upstream: UPSTREAM
                WAY-impostor:
                  match: { hosts: [localhost], path: "/WAY/impostor", methods: [GET] }
                  authenticate: { issuers: [demo] }
                  authorize: { allow: { anyone: "true" } }
                  websocket: { origins: ["https://app.example.org"] }
            FILTERS      upstream: IMPOSTOR
                WAY-events:
                  match: { hosts: [localhost], path: "/WAY/events/**", methods: [GET] }
                  authenticate: { issuers: [demo] }
                  authorize: { allow: { anyone: "true" } }
            FILTERS      upstream: UPSTREAM
                WAY-downloads:
                  match: { hosts: [localhost], path: "/WAY/download/**", methods: [GET] }
                  authenticate: { issuers: [demo] }
                  authorize: { allow: { anyone: "true" } }
            FILTERS      upstream: UPSTREAM
                WAY-calls:
                  match: { hosts: [localhost], path: "/WAY.Calls/**", methods: [POST] }
                  authenticate: { issuers: [demo] }
                  authorize: { allow: { anyone: "true" } }
            FILTERS      upstream: CALLS
            """;

    private interface Running {
        int port();

        /** Begins to stop it. */
        void terminate();

        /** Waits until it has stopped; its exit code. */
        int awaitEnd() throws InterruptedException;
    }

    private DemoDirectory directory;
    private DemoParts parts;
    private final int callsPort = FreePort.find();
    private StreamingUpstream upstream;
    private GrpcUpstream calls;
    private String original;
    private Running gateway;
    private HttpClient http;
    private DemoClient client;
    private DecisionRecords records;
    private volatile Duration past = Duration.ZERO;

    private final boolean asProcess;

    private StreamingWorld(boolean asProcess) {
        this.asProcess = asProcess;
    }

    /** With the gateway in this process. */
    StreamingWorld() {
        this(false);
    }

    /** With the gateway in a process of its own, as {@code sallyport run} starts it; each test does. */
    static StreamingWorld withProcess() {
        return new StreamingWorld(true);
    }

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        directory = DemoDirectory.create();
        parts = DemoParts.start(
                directory.path(),
                DemoParts.Layout.onLoopback(FreePort.find()),
                () -> Instant.now().minus(past));
        var own = parts.svid(DemoParts.PAYMENTS_ID, Duration.ofDays(1));
        upstream = StreamingUpstream.start(own, parts.workloadRoot());
        calls = GrpcUpstream.start(
                callsPort,
                own,
                parts.workloadRoot(),
                Duration.ofDays(1),
                Stream.of(Way.values()).map(Way::service).toList());
        configure();
        http = DemoHttp.clientTrusting(parts.root());
        client = new DemoClient(parts);
        records = new DecisionRecords(parts.decisionLog());
        if (!asProcess) {
            start();
        }
    }

    private void configure() throws IOException {
        // Longer than it takes to open a thousand streams: the first are silent until the last is open.
        var to = "{ uri: \"https://localhost:%d\", expected-ids: [\"%s\"], timeout: 2m }";
        var text = new StringBuilder(Files.readString(parts.configuration())
                .replace("  listener:\n", "  listener:\n    idle-timeout: 1s\n    answer-timeout: 1s\n")
                .replace("  identity:\n", "  identity:\n    drain-after: 1s\n    cut-after: 1s\n")
                .replace("  stages:\n", "  stages:\n    authenticate: { clock-skew: 0s }\n"));
        for (var way : Way.values()) {
            text.append(ROUTES.replace("WAY", way.path)
                    .replace("FILTERS", way.filters)
                    .replace("UPSTREAM", to.formatted(upstream.port(), DemoParts.PAYMENTS_ID))
                    .replace(
                            "CALLS",
                            to.formatted(callsPort, DemoParts.PAYMENTS_ID).replace(" }", ", protocol: h2 }"))
                    .replace("IMPOSTOR", to.formatted(parts.impostor().port(), DemoParts.LEDGER_ID)));
        }
        original = text.toString();
        Files.writeString(parts.configuration(), original);
    }

    /** Starts the gateway again, after {@link #stop}. */
    void start() throws IOException, InterruptedException {
        gateway = asProcess ? process() : inProcess();
        Patience.until("ready", () -> client.get("/v1/orders/1", token()).status() == 200);
    }

    /** Starts it by another configuration. */
    void start(UnaryOperator<String> configuration) throws IOException, InterruptedException {
        Files.writeString(parts.configuration(), configuration.apply(original));
        start();
    }

    private Running inProcess() {
        var started = Gateway.start(parts.configuration());
        return new Running() {
            @Override
            public int port() {
                return started.port();
            }

            @Override
            public void terminate() {
                started.close();
            }

            @Override
            public int awaitEnd() {
                return 0;
            }
        };
    }

    private Running process() throws IOException, InterruptedException {
        var started = GatewayProcess.start(parts.configuration(), log());
        return new Running() {
            @Override
            public int port() {
                return parts.gateway().getPort();
            }

            @Override
            public void terminate() {
                started.terminate();
            }

            @Override
            public int awaitEnd() throws InterruptedException {
                return started.awaitEnd();
            }
        };
    }

    /** What the gateway's process has logged. */
    Path log() {
        return directory.path().resolve("gateway.out");
    }

    /** Stops the gateway, and returns when everything that was under way has ended. */
    void stop() throws InterruptedException {
        terminate();
        awaitEnd();
    }

    /** Sends the gateway's process SIGTERM. */
    void terminate() {
        gateway.terminate();
    }

    /** Waits for the end of the gateway's process; its exit code. */
    int awaitEnd() throws InterruptedException {
        return gateway.awaitEnd();
    }

    GrpcUpstream calls() {
        return calls;
    }

    StreamingUpstream upstream() {
        return upstream;
    }

    DemoParts parts() {
        return parts;
    }

    HttpClient http() {
        return http;
    }

    URI http(Way way, String rest) {
        return URI.create("https://localhost:%d%s".formatted(gateway.port(), way.path(rest)));
    }

    URI webSocket(Way way, String rest) {
        return URI.create("wss://localhost:%d%s".formatted(gateway.port(), way.path(rest)));
    }

    RawConnection connect() throws IOException {
        return RawConnection.open(parts.root(), gateway.port());
    }

    /** A token that is valid for long. */
    String token() throws IOException, InterruptedException {
        return client.token(DemoParts.ACME, Map.of());
    }

    /** One of another client. */
    String token(String of) throws IOException, InterruptedException {
        return client.token(of, Map.of());
    }

    DemoClient client() {
        return client;
    }

    /** A token that is valid for so long from now, and was issued a while ago. */
    String tokenFor(Duration left) throws IOException, InterruptedException {
        past = DemoIssuer.TOKEN_LIFETIME.minus(left);
        try {
            return token();
        } finally {
            past = Duration.ZERO;
        }
    }

    /** A connection to the gateway for calls of gRPC. */
    ManagedChannel connectForCalls() {
        try {
            return NettyChannelBuilder.forAddress("localhost", gateway.port())
                    .sslContext(GrpcSslContexts.forClient()
                            .trustManager(parts.root())
                            .build())
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("no TLS for gRPC", e);
        }
    }

    /** The value of one of the gateway's metrics, tags included as Prometheus is told them; 0 if it has none. */
    double metric(String name) throws IOException, InterruptedException {
        var token = client.token(DemoParts.OPERATOR, Map.of("resource", DemoParts.MANAGEMENT_AUDIENCE));
        var request = HttpRequest.newBuilder(parts.management().resolve("/actuator/prometheus"))
                .header("Authorization", "Bearer " + token)
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofLines())
                .body()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .sum();
    }

    Decision recordOf(String requestId) throws IOException, InterruptedException {
        var record = records.await(requestId, RECORD_WITHIN);
        if (record == null) {
            throw new AssertionError("no record of request " + requestId);
        }
        return record;
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        http.close();
        client.close();
        stop();
        calls.close();
        upstream.close();
        parts.close();
        directory.close();
    }
}
