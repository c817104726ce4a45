// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Finding;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;

/** Says what the gateway would say of a configuration file, without starting anything and without asking anybody. */
public final class ConfigurationCheck {
    private ConfigurationCheck() {}

    /**
     * Reads, binds and compiles the file as a start and a reload do.
     *
     * @return everything that is wrong with it, in the order of the file; empty if it is right
     */
    public static List<Finding> check(Path file) {
        // Nobody asks since when the file has been missing.
        try (var source = new ConfigurationFile(file, InstantSource.fixed(Instant.EPOCH))) {
            Configuration.load(source);
            return List.of();
        } catch (InvalidConfiguration e) {
            return e.findings();
        }
    }
}
