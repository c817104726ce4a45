// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import io.sallyport.app.demo.DemoClient;
import io.sallyport.app.demo.DemoDirectory;
import io.sallyport.app.demo.DemoHttp;
import io.sallyport.app.demo.DemoParts;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * The demo as it runs: a directory, the parts, and the gateway among them, started by its configuration file as any other
 * gateway would be.
 */
public final class DemoSession implements AutoCloseable {
    private static final Duration READY_WITHIN = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofMillis(50);

    private final Deque<AutoCloseable> running = new ConcurrentLinkedDeque<>();
    private final Thread atExit = new Thread(this::stop, "demo-stop");
    private final DemoParts parts;
    private final Gateway gateway;
    private final DemoClient client;

    private DemoSession(int port, boolean registered, UnaryOperator<String> configuration, Consumer<String> progress)
            throws IOException {
        Runtime.getRuntime().addShutdownHook(atExit);
        try {
            var directory = DemoDirectory.create();
            running.push(directory);
            progress.accept("starting an OIDC issuer, a workload CA and three upstreams");
            var layout = DemoParts.Layout.onLoopback(port);
            this.parts = DemoParts.start(
                    directory.path(), registered ? layout : layout.unregistered(), InstantSource.system());
            running.push(parts);
            var file = parts.configuration();
            Files.writeString(file, configuration.apply(Files.readString(file)));
            progress.accept("starting the gateway with " + parts.configuration());
            this.gateway = Gateway.start(parts.configuration());
            running.push(gateway);
            this.client = new DemoClient(parts);
            running.push(client);
        } catch (IOException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /**
     * Starts all of it, and returns when the gateway says that it is ready.
     *
     * @param port the gateway's
     * @param progress is told each step before it is taken
     */
    public static DemoSession start(int port, Consumer<String> progress) throws IOException, InterruptedException {
        return start(port, UnaryOperator.identity(), progress);
    }

    /**
     * The same, by another configuration.
     *
     * @param configuration is given the text of the demo's own
     */
    public static DemoSession start(int port, UnaryOperator<String> configuration, Consumer<String> progress)
            throws IOException, InterruptedException {
        var session = new DemoSession(port, true, configuration, progress);
        try {
            session.awaitReady();
            return session;
        } catch (CommandFailure | IOException | InterruptedException e) {
            session.close();
            throw e;
        }
    }

    /** The same, but the gateway is given no identity, and so never becomes ready, until {@link DemoParts#rotateSvid()}. */
    public static DemoSession startUnregistered(int port) throws IOException {
        return new DemoSession(port, false, UnaryOperator.identity(), _ -> {});
    }

    public DemoParts parts() {
        return parts;
    }

    public Gateway gateway() {
        return gateway;
    }

    /** Somebody outside. */
    public DemoClient client() {
        return client;
    }

    /** Waits until the readiness probe says yes: identity, key sets and configuration are there. */
    public void awaitReady() throws IOException, InterruptedException {
        var deadline = System.nanoTime() + READY_WITHIN.toNanos();
        var probe = HttpRequest.newBuilder(parts.management().resolve("/readyz"))
                .timeout(Duration.ofSeconds(5))
                .build();
        try (HttpClient http = DemoHttp.clientTrusting(parts.root())) {
            while (true) {
                var answer = http.send(probe, HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() == 200) {
                    return;
                }
                if (System.nanoTime() > deadline) {
                    throw new CommandFailure("the gateway is not ready after %d s; its readiness probe says %d %s"
                            .formatted(READY_WITHIN.toSeconds(), answer.statusCode(), answer.body()));
                }
                Thread.sleep(PAUSE);
            }
        }
    }

    /** Stops all of it, and deletes the directory. Happens by itself when the process ends. */
    @Override
    public void close() {
        stop();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // The process is ending, and the hook finds nothing left to do.
        }
    }

    /** The gateway first, so that it never sees a part of its world gone; the directory last, when nobody writes to it. */
    private void stop() {
        for (var part = running.poll(); part != null; part = running.poll()) {
            try {
                part.close();
            } catch (Exception e) {
                // The rest is to be stopped all the same.
            }
        }
    }
}
