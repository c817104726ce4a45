// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import io.sallyport.app.demo.Credentials;
import io.sallyport.app.demo.FreePort;
import io.spiffe.bundle.x509bundle.X509Bundle;
import io.spiffe.exception.X509BundleException;
import io.spiffe.exception.X509SvidException;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import io.spiffe.svid.x509svid.X509Svid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A real SPIRE server, the authority of one trust domain, as a process with a directory of its own. */
final class SpireServer implements AutoCloseable {
    private final SpireTools tools;
    private final TrustDomain trustDomain;
    private final Path directory;
    private final Path socket;
    private final int port = FreePort.find();
    private @Nullable Process process;

    private SpireServer(SpireTools tools, TrustDomain trustDomain, Path directory) {
        this.tools = tools;
        this.trustDomain = trustDomain;
        this.directory = directory;
        this.socket = directory.resolve("server.sock");
    }

    /** @param parent a directory that nobody else can enter; the server makes one of its own in there */
    static SpireServer start(SpireTools tools, TrustDomain trustDomain, Path parent)
            throws IOException, InterruptedException {
        var directory = Files.createDirectory(parent.resolve(trustDomain.getName()));
        var server = new SpireServer(tools, trustDomain, directory);
        Files.writeString(directory.resolve("server.conf"), server.configuration());
        server.start();
        return server;
    }

    private String configuration() {
        return """
            server {
              bind_address = "127.0.0.1"
              bind_port = "%d"
              socket_path = "%s"
              trust_domain = "%s"
              data_dir = "%s"
              log_level = "WARN"
              ca_ttl = "24h"
              agent_ttl = "24h"
              default_x509_svid_ttl = "1h"
              experimental {
                cache_reload_interval = "1s"
                events_based_cache = false
              }
            }
            plugins {
              DataStore "sql" { plugin_data { database_type = "sqlite3"  connection_string = "%s" } }
              NodeAttestor "join_token" { plugin_data {} }
              KeyManager "disk" { plugin_data { keys_path = "%s" } }
            }
            """.formatted(
                        port,
                        socket,
                        trustDomain,
                        directory,
                        directory.resolve("entries.sqlite3"),
                        directory.resolve("keys.json"));
    }

    /** Starts it, again if it was killed, and returns when it is healthy. */
    void start() throws IOException, InterruptedException {
        process = tools.startServer(directory.resolve("server.conf"), directory.resolve("server.log"));
        Patience.until("the SPIRE server is healthy", () -> tools.isServerHealthy(socket));
    }

    /** As a crash would: it cannot say good-bye to anybody. */
    void kill() {
        if (process != null) {
            process.destroyForcibly().onExit().join();
        }
    }

    TrustDomain trustDomain() {
        return trustDomain;
    }

    Path directory() {
        return directory;
    }

    int port() {
        return port;
    }

    /** A token that one agent can join with, and then is {@code node}. */
    String joinToken(SpiffeId node) throws IOException, InterruptedException {
        var said = tell("token", "generate", "-spiffeID", node.toString(), "-ttl", "600", "-output", "json");
        return JsonMapper.shared().readTree(said).get("value").asString();
    }

    /** Registers a workload of that user on that node. */
    void createEntry(String entry, SpiffeId node, SpiffeId workload, int uid, Duration ttl)
            throws IOException, InterruptedException {
        writeEntry("create", entry, node, workload, uid, ttl);
    }

    /** Changes the entry, whose workload gets a new SVID by it. */
    void updateEntry(
            String entry, SpiffeId node, SpiffeId workload, int uid, Duration ttl, TrustDomain... federatesWith)
            throws IOException, InterruptedException {
        writeEntry("update", entry, node, workload, uid, ttl, federatesWith);
    }

    private void writeEntry(
            String verb,
            String entry,
            SpiffeId node,
            SpiffeId workload,
            int uid,
            Duration ttl,
            TrustDomain... federatesWith)
            throws IOException, InterruptedException {
        var arguments = new ArrayList<>(List.of(
                "entry",
                verb,
                "-entryID",
                entry,
                "-parentID",
                node.toString(),
                "-spiffeID",
                workload.toString(),
                "-selector",
                "unix:uid:" + uid,
                "-x509SVIDTTL",
                String.valueOf(ttl.toSeconds())));
        for (var other : federatesWith) {
            arguments.addAll(List.of("-federatesWith", other.toIdString()));
        }
        tell(arguments.toArray(String[]::new));
    }

