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

/**
 * Public test vectors, which are not part of the repository: in the folder that the system property {@code sallyport.vectors} or the
 * environment variable {@code SALLYPORT_VECTORS} names, else beside the repository in {@code ../shared/vectors}.
 */
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
        var named = System.getProperty("sallyport.vectors", System.getenv("SALLYPORT_VECTORS"));
        if (named != null) {
            return Path.of(named).resolve(path);
        }
        for (var folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            var found = folder.resolve("shared/vectors").resolve(path);
            if (Files.exists(found)) {
                return found;
            }
        }
        assumeTrue(false, "no shared/vectors/" + path + " beside the repository");
        throw new AssertionError("unreachable");
    }
}
