// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/** The systems that are not libraries: {@code .ci/} puts them outside of the clone, and a test finds them there. */
public final class Tools {
    private Tools() {}

    /** The directory of this tool, in this version; skips the test if it is not there. */
    public static Path require(String nameAndVersion, String recipe) {
        var directory = root().resolve(nameAndVersion);
        Assumptions.assumeTrue(
                Files.isDirectory(directory), () -> directory + " is not there; " + recipe + " puts it there");
        return directory;
    }

    private static Path root() {
        var tools = variable("SALLYPORT_TOOLS");
        if (tools != null) {
            return Path.of(tools);
        }
        var cache = variable("XDG_CACHE_HOME");
        return (cache == null ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache))
                .resolve("sallyport/tools");
    }

    private static @Nullable String variable(String name) {
        var value = System.getenv(name);
        return value == null || value.isEmpty() ? null : value;
    }
}
