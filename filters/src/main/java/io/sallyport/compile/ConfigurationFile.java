// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Bound;
import io.sallyport.config.Findings;
import io.sallyport.config.RecordBinder;
import io.sallyport.config.YamlDocument;
import io.sallyport.files.FileWatch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One file of YAML. Its revision is the first 12 hex digits of the SHA-256 of its content. */
public final class ConfigurationFile implements ConfigurationSource {
    private static final int REVISION_DIGITS = 12;
    private static final String THREAD = "sallyport-configuration";

    private final Path path;
    private final FileWatch watch;

    /** @param clock says since when the file has been missing */
    public ConfigurationFile(Path path, InstantSource clock) {
        this(path, new FileWatch(THREAD, List.of(path), clock));
    }

    /** @param interval between two looks at the file */
    ConfigurationFile(Path path, InstantSource clock, Duration interval) {
        this(path, new FileWatch(THREAD, List.of(path), clock, interval));
    }

    private ConfigurationFile(Path path, FileWatch watch) {
        this.path = path;
        this.watch = watch;
    }

    @Override
    public String name() {
        return path.toString();
    }

    @Override
    public @Nullable Configuration read(@Nullable Configuration before, Findings findings) {
        var bytes = YamlDocument.readBytes(path, findings);
        if (bytes == null) {
            if (!Files.isReadable(path)) {
                watch.again();
            }
            return null;
        }
        var folder = path.toAbsolutePath().getParent();
        Bound<GatewayFile> bound = new RecordBinder(folder == null ? path : folder)
                .bind(bytes, GatewayFile.class, "sallyport", "routes", before == null ? null : before.read(), findings);
        return bound == null
                ? null
                : new Configuration(name(), revisionOf(bytes), bound.value().sallyport(), bound);
    }

    @Override
    public void follow(Runnable changed) {
        watch.start(_ -> {
            // Between the removal of the old file and the arrival of the new one there is nothing to read.
            if (watch.unreadable().isEmpty()) {
                changed.run();
            }
        });
    }

    @Override
    public @Nullable String problem() {
        for (var unreadable : watch.unreadable()) {
            return "%s, since %s".formatted(unreadable.cause(), unreadable.since());
        }
        return null;
    }

    /** Looks at the file once, now. */
    void look() {
        watch.look();
    }

    @Override
    public void close() {
        watch.close();
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
