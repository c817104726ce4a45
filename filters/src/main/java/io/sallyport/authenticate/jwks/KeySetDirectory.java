// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.config.InvalidSetting;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where key sets are kept over a restart: {@code stages.authenticate.key-sets}. Whoever can write there can forge every token until
 * the next fetch, so it is the gateway's own: mode 0700.
 */
public final class KeySetDirectory {
    private static final Pattern NAME = Pattern.compile("[a-z0-9-]{1,64}(\\.[A-Za-z0-9-]{1,64})?");

    private final Path path;

    private KeySetDirectory(Path path) {
        this.path = path;
    }

    /**
     * Opens it, and makes it if it is not there.
     *
     * @throws InvalidSetting if it cannot be had, or cannot be the gateway's own
     */
    public static KeySetDirectory open(Path path) {
        try {
            if (!path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
                Files.createDirectories(path);
            } else {
                makeOwn(path);
            }
        } catch (IOException | SecurityException _) {
            throw refused(path);
        }
        if (!Files.isDirectory(path) || !Files.isWritable(path)) {
            throw refused(path);
        }
        return new KeySetDirectory(path);
    }

    private static void makeOwn(Path path) throws IOException {
        var own = PosixFilePermissions.fromString("rwx------");
        try {
            Files.createDirectory(path, PosixFilePermissions.asFileAttribute(own));
        } catch (FileAlreadyExistsException _) {
            var view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
            if (!view.readAttributes().permissions().equals(own)) {
                // Fails, as it should, if the directory is somebody else's.
                view.setPermissions(own);
            }
        }
    }

    private static InvalidSetting refused(Path path) {
        return new InvalidSetting("key-sets", path, "a directory of the gateway's own, writable, in one that exists");
    }

    /** The file of an issuer, or null for a name that no issuer of a configuration in force has. */
    @Nullable
    KeySetFile file(String issuerName, String place, MeterRegistry meters) {
        return NAME.matcher(issuerName).matches()
                ? new KeySetFile(
                        path.resolve(issuerName + ".jwks"),
                        place,
                        counter(issuerName, "saved", meters),
                        counter(issuerName, "failed", meters))
                : null;
    }

    private static Counter counter(String issuerName, String result, MeterRegistry meters) {
        return Counter.builder("sallyport.jwks.saves")
                .description("Attempts to save an issuer's key set for the next start, by what became of them")
                .tag("issuer", issuerName)
                .tag("result", result)
                .register(meters);
    }
}
