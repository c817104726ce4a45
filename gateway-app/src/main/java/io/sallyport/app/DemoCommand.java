// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import io.sallyport.app.demo.DecisionRecords;
import io.sallyport.app.demo.FreePort;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sallyport demo}: the gateway at its main job, on real input, with nothing else installed. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Shows the gateway at work on real requests: what it allows, what it refuses, and the record of each refusal.",
            "It meets an OIDC issuer, a SPIFFE Workload API and three mTLS upstreams, all started for it.",
            "Everything lives in a temporary directory and on loopback ports, and is gone at the end."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:with --once: everything was as expected",
            "1:with --once: something was not; or it could not start"
        })
final class DemoCommand implements Callable<Integer> {
    private static final int USUAL_PORT = 8443;
    private static final Duration PAUSE = Duration.ofMillis(100);

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli before call()
    private CommandSpec spec;

    @Option(names = "--once", description = "Send all the requests, print what was expected and what came, and exit.")
    private boolean once;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "The gateway's port (default: " + USUAL_PORT
                    + " or, if that is taken and with --once, any free one).")
    private @Nullable Integer port;

    @Override
    public Integer call() throws IOException, InterruptedException, ExecutionException {
        // Its own warnings would stand between the lines that explain them.
        if (System.getProperty(Gateway.OWN_LOG_LEVEL) == null) {
            System.setProperty(Gateway.OWN_LOG_LEVEL, "ERROR");
            System.setProperty(Gateway.OTHERS_LOG_LEVEL, "ERROR");
        }
        var terminal = Terminal.on(spec.commandLine().getOut());
        var progress = Terminal.on(spec.commandLine().getErr());
        var stopwatch = Stopwatch.start();
        var demo = DemoSession.start(
                choosePort(), step -> progress.line(progress.faint("[%s] %s".formatted(stopwatch, step))));
        progress.line(progress.faint("[%s] ready".formatted(stopwatch)));

        if (once) {
            terminal.line();
            var good = new DemoTour(demo, terminal).run();
            terminal.line();
            terminal.line(good ? "  All as expected." : "  Not as expected: see the lines that say DIFFERS.");
            return good ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
        }
        new DemoGuide(demo.parts()).print(terminal, demo.parts().directory().toString());
        terminal.line();
        terminal.line(terminal.strong("What the gateway decides, and why, appears below."));
        terminal.line("Ctrl-C stops everything and deletes " + demo.parts().directory() + ".");
        follow(demo, terminal);
        return CommandLine.ExitCode.OK;
    }

    private int choosePort() {
        if (port != null) {
            if (port < 1 || port > 65_535) {
                throw new CommandLine.ParameterException(
                        spec.commandLine(), "--port: %d (expected: 1 to 65535)".formatted(port));
            }
            if (!FreePort.isFree(port)) {
                throw new CommandFailure("cannot listen on port %d: something else does already".formatted(port));
            }
            return port;
        }
        return !once && FreePort.isFree(USUAL_PORT) ? USUAL_PORT : FreePort.find();
    }

    /** Prints decisions as they are made, until the process is told to stop. */
    private static void follow(DemoSession demo, Terminal terminal) throws IOException, InterruptedException {
        var records = new DecisionRecords(demo.parts().decisionLog());
        var printer = new DecisionPrinter(terminal);
        while (true) {
            for (var decision : records.poll()) {
                terminal.line();
                printer.print(decision);
            }
            Thread.sleep(PAUSE);
        }
    }
}
