// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Finding;
import java.nio.file.Path;
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
        try {
            ConfigurationFile.load(file);
            return List.of();
        } catch (InvalidConfiguration e) {
            return e.findings();
        }
    }
}
