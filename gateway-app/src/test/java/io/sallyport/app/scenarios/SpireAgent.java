// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import io.spiffe.spiffeid.SpiffeId;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** A real SPIRE agent of a {@link SpireServer}, as a process: serves the Workload API on a Unix socket. */
final class SpireAgent implements AutoCloseable {
    private final SpireTools tools;
    private final Path directory;
    private final Path socket;
    private @Nullable Process process;

    private SpireAgent(SpireTools tools, Path directory) {
        this.tools = tools;
        this.directory = directory;
        this.socket = directory.resolve("agent.sock");
    }

    /** Joins, and returns when it is healthy. */
    static SpireAgent start(SpireTools tools, SpireServer server, SpiffeId node)
            throws IOException, InterruptedException {
        var directory = Files.createDirectory(server.directory().resolve("agent"));
        var agent = new SpireAgent(tools, directory);
        Files.writeString(directory.resolve("agent.conf"), agent.configuration(server));
        agent.start("-joinToken", server.joinToken(node));
        return agent;
    }

    private String configuration(SpireServer server) throws IOException, InterruptedException {
        return """
            agent {
              data_dir = "%s"
              server_address = "127.0.0.1"
              server_port = "%d"
              socket_path = "%s"
              trust_bundle_path = "%s"
              trust_domain = "%s"
              log_level = "WARN"
              experimental { sync_interval = "1s" }
            }
            plugins {
              NodeAttestor "join_token" { plugin_data {} }
              KeyManager "disk" { plugin_data { directory = "%s" } }
              WorkloadAttestor "unix" { plugin_data { discover_workload_path = true  workload_size_limit = -1 } }
            }
            """.formatted(
                        directory, server.port(), socket, server.writeBundle("pem"), server.trustDomain(), directory);
    }

    /** Starts it again after {@link #kill()}: it still knows who it is. */
    void restart() throws IOException, InterruptedException {
        start();
    }

    private void start(String... arguments) throws IOException, InterruptedException {
        process = tools.startAgent(directory.resolve("agent.conf"), directory.resolve("agent.log"), arguments);
        Patience.until("the SPIRE agent is healthy", () -> tools.isAgentHealthy(socket));
    }

    /** A JWT-SVID for that workload of the agent's own command line, from the Workload API. */
    String jwtSvid(SpiffeId workload, String audience) throws IOException, InterruptedException {
        var said = tools.tellAgent(
                "api",
                "fetch",
                "jwt",
                "-socketPath",
                socket.toString(),
                "-spiffeID",
                workload.toString(),
                "-audience",
                audience,
                "-output",
                "json");
        return JsonMapper.shared().readTree(said).at("/0/svids/0/svid").asString();
    }

    /** As a crash would: open streams break off. */
    void kill() {
        if (process != null) {
            process.destroyForcibly().onExit().join();
        }
    }

    /** As the setting {@code workload-api} has it. */
    URI address() {
        return URI.create("unix:" + socket);
    }

    @Override
    public void close() {
        kill();
    }
}
