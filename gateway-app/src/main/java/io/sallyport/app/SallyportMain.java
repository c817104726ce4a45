// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command line: {@code sallyport <command>}. Exit code 0 is success, 1 a failure, 2 a command that was written wrongly. */
@Command(
        name = "sallyport",
        mixinStandardHelpOptions = true,
        version = "sallyport 0.1.0-SNAPSHOT",
        description = "A zero-trust ingress gateway.")
public final class SallyportMain implements Callable<Integer> {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli before call()
    private CommandSpec spec;

    private SallyportMain() {}

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new SallyportMain()).execute(arguments));
    }

    /** Without a command there is nothing to do but to say which there are. */
    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getErr());
        return CommandLine.ExitCode.USAGE;
    }
}
