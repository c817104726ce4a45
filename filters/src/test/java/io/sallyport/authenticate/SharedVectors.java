// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

<<<<<<< HEAD
/** Public test vectors, which lie beside the repository ({@code ../shared/vectors}) and are not part of it. */
public final class SharedVectors {
    private SharedVectors() {}

    /** The JSON document at that path below the vectors; skips the test where there is none. */
    public static JsonNode read(String path) {
        var file = find(path);
        try {
            return JsonMapper.builder().build().readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new IllegalStateException(file.toString(), e);
        }
    }

    /** The files in that folder below the vectors; skips the test where there is none. */
    public static List<Path> list(String path) {
        var folder = find(path);
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new IllegalStateException(folder.toString(), e);
        }
    }

    private static Path find(String path) {
        for (var folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            var found = folder.resolve("shared/vectors").resolve(path);
            if (Files.exists(found)) {
                return found;
=======
/**
 * Public test vectors, which are not part of the repository: in the folder that the system property {@code sallyport.vectors} or the
 * environment variable {@code SALLYPORT_VECTORS} names, else beside the repository in {@code ../shared/vectors}.
 */
final class SharedVectors {
    private SharedVectors() {}

    /** The JSON document at that path below the vectors; skips the test where there is none. */
    static JsonNode read(String path) {
        var named = System.getProperty("sallyport.vectors", System.getenv("SALLYPORT_VECTORS"));
        if (named != null) {
            return read(Path.of(named).resolve(path));
        }
        for (var folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            var file = folder.resolve("shared/vectors").resolve(path);
            if (Files.isRegularFile(file)) {
                return read(file);
>>>>>>> 0c1dd32 (authenticate: key sets kept over a restart; keys and claims judged by what they are)
            }
        }
        assumeTrue(false, "no shared/vectors/" + path + " beside the repository");
        throw new AssertionError("unreachable");
    }

    private static JsonNode read(Path file) {
        try {
            return JsonMapper.builder().build().readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new IllegalStateException(file.toString(), e);
        }
    }
}
