// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Bound;
import io.sallyport.config.Findings;
import io.sallyport.config.RecordBinder;
import io.sallyport.config.YamlDocument;
import io.sallyport.files.FileChange;
import io.sallyport.files.FileWatch;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One file of YAML. Its revision is the first 12 hex digits of the SHA-256 of its content.
 *
 * <p>A file that is written while the gateway runs may be seen half, and half a file can be valid. So one that was changed in place is read
 * only if it ends with YAML's document end marker; one that replaced another by a rename is whole.
 */
public final class ConfigurationFile implements ConfigurationSource {
    private static final int REVISION_DIGITS = 12;
    private static final String THREAD = "sallyport-configuration";
    private static final String END = "...";
    /** The marker, and as much white space after it as anybody leaves. */
    private static final int LONGEST_END = 256;

    private static final Logger log = LoggerFactory.getLogger(ConfigurationFile.class);

    private final Path path;
    private final FileWatch watch;
    private volatile boolean writtenInPlace;

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
        var revision = revisionOf(bytes);
        if (before != null && writtenInPlace && !revision.equals(before.revision()) && !isEnded(bytes)) {
            findings.at("")
                    .reject(
                            "changed in place, and without its end",
                            "a line ... at its end, or a file that takes the place of this one by a rename (mv): so none is read half");
            return null;
        }
        var folder = path.toAbsolutePath().getParent();
        Bound<GatewayFile> bound = new RecordBinder(folder == null ? path : folder)
                .bind(bytes, GatewayFile.class, "sallyport", "routes", before == null ? null : before.read(), findings);
        return bound == null
                ? null
                : new Configuration(name(), revision, bound.value().sallyport(), bound);
    }

    @Override
    public void follow(Runnable changed) {
        watch.start(changes -> {
            // Between the removal of the old file and the arrival of the new one there is nothing to read.
            if (!watch.unreadable().isEmpty()) {
                log.atWarn()
                        .addKeyValue("file", path)
                        .addKeyValue("cause", problem())
                        .log("the configuration file cannot be read; what is in force stays in force");
                return;
            }
            if (!changes.isEmpty()) {
                writtenInPlace = changes.stream().anyMatch(change -> change.kind() != FileChange.Kind.REPLACED);
            }
            changed.run();
        });
    }

    /** Whether the last line is the document end marker. */
    private static boolean isEnded(byte[] bytes) {
        var end = new String(
                        bytes,
                        Math.max(0, bytes.length - LONGEST_END),
                        Math.min(bytes.length, LONGEST_END),
                        StandardCharsets.ISO_8859_1)
                .stripTrailing();
        return end.endsWith("\n" + END);
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
