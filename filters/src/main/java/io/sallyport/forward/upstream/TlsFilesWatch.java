// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.files.FileWatch;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.InstantSource;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the files of named upstreams again when they change. Files that cannot be used change nothing: what they said before stays
 * in use, and a line says so. Safe for use by any thread.
 */
final class TlsFilesWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(TlsFilesWatch.class);

    private final InstantSource clock;
    private final Consumer<TlsFiles> changed;
    private final ConcurrentMap<TlsFiles, TlsFiles> followed = new ConcurrentHashMap<>();
    private final ConcurrentMap<TlsFiles, FileWatch> watches = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /** @param changed told on a thread of the watch when files say something else */
    TlsFilesWatch(InstantSource clock, Consumer<TlsFiles> changed) {
        this.clock = clock;
        this.changed = changed;
    }

    /** The one of these files that is kept current, from now on. Never waits. */
    TlsFiles follow(TlsFiles files) {
        var known = followed.putIfAbsent(files, files);
        if (known != null) {
            return known;
        }
        if (!files.paths().isEmpty()) {
            // The first look reads the files, which an event loop must not.
            var _ = Thread.ofVirtual().start(() -> watch(files));
        }
        return files;
    }

    private void watch(TlsFiles files) {
        var watch = new FileWatch("sallyport-upstream-files", files.paths(), clock);
        watches.put(files, watch);
        if (closed) {
            watch.close();
            return;
        }
        // They may have changed between the start and the first look.
        watch.again();
        watch.start(_ -> readAgain(files));
    }

    private void readAgain(TlsFiles files) throws IOException {
        try {
            if (files.readAgain()) {
                changed.accept(files);
                log.atInfo().addKeyValue("files", files).log("the TLS files of an upstream were replaced");
            }
        } catch (IOException e) {
            complain(files, e);
            throw e;
        } catch (GeneralSecurityException | RuntimeException e) {
            complain(files, e);
        }
    }

    private static void complain(TlsFiles files, Exception e) {
        log.atError()
                .addKeyValue("files", files)
                .addKeyValue("cause", e.toString())
                .log("the TLS files of an upstream cannot be used; what they said before stays");
    }

    @Override
    public void close() {
        closed = true;
        watches.values().forEach(FileWatch::close);
    }
}
