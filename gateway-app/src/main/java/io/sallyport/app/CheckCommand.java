// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import io.sallyport.compile.ConfigurationCheck;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sallyport check}: prints everything that is wrong with a configuration, one finding on each line. */
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = {
            "Says what is wrong with a configuration, without starting anything.",
            "Looks at the file, and at the files, directories and ports that it names, as a start would find them here and now.",
            "One finding a line: file, line, path, value, and what was expected."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:the configuration is valid", "2:it is not; all findings were printed"})
final class CheckCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli before call()
    private CommandSpec spec;

    @Mixin
    private final ConfigurationOption configuration = new ConfigurationOption();

    @Option(
            names = "--file-only",
            description =
                    "Look at the configuration file alone: for a gateway that runs elsewhere, or that is running here and has the ports.")
    private boolean fileOnly;

    @Override
    public Integer call() {
        var file = configuration.file();
        var findings =
                fileOnly ? ConfigurationCheck.check(file) : ConfigurationCheck.checkStart(file, InstantSource.system());
        var out = spec.commandLine().getOut();
        findings.forEach(finding -> out.println(finding.in(file.toString())));
        if (findings.isEmpty()) {
            out.println(file + ": valid");
            return CommandLine.ExitCode.OK;
        }
        spec.commandLine()
                .getErr()
                .println(
                        findings.size() == 1
                                ? "sallyport: 1 finding"
                                : "sallyport: %d findings".formatted(findings.size()));
        return CommandLine.ExitCode.USAGE;
    }
}
