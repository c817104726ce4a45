// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Public test vectors, which lie beside the repository ({@code ../shared/vectors}) and are not part of it. */
final class SharedVectors {
    private SharedVectors() {}

    /** The JSON document at that path below the vectors; skips the test where there is none. */
    static JsonNode read(String path) {
        for (var folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            var file = folder.resolve("shared/vectors").resolve(path);
            if (Files.isRegularFile(file)) {
                try {
                    return JsonMapper.builder().build().readTree(Files.readAllBytes(file));
                } catch (IOException e) {
                    throw new IllegalStateException(file.toString(), e);
                }
            }
        }
        assumeTrue(false, "no shared/vectors/" + path + " beside the repository");
        throw new AssertionError("unreachable");
    }
}
