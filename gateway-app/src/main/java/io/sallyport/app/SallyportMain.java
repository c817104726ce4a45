// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The command line: {@code sallyport <command>}. Exit code 0 is success, 1 a failure while running, 2 a configuration or a
 * command that was written wrongly.
 */
@Command(
        name = "sallyport",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "A zero-trust ingress gateway: every request is read one way, proven, decided, and evidenced.",
        subcommands = {
            DemoCommand.class,
            RunCommand.class,
            CheckCommand.class,
            DemoPartsCommand.class,
            AutoComplete.GenerateCompletion.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:success",
            "1:a failure while running",
            "2:a configuration or a command that was written wrongly"
        },
        footer = {
            "",
            "First steps:",
            "  sallyport demo --once                  see it work, in half a minute",
            "  sallyport demo                         the same to try by hand, with curl",
            "  sallyport check --config gateway.yaml  what is wrong with a configuration",
            "  source <(sallyport generate-completion)"
        })
public final class SallyportMain implements Runnable {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli before run()
    private CommandSpec spec;

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Log more, and show where in the program a failure comes from.")
    private boolean verbose;

    private SallyportMain() {}

    public static void main(String[] arguments) {
        System.exit(commandLine(
                        new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                        new PrintWriter(System.err, true, StandardCharsets.UTF_8))
                .execute(arguments));
    }

    /** The command line with what it prints going elsewhere. */
    static CommandLine commandLine(PrintWriter out, PrintWriter err) {
        return new CommandLine(new SallyportMain())
                .setOut(out)
                .setErr(err)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionStrategy(SallyportMain::execute)
                .setParameterExceptionHandler((e, _) -> misuse(e))
                .setExecutionExceptionHandler(
                        (e, command, parsed) -> Failures.report(e, command.getErr(), isVerbose(parsed)));
    }

    /** One sentence, what was probably meant, and where to read on: a page of help would bury them. */
    private static int misuse(CommandLine.ParameterException e) {
        var command = e.getCommandLine();
        var err = command.getErr();
        err.println("sallyport: " + e.getMessage());
        CommandLine.UnmatchedArgumentException.printSuggestions(e, err);
        err.printf("Try: %s --help%n", command.getCommandSpec().qualifiedName());
        return CommandLine.ExitCode.USAGE;
    }

    private static int execute(ParseResult parsed) {
        // Before the first logger exists: logback.xml reads them when it does.
        if (isVerbose(parsed)) {
            System.setProperty(Gateway.OWN_LOG_LEVEL, "DEBUG");
            System.setProperty(Gateway.OTHERS_LOG_LEVEL, "INFO");
        }
        return new CommandLine.RunLast().execute(parsed);
    }

    private static boolean isVerbose(ParseResult parsed) {
        return parsed.commandSpec().root().userObject() instanceof SallyportMain main && main.verbose;
    }

    /** Without a command there is nothing to do but to say which there are. */
    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "Which command?");
    }
}