    /** Registers a workload that is the agent's own command line, run by that user on that node. */
    void createEntryOfAgent(String entry, SpiffeId node, SpiffeId workload, int uid)
            throws IOException, InterruptedException {
        tell(
                "entry",
                "create",
                "-entryID",
                entry,
                "-parentID",
                node.toString(),
                "-spiffeID",
                workload.toString(),
                "-selector",
                "unix:uid:" + uid,
                "-selector",
                "unix:path:" + tools.agent());
    }

    void deleteEntry(String entry) throws IOException, InterruptedException {
        tell("entry", "delete", "-entryID", entry);
    }

    /** An SVID for a workload that has no agent. */
    Credentials mint(SpiffeId workload) throws IOException, InterruptedException {
        var folder = Files.createTempDirectory(directory, "minted");
        tell("x509", "mint", "-spiffeID", workload.toString(), "-ttl", "1h", "-write", folder.toString());
        try {
            var svid = X509Svid.load(folder.resolve("svid.pem"), folder.resolve("key.pem"));
            return new Credentials(svid.getPrivateKey(), svid.getChain());
        } catch (X509SvidException e) {
            throw new IOException("what SPIRE minted cannot be read", e);
        }
    }

    /** A JWT-SVID for a workload that has no agent. */
    String mintJwt(SpiffeId workload, String audience) throws IOException, InterruptedException {
        return tell("jwt", "mint", "-spiffeID", workload.toString(), "-audience", audience, "-ttl", "5m")
                .strip();
    }

    /** The authorities that this trust domain has: one, but for the time of a change. */
    List<X509Certificate> roots() throws IOException, InterruptedException {
        try {
            return List.copyOf(X509Bundle.load(trustDomain, writeBundle("pem")).getX509Authorities());
        } catch (X509BundleException e) {
            throw new IOException("SPIRE's bundle cannot be read", e);
        }
    }

    /**
     * Signs with a new authority from now on, whose certificate is in the bundle beside the former one's.
     *
     * @return the former one's id
     */
    String changeAuthority() throws IOException, InterruptedException {
        return changeAuthority("x509");
    }

    /** The same of its JWT-SVIDs. */
    String changeJwtAuthority() throws IOException, InterruptedException {
        return changeAuthority("jwt");
    }

    private String changeAuthority(String kind) throws IOException, InterruptedException {
        var prepared = authorities(kind, "prepare")
                .at("/prepared_authority/authority_id")
                .asString();
        authorities(kind, "activate", "-authorityID", prepared);
        return authorities(kind, "show").at("/old/authority_id").asString();
    }

    /** Has every SVID that the former authority signed replaced. */
    void taintAuthority(String id) throws IOException, InterruptedException {
        authorities("x509", "taint", "-authorityID", id);
    }

    /** Takes the former authority out of the bundle. */
    void revokeAuthority(String id) throws IOException, InterruptedException {
        authorities("x509", "revoke", "-authorityID", id);
    }

    /** Takes the former authority of JWT-SVIDs out of the bundle. */
    void revokeJwtAuthority(String id) throws IOException, InterruptedException {
        authorities("jwt", "taint", "-authorityID", id);
        authorities("jwt", "revoke", "-authorityID", id);
    }

    private JsonNode authorities(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("localauthority"));
        command.addAll(Arrays.asList(arguments));
        command.addAll(List.of("-output", "json"));
        return JsonMapper.shared().readTree(tell(command.toArray(String[]::new)));
    }

    /** Writes what agents ({@code pem}) or other trust domains ({@code spiffe}) have to know of this one. */
    Path writeBundle(String format) throws IOException, InterruptedException {
        return Files.writeString(directory.resolve("bundle." + format), tell("bundle", "show", "-format", format));
    }

    /** Takes over what that other trust domain's authorities are. */
    void federateWith(SpireServer other) throws IOException, InterruptedException {
        tell(
                "bundle",
                "set",
                "-id",
                other.trustDomain.toIdString(),
                "-format",
                "spiffe",
                "-path",
                other.writeBundle("spiffe").toString());
    }

    private String tell(String... arguments) throws IOException, InterruptedException {
        var withSocket = new ArrayList<>(Arrays.asList(arguments));
        withSocket.addAll(List.of("-socketPath", socket.toString()));
        return tools.tell(withSocket.toArray(String[]::new));
    }

    @Override
    public void close() {
        kill();
    }
}
