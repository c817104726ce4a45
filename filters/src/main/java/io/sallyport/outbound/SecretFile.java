// SPDX-License-Identifier: Apache-2.0
package io.sallyport.outbound;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that holds one secret: a client's password, or a token. Read for each use, so that a renewed one needs no reload. */
public final class SecretFile {
    private static final int LONGEST = 16 * 1024;

    private SecretFile() {}

    /**
     * Reads the file's one line, of at most 16 KB. Blocks: not for an event loop.
     *
     * @throws IOException if there is no such line; its message names the file and shows nothing of it
     */
    public static String read(Path file) throws IOException {
        byte[] bytes;
        try (var in = Files.newInputStream(file)) {
            bytes = in.readNBytes(LONGEST + 1);
        }
        var secret = new String(bytes, StandardCharsets.UTF_8).stripTrailing();
        if (secret.isEmpty() || bytes.length > LONGEST || secret.lines().count() != 1) {
            throw new IOException("%s holds no secret of one line".formatted(file));
        }
        return secret;
    }
}
