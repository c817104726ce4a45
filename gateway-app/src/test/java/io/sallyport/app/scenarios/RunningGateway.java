// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import io.sallyport.app.DemoSession;
import io.sallyport.app.demo.DecisionRecords;
import io.sallyport.app.demo.DecisionRecords.Decision;
import io.sallyport.app.demo.DemoClient;
import io.sallyport.app.demo.DemoHttp;
import io.sallyport.app.demo.DemoParts;
import io.sallyport.app.demo.FreePort;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * The gateway with all that it meets, started as {@code sallyport demo} starts it. One for all test classes that leave it as
 * it was, or one for a class of its own.
 */
final class RunningGateway implements BeforeAllCallback, AfterAllCallback {
    private static final Namespace SHARED = Namespace.create(RunningGateway.class);
    private static final Duration RECORD_WITHIN = Duration.ofSeconds(10);
    private static final Duration TAKEN_OVER_WITHIN = Duration.ofSeconds(20);

    private final boolean ofItsOwn;
    private final UnaryOperator<String> configuration;
    private World world;

    private RunningGateway(boolean ofItsOwn, UnaryOperator<String> configuration) {
        this.ofItsOwn = ofItsOwn;
        this.configuration = configuration;
    }

    /** For classes that change nothing. */
    static RunningGateway shared() {
        return new RunningGateway(false, UnaryOperator.identity());
    }

    /** For a class that changes something. */
    static RunningGateway ofItsOwn() {
        return new RunningGateway(true, UnaryOperator.identity());
    }

    /** For a class that starts it by another configuration: it is given the text of the demo's own. */
    static RunningGateway configured(UnaryOperator<String> configuration) {
        return new RunningGateway(true, configuration);
    }

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        var throughFilters = context.getRequiredTestClass().isAnnotationPresent(ThroughFilters.class);
        world = ofItsOwn
                ? World.start(configuration)
                : context.getRoot()
                        .getStore(SHARED)
                        .computeIfAbsent(
                                throughFilters,
                                _ -> throughFilters ? World.startWithFilters() : World.start(configuration),
                                World.class);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (ofItsOwn) {
            world.close();
        }
    }

    DemoSession session() {
        return world.session;
    }

    DemoParts parts() {
        return world.session.parts();
    }

    DemoClient client() {
        return world.session.client();
    }

    /** A token of this client for the demo's API, from the token endpoint. */
    String token(String client) throws IOException, InterruptedException {
        return client().token(client, Map.of());
    }

    URI ingress(String path) {
        return parts().gateway().resolve(path);
    }

    URI management(String path) {
        return parts().management().resolve(path);
    }

    /** Sends a request with the JDK's client over TLS. */
    HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return world.http.send(request.timeout(Duration.ofSeconds(20)).build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri));
    }

    HttpResponse<String> get(URI uri, String token) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri).header("Authorization", "Bearer " + token));
    }

    /** A TLS connection for writing bytes to. */
    RawConnection connect() throws IOException {
        return RawConnection.open(parts().root(), session().gateway().port());
    }

    /** The record of the request that this was the answer to. */
    Decision recordOf(HttpResponse<?> response) throws IOException, InterruptedException {
        return recordOf(response.headers().firstValue("X-Request-ID").orElseThrow());
    }

    Decision recordOf(String requestId) throws IOException, InterruptedException {
        var record = world.records.await(requestId, RECORD_WITHIN);
        if (record == null) {
            throw new AssertionError("no record of request " + requestId);
        }
        return record;
    }

    private static final class World implements AutoCloseable {
        private final DemoSession session;
        private final HttpClient http;
        private final DecisionRecords records;

        private World(DemoSession session) {
            this.session = session;
            this.http = DemoHttp.clientTrusting(session.parts().root());
            this.records = new DecisionRecords(session.parts().decisionLog());
        }

        static World start(UnaryOperator<String> configuration) {
            try {
                return new World(DemoSession.start(FreePort.find(), configuration, _ -> {}));
            } catch (IOException e) {
                throw new AssertionError("the demo did not start", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted while the demo started", e);
            }
        }

        static World startWithFilters() {
            var world = start(UnaryOperator.identity());
            try {
                world.addFilters();
            } catch (IOException e) {
                throw new AssertionError("the filters did not get into the file", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted while the filters got into the file", e);
            }
            return world;
        }

        private void addFilters() throws IOException, InterruptedException {
            var file = session.parts().configuration();
            var text = Files.readString(file);
            var upstream = "{ uri: \"https://localhost:%d\", expected-ids: [\"%s\"] }"
                    .formatted(session.parts().payments().port(), DemoParts.PAYMENTS_ID);
            var filter = "      filters: [\"AddResponseHeader=%s, filters\"]\n".formatted(ThroughFilters.FIELD);
            Files.writeString(
                    file,
                    text.replace("      upstream:\n", filter + "      upstream:\n")
                            + ThroughFilters.ROUTE.replace("UPSTREAM", upstream)
                            + "...\n");
            var status = HttpRequest.newBuilder(session.parts().gateway().resolve("/status"))
                    .timeout(Duration.ofSeconds(20))
                    .build();
            var deadline = System.nanoTime() + TAKEN_OVER_WITHIN.toNanos();
            while (http.send(status, HttpResponse.BodyHandlers.discarding())
                    .headers()
                    .firstValue(ThroughFilters.FIELD)
                    .isEmpty()) {
                if (System.nanoTime() > deadline) {
                    throw new AssertionError("the filters were not taken over");
                }
                Thread.sleep(50);
            }
        }

        @Override
        public void close() {
            http.close();
            session.close();
        }
    }
}
