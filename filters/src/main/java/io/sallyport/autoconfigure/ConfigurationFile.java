// SPDX-License-Identifier: Apache-2.0
package io.sallyport.autoconfigure;

import io.sallyport.config.Findings;
import io.sallyport.config.RecordBinder;
import io.sallyport.config.YamlDocument;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.BiConsumer;

/**
 * The configuration file as it was at one moment, read and found right as far as that can be said without starting anything.
 *
 * @param path where it is
 * @param revision names its content: the first 12 hex digits of its SHA-256
 */
record ConfigurationFile(Path path, String revision, GatewaySettings settings) {
    private static final int REVISION_DIGITS = 12;

    /**
     * Reads the file.
     *
     * @throws InvalidConfiguration with everything that is wrong with it
     */
    static ConfigurationFile load(Path path) {
        return load(path, (_, _) -> {});
    }

    /**
     * Reads the file as a successor of what is in force.
     *
     * @param successor adds findings for what cannot follow
     * @throws InvalidConfiguration with everything that is wrong with it
     */
    static ConfigurationFile load(Path path, BiConsumer<GatewaySettings, Findings> successor) {
        var findings = new Findings();
        var bytes = YamlDocument.readBytes(path, findings);
        var document = bytes == null ? null : YamlDocument.parse(bytes, findings);
        if (bytes == null || document == null) {
            throw new InvalidConfiguration(path, findings.all());
        }
        var folder = path.toAbsolutePath().getParent();
        var bound = new RecordBinder(folder == null ? path : folder).bind(document, GatewayFile.class, findings);
        if (bound == null) {
            throw new InvalidConfiguration(path, findings.all());
        }
        successor.accept(bound.sallyport(), findings);
        var file = new ConfigurationFile(path, revisionOf(bytes), bound.sallyport());
        if (SnapshotCompiler.forChecking().compile(file, findings) == null) {
            throw new InvalidConfiguration(path, findings.all());
        }
        return file;
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
