// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sallyport run}: the gateway, until it is told to stop. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        description = {
            "Runs the gateway until it is stopped.",
            "Logs go to standard error; standard output is the decision log's, if the file says so.",
            "Stops on SIGTERM or Ctrl-C, after requests under way have finished."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"1:it could not start", "2:the configuration is not valid", "143:it was stopped by SIGTERM"})
final class RunCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli before call()
    private CommandSpec spec;

    @Mixin
    private final ConfigurationOption configuration = new ConfigurationOption();

    @Override
    public Integer call() throws InterruptedException {
        var stopwatch = Stopwatch.start();
        var gateway = Gateway.start(configuration.file());
        Runtime.getRuntime().addShutdownHook(new Thread(gateway::close, "gateway-stop"));
        spec.commandLine()
                .getErr()
                .printf(
                        "sallyport: listening on port %d, management on port %d, after %s%n",
                        gateway.port(), gateway.managementPort(), stopwatch);
        gateway.awaitStop();
        return CommandLine.ExitCode.OK;
    }
}
