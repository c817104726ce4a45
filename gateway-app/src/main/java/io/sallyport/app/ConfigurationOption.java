// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** {@code --config}, the same for each command that reads one. */
final class ConfigurationOption {
    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            defaultValue = "config/gateway.yaml",
            description = "The configuration file (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // it has a default, which picocli sets before anything reads it
    private Path file;

    Path file() {
        return file;
    }
}
