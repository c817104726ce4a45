// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/** A directory for keys, sockets and logs that only its owner can enter, and that does not outlive what it was made for. */
public final class DemoDirectory implements AutoCloseable {
    /** A Unix socket's path is at most 104 bytes with its end on some systems; the longest name in here is a socket's. */
    private static final int LONGEST_PATH = 80;

    private final Path path;

    private DemoDirectory(Path path) {
        this.path = path;
    }

    public static DemoDirectory create() throws IOException {
        var ownerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        var prefix = "sallyport-demo-";
        var usual = Files.createTempDirectory(prefix, ownerOnly).toRealPath();
        if (usual.toString().length() <= LONGEST_PATH) {
            return new DemoDirectory(usual);
        }
        Files.delete(usual);
        return new DemoDirectory(Files.createTempDirectory(Path.of("/tmp"), prefix, ownerOnly));
    }

    public Path path() {
        return path;
    }

    /** Deletes it with all that is in it. Whoever writes in there must have stopped. */
    @Override
    public void close() {
        try {
            Files.walkFileTree(path, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException e) {
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e) throws IOException {
                    Files.deleteIfExists(directory);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            // Something is still writing in there. It holds keys that are worth nothing from now on.
        }
    }
}
