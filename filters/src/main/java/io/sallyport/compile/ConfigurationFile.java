// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Bound;
import io.sallyport.config.Findings;
import io.sallyport.config.RecordBinder;
import io.sallyport.config.YamlDocument;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * The configuration file as it was at one moment, read and found right as far as that can be said without starting anything.
 *
 * @param path where it is
 * @param revision names its content: the first 12 hex digits of its SHA-256
 * @param read what a later state of the file is compared with; null for settings that stand in no file
 */
public record ConfigurationFile(
        Path path,
        String revision,
        GatewaySettings settings,
        @Nullable Bound<GatewayFile> read) {
    private static final int REVISION_DIGITS = 12;

    ConfigurationFile(Path path, String revision, GatewaySettings settings) {
        this(path, revision, settings, null);
    }

    private ConfigurationFile(Path path, String revision, Bound<GatewayFile> read) {
        this(path, revision, read.value().sallyport(), read);
    }

    /**
     * Reads the file.
     *
     * @throws InvalidConfiguration with everything that is wrong with it
     */
    public static ConfigurationFile load(Path path) {
        var findings = new Findings();
        var file = read(path, null, findings);
        if (file == null || SnapshotCompiler.forChecking().compile(file, findings) == null) {
            throw new InvalidConfiguration(path, findings.all());
        }
        return file;
    }

    /**
     * Reads the file again. What is right by itself may be wrong together: that is for {@link SnapshotCompiler} to find.
     *
     * @return null with findings, or if there are findings good for nothing but to find more; a route that stands in it as it
     *     stood is the same section again
     */
    @Nullable
    ConfigurationFile readAgain(Findings findings) {
        return read(path, read, findings);
    }

    private static @Nullable ConfigurationFile read(Path path, @Nullable Bound<GatewayFile> before, Findings findings) {
        var bytes = YamlDocument.readBytes(path, findings);
        if (bytes == null) {
            return null;
        }
        var folder = path.toAbsolutePath().getParent();
        var bound = new RecordBinder(folder == null ? path : folder)
                .bind(bytes, GatewayFile.class, "sallyport", "routes", before, findings);
        return bound == null ? null : new ConfigurationFile(path, revisionOf(bytes), bound);
    }

    private static String revisionOf(byte[] bytes) {
        try {
            var digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return HexFormat.of().formatHex(digest).substring(0, REVISION_DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
