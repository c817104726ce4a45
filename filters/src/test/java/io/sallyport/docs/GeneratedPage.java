// SPDX-License-Identifier: Apache-2.0
package io.sallyport.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A committed file that is generated from the code. It is compared in a test, and written only when asked for: {@code make
 * docs}.
 */
public final class GeneratedPage {
    private static final String UPDATE = "sallyport.docs.update";

    private GeneratedPage() {}

    /**
     * Fails unless the file has exactly this content; writes it instead with {@code -Dsallyport.docs.update=true}.
     *
     * @param fromTop for example {@code docs/reasons.md}
     */
    public static void assertUpToDate(String fromTop, String content) throws IOException {
        var file = top().resolve(fromTop);
        if (Boolean.getBoolean(UPDATE)) {
            Files.writeString(file, content);
        }
        assertThat(committed(file))
                .as(
                        "%s is generated and differs from the code: run `make docs`, look at the difference, commit it",
                        fromTop)
                .isEqualTo(content);
    }

    private static String committed(Path file) throws IOException {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            return "";
        }
    }

    /** The folder of the parent project, from whichever module the tests run in. */
    public static Path top() {
        var folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("docs/adr"))) {
            var parent = folder.getParent();
            if (parent == null) {
                throw new IllegalStateException(
                        "no docs/adr above " + Path.of("").toAbsolutePath());
            }
            folder = parent;
        }
        return folder;
    }
}
