// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import java.io.IOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** What this was built from and what it runs on. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() throws IOException {
        return new String[] {"sallyport %s (Java %s)".formatted(number(), Runtime.version())};
    }

    private static String number() throws IOException {
        try (var stream = Version.class.getResourceAsStream("/META-INF/build-info.properties")) {
            if (stream == null) {
                return "(unpackaged)";
            }
            var properties = new Properties();
            properties.load(stream);
            return properties.getProperty("build.version", "(unknown)");
        }
    }
}
