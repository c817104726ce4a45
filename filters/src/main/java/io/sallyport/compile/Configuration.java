// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Bound;
import io.sallyport.config.Findings;
import org.jspecify.annotations.Nullable;

/**
 * The configuration as its source had it at one moment, read and found right as far as that can be said without starting anything.
 *
 * @param source {@link ConfigurationSource#name}
 * @param revision names its content
 * @param read what a later state of a file is compared with; null for settings that stand in no file
 */
public record Configuration(
        String source,
        String revision,
        GatewaySettings settings,
        @Nullable Bound<GatewayFile> read) {

    Configuration(String source, String revision, GatewaySettings settings) {
        this(source, revision, settings, null);
    }

    /**
     * Reads the configuration for a start, and looks at the files that it names.
     *
     * @throws InvalidConfiguration with everything that is wrong with it
     */
    public static Configuration loadForStart(ConfigurationSource source) {
        var findings = new Findings();
        var configuration = read(source, findings);
        if (configuration != null) {
            StartCheck.files(configuration.settings(), findings);
        }
        return requireRight(configuration, source, findings);
    }

    /**
     * Reads the configuration, and nothing that it names.
     *
     * @throws InvalidConfiguration with everything that is wrong with it
     */
    static Configuration load(ConfigurationSource source) {
        var findings = new Findings();
        return requireRight(read(source, findings), source, findings);
    }

    private static Configuration requireRight(
            @Nullable Configuration configuration, ConfigurationSource source, Findings findings) {
        if (configuration == null || !findings.isEmpty()) {
            throw new InvalidConfiguration(source.name(), findings.all());
        }
        return configuration;
    }

    /** Reads and compiles; null, or with findings good for nothing but to find more. */
    static @Nullable Configuration read(ConfigurationSource source, Findings findings) {
        var configuration = source.read(null, findings);
        if (configuration != null) {
            var _ = SnapshotCompiler.forChecking().compile(configuration, findings);
        }
        return configuration;
    }
}
