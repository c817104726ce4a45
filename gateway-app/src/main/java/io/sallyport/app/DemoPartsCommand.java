// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import io.sallyport.app.demo.DemoParts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sallyport demo-parts}: what the demo's gateway meets, without the gateway, for where that runs in a container of its own. */
@Command(
        name = "demo-parts",
        hidden = true,
        mixinStandardHelpOptions = true,
        description = {
            "Runs the demo's issuer, Workload API and upstreams, and writes the gateway.yaml that goes with them.",
            "The gateway is then started with: sallyport run --config DIR/gateway.yaml"
        })
final class DemoPartsCommand implements Callable<Integer> {
    private static final int ISSUER_PORT = 9443;
    private static final int FIRST_UPSTREAM_PORT = 9001;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli before call()
    private CommandSpec spec;

    @Option(
            names = "--dir",
            required = true,
            description = "Where keys, the socket and gateway.yaml go; shared with the gateway.")
    @SuppressWarnings("NullAway.Init") // it is required
    private Path directory;

    @Option(
            names = "--gateway-host",
            defaultValue = "localhost",
            description = "The host of the gateway's routes and certificate, and of issuer and upstreams"
                    + " (default: ${DEFAULT-VALUE}).")
    private String host = "localhost";

    @Option(
            names = "--gateway-port",
            defaultValue = "8443",
            description = "The gateway's port; the next is for its management (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--bind",
            defaultValue = "0.0.0.0",
            description = "The address that the parts and the gateway listen on (default: ${DEFAULT-VALUE}).")
    private String address = "0.0.0.0";

    @Option(
            names = "--decision-log",
            defaultValue = "/var/log/sallyport/decisions.jsonl",
            description = "Where the gateway writes its decisions (default: ${DEFAULT-VALUE}).")
    private String decisionLog = "";

    @Option(
            names = "--client-dir",
            paramLabel = "WORD",
            defaultValue = "(a directory with a copy of ca.pem)",
            description = "What a client's shell is told to set D to, where ca.pem is for it; printed as it stands.")
    private String clientDirectory = "";

    @Option(
            names = "--deny-list",
            defaultValue = "/var/lib/sallyport/deny-list.journal",
            description = "Where the gateway keeps what was revoked (default: ${DEFAULT-VALUE}).")
    private String denyList = "";

    @Override
    public Integer call() throws IOException, InterruptedException {
        Files.createDirectories(directory);
        // A former run's directory may still be there: the socket of a dead process cannot be bound again.
        var ready = directory.resolve("ready");
        Files.deleteIfExists(ready);
        Files.deleteIfExists(directory.resolve("workload.sock"));
        var layout = new DemoParts.Layout(
                host, address, port, port + 1, ISSUER_PORT, FIRST_UPSTREAM_PORT, decisionLog, denyList, true);
        var parts = DemoParts.start(directory.toAbsolutePath(), layout, InstantSource.system());
        Runtime.getRuntime().addShutdownHook(new Thread(parts::close, "demo-parts-stop"));
        var terminal = Terminal.on(spec.commandLine().getOut());
        new DemoGuide(parts).print(terminal, clientDirectory);
        terminal.line();
        terminal.line(terminal.strong("What the gateway decided, and why, stands in its decision log."));
        // Last, so that whoever waits for it finds everything in place.
        Files.createFile(ready);
        new CountDownLatch(1).await();
        return CommandLine.ExitCode.OK;
    }
}
