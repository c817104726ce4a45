// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

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
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
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
            """;

    private DemoDirectory directory;
    private DemoParts parts;
    private StreamingUpstream upstream;
    private Gateway gateway;
    private HttpClient http;
    private DemoClient client;
    private DecisionRecords records;
    private volatile Duration past = Duration.ZERO;

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        directory = DemoDirectory.create();
        parts = DemoParts.start(
                directory.path(),
                DemoParts.Layout.onLoopback(FreePort.find()),
                () -> Instant.now().minus(past));
        upstream = StreamingUpstream.start(parts.svid(DemoParts.PAYMENTS_ID, Duration.ofDays(1)), parts.workloadRoot());
        configure();
        http = DemoHttp.clientTrusting(parts.root());
        client = new DemoClient(parts);
        records = new DecisionRecords(parts.decisionLog());
        start();
    }

    private void configure() throws IOException {
        var to = "{ uri: \"https://localhost:%d\", expected-ids: [\"%s\"] }";
        var text = new StringBuilder(Files.readString(parts.configuration())
                .replace("  listener:\n", "  listener:\n    idle-timeout: 1s\n    answer-timeout: 1s\n")
                .replace("  stages:\n", "  stages:\n    authenticate: { clock-skew: 0s }\n"));
        for (var way : Way.values()) {
            text.append(ROUTES.replace("WAY", way.path)
                    .replace("FILTERS", way.filters)
                    .replace("UPSTREAM", to.formatted(upstream.port(), DemoParts.PAYMENTS_ID))
                    .replace("IMPOSTOR", to.formatted(parts.impostor().port(), DemoParts.LEDGER_ID)));
        }
        Files.writeString(parts.configuration(), text);
    }

    /** Starts the gateway again, after {@link #stop}. */
    void start() throws IOException, InterruptedException {
        gateway = Gateway.start(parts.configuration());
        Patience.until("ready", () -> client.get("/v1/orders/1", token()).status() == 200);
    }

    /** Stops the gateway, and returns when everything that was under way has ended. */
    void stop() {
        gateway.close();
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

    /** A token that is valid for so long from now, and was issued a while ago. */
    String tokenFor(Duration left) throws IOException, InterruptedException {
        past = DemoIssuer.TOKEN_LIFETIME.minus(left);
        try {
            return token();
        } finally {
            past = Duration.ZERO;
        }
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
        gateway.close();
        upstream.close();
        parts.close();
        directory.close();
    }
}
