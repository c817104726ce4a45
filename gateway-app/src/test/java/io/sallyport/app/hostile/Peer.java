// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import io.sallyport.app.Gateway;
import io.sallyport.app.demo.Credentials;
import io.sallyport.app.demo.DemoParts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * What the corpus is sent to: the gateway, or for comparison another proxy, started on the gateway's port in its place, with its
 * certificate, towards the same upstream. Which one, {@code -Dsallyport.hostile.peer} says.
 */
enum Peer {
    SALLYPORT,
    NGINX {
        @Override
        List<String> command(Path configuration) {
            return List.of("nginx", "-c", configuration.toString());
        }
    },
    HAPROXY {
        @Override
        List<String> command(Path configuration) {
            return List.of("haproxy", "-db", "-f", configuration.toString());
        }
    };

    private static final Duration STOPS_WITHIN = Duration.ofSeconds(10);

    /** Of a process, something that listens on a port. */
    interface Running extends AutoCloseable {
        int port();

        @Override
        void close();
    }

    static Peer underTest() {
        return valueOf(
                System.getProperty("sallyport.hostile.peer", SALLYPORT.name()).toUpperCase(Locale.ROOT));
    }

    List<String> command(Path configuration) {
        throw new UnsupportedOperationException(name() + " runs in this process");
    }

    /** Starts it; it may not be ready when this returns. */
    Running start(DemoParts parts, int port, int upstreamPort) throws IOException {
        return this == SALLYPORT ? inThisProcess(parts) : inItsOwn(parts, port, upstreamPort);
    }

    private static Running inThisProcess(DemoParts parts) {
        var gateway = Gateway.start(parts.configuration());
        return new Running() {
            @Override
            public int port() {
                return gateway.port();
            }

            @Override
            public void close() {
                gateway.close();
            }
        };
    }

    private Running inItsOwn(DemoParts parts, int port, int upstreamPort) throws IOException {
        var directory = Files.createDirectory(parts.directory().resolve("peer"));
        var svid = directory.resolve("svid.pem");
        var key = directory.resolve("svid-key.pem");
        parts.svid(DemoParts.PAYMENTS_ID, Duration.ofDays(1)).writeTo(svid, key);
        Files.writeString(directory.resolve("svid-both.pem"), Files.readString(svid) + Files.readString(key));
        Files.writeString(directory.resolve("ca.pem"), Credentials.pem(List.of(parts.workloadRoot())));
        var listener = parts.directory();
        Files.writeString(
                directory.resolve("listener-both.pem"),
                Files.readString(listener.resolve("gateway.pem"))
                        + Files.readString(listener.resolve("gateway-key.pem")));
        var configuration = directory.resolve("peer.conf");
        Files.writeString(
                configuration,
                template()
                        .replace("${directory}", directory.toString())
                        .replace("${listener}", listener.toString())
                        .replace("${port}", "" + port)
                        .replace("${upstream-port}", "" + upstreamPort));
        var process = new ProcessBuilder(command(configuration))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("peer.log").toFile())
                .start();
        return new Running() {
            @Override
            public int port() {
                return port;
            }

            @Override
            public void close() {
                process.destroy();
                process.onExit()
                        .orTimeout(STOPS_WITHIN.toSeconds(), TimeUnit.SECONDS)
                        .join();
            }
        };
    }

    private String template() throws IOException {
        var name = name().toLowerCase(Locale.ROOT) + ".conf";
        try (var template = Objects.requireNonNull(Peer.class.getResourceAsStream(name), name)) {
            return new String(template.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
