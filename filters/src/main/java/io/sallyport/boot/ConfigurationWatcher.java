// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import io.sallyport.compile.ConfigurationReloader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;

/**
 * Asks for a reload when the file has changed and then kept still for one look, so that a file that is being written is not read
 * half. Looks at it by name, through all symbolic links: Kubernetes replaces a mounted file by swapping a link further
 * up, which no file-system event of the file itself tells.
 */
final class ConfigurationWatcher implements SmartLifecycle {
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    /** Tells one state of the file from another: an edit changes the time, a swap or a rename the identity. */
    private record Stamp(
            FileTime modified, long size, @Nullable Object identity) {}

    private final Path file;
    private final ConfigurationReloader reloader;

    private @Nullable Stamp loaded;
    private @Nullable Stamp seen;
    private volatile @Nullable ScheduledExecutorService timer;

    ConfigurationWatcher(Path file, ConfigurationReloader reloader) {
        this.file = file;
        this.reloader = reloader;
        this.loaded = stamp();
        this.seen = loaded;
    }

    @Override
    public void start() {
        var watching = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("sallyport-configuration").factory());
        var unused = watching.scheduleWithFixedDelay(
                this::look, INTERVAL.toMillis(), INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
        timer = watching;
    }

    /** One look at the file. On the watcher's own thread. */
    void look() {
        var now = stamp();
        if (now == null) {
            // Between the removal of the old file and the arrival of the new one. Nothing to load; what is in force
            // stays.
            return;
        }
        boolean still = now.equals(seen);
        seen = now;
        if (still && !now.equals(loaded)) {
            loaded = now;
            var unused = reloader.reload();
        }
    }

    private @Nullable Stamp stamp() {
        try {
            var attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return new Stamp(attributes.lastModifiedTime(), attributes.size(), attributes.fileKey());
        } catch (IOException e) {
            return null;
        }
    }

    @Override
    public void stop() {
        var watching = timer;
        if (watching != null) {
            // Interrupts a reload that waits for key sets: it counts as refused, and nobody is there to see it.
            watching.shutdownNow();
            timer = null;
        }
    }

    @Override
    public boolean isRunning() {
        return timer != null;
    }
}
