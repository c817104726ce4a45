// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Says what the gateway would say of a configuration file, without starting anything and without asking anybody. */
public final class ConfigurationCheck {
    private ConfigurationCheck() {}

    /**
     * Reads, binds and compiles the file as a start and a reload do.
     *
     * @return everything that is wrong with it, in the order of the file; empty if it is right
     */
    public static List<Finding> check(Path file) {
        var findings = new Findings();
        read(file, findings);
        return findings.all();
    }

    /**
     * The same, and looks at the files, directories and ports that the file names: what a start would refuse, and what would keep the
     * gateway from becoming ready. Changes none of them.
     */
    public static List<Finding> checkStart(Path file, InstantSource clock) {
        var findings = new Findings();
        var configuration = read(file, findings);
        if (configuration != null) {
            StartCheck.files(configuration.settings(), findings);
            StartCheck.surroundings(configuration.settings(), clock, findings);
        }
        return findings.all();
    }

    private static @Nullable Configuration read(Path file, Findings findings) {
        // Nobody asks since when the file has been missing.
        try (var source = new ConfigurationFile(file, InstantSource.fixed(Instant.EPOCH))) {
            return Configuration.read(source, findings);
        }
    }
}
