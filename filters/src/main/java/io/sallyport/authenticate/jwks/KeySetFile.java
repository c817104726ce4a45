// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import io.micrometer.core.instrument.Counter;
import io.sallyport.authenticate.keys.JwkSetDocument;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last good key set of one issuer on disk, so that a restart while the issuer cannot be reached still serves. Blocks: for the
 * scheduler of the key sets. A file is replaced as a whole or not at all, and what is read is believed only if it is whole, for
 * this very issuer at this very place, and not from the future; the document in it is then read as strictly as one that was
 * fetched.
 *
 * <pre>
 * sallyport key set 1
 * place 5f0c...             SHA-256 of all that the keys' origin depends on
 * confirmed-at 2026-11-22T12:00:00Z
 * sha-256 9a1b...           of the three lines before, the empty line after, and the document
 *
 * {"keys":[...]}
 * </pre>
 */
final class KeySetFile {
    private static final Logger log = LoggerFactory.getLogger(KeySetFile.class);

    private static final String VERSION = "sallyport key set 1";
    private static final String PLACE = "place ";
    private static final String CONFIRMED_AT = "confirmed-at ";
    private static final String DIGEST = "sha-256 ";
    private static final int MAX_HEAD = 512;

    private final Path path;
    private final String place;
    private final Counter saved;
    private final Counter failed;
    private boolean failing;

    /**
     * @param place of the issuer's keys, 64 hexadecimal digits
     * @param saved counts what was written, as {@code failed} does what could not be
     */
    KeySetFile(Path path, String place, Counter saved, Counter failed) {
        this.path = path;
        this.place = place;
        this.saved = saved;
        this.failed = failed;
    }

    /** A key set as an issuer published it, not yet read, and when the issuer last said that these are its keys. */
    static final class Saved {
        private final byte[] document;
        private final Instant confirmedAt;

        Saved(byte[] document, Instant confirmedAt) {
            this.document = document;
            this.confirmedAt = confirmedAt;
        }

        byte[] document() {
            return document;
        }

        Instant confirmedAt() {
            return confirmedAt;
        }
    }

    /**
     * What was saved, or null if nothing was, or nothing that can be believed.
     *
     * @param now nothing is believed that claims to be of a later time
     */
    @Nullable
    Saved read(Instant now) {
        try {
            var keySet = parse(readBounded());
            if (keySet.confirmedAt().isAfter(now)) {
                throw new IOException("it is of a later time");
            }
            return keySet;
        } catch (NoSuchFileException _) {
            return null;
        } catch (IOException e) {
            log.atWarn()
                    .addKeyValue("file", path)
                    .addKeyValue("cause", e.getMessage())
                    .log("a saved key set is not used");
            return null;
        }
    }

    private byte[] readBounded() throws IOException {
        // A link would lead to what somebody else may write.
        try (InputStream in = Files.newInputStream(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            var bytes = in.readNBytes(JwkSetDocument.MAX_BYTES + MAX_HEAD);
            if (in.read() >= 0) {
                throw new IOException("it is longer than any that was saved");
            }
            return bytes;
        }
    }

    private Saved parse(byte[] bytes) throws IOException {
        int end = endOfHead(bytes);
        var head = new String(bytes, 0, end, StandardCharsets.US_ASCII).split("\n", -1);
        // Four lines, the empty one, and what is after its end.
        if (head.length != 6
                || !head[0].equals(VERSION)
                || !head[1].startsWith(PLACE)
                || !head[2].startsWith(CONFIRMED_AT)
                || !head[3].startsWith(DIGEST)) {
            throw new IOException("it is no saved key set");
        }
        var document = Arrays.copyOfRange(bytes, end, bytes.length);
        if (!head[3].equals(DIGEST + digest(head[0] + "\n" + head[1] + "\n" + head[2] + "\n", document))) {
            throw new IOException("it is damaged");
        }
        if (!head[1].equals(PLACE + place)) {
            throw new IOException("it is of an issuer that was configured otherwise");
        }
        try {
            return new Saved(document, Instant.parse(head[2].substring(CONFIRMED_AT.length())));
        } catch (DateTimeException e) {
            throw new IOException("it has no time", e);
        }
    }

    /** Where the document begins: after the first empty line. */
    private static int endOfHead(byte[] bytes) throws IOException {
        for (int i = 1; i < Math.min(bytes.length, MAX_HEAD); i++) {
            if (bytes[i] == '\n' && bytes[i - 1] == '\n') {
                return i + 1;
            }
        }
        throw new IOException("it is no saved key set");
    }

    /** Puts it in the place of what was saved before, or logs why not and leaves that as it is. */
    void write(Saved keySet) {
        try {
            replace(keySet);
            saved.increment();
            failing = false;
        } catch (IOException e) {
            // The first of a row is news; the others are the same news.
            (failing ? log.atDebug() : log.atWarn())
                    .addKeyValue("file", path)
                    .addKeyValue("cause", e.toString())
                    .log("a key set cannot be saved; a restart will have to fetch it");
            failed.increment();
            failing = true;
        }
    }

    private void replace(Saved keySet) throws IOException {
        var head = VERSION + "\n" + PLACE + place + "\n" + CONFIRMED_AT + keySet.confirmedAt() + "\n";
        var digest = DIGEST + digest(head, keySet.document()) + "\n\n";
        var temporary = path.resolveSibling(path.getFileName() + ".tmp");
        Files.deleteIfExists(temporary);
        try (var channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            write(channel, (head + digest).getBytes(StandardCharsets.US_ASCII));
            write(channel, keySet.document());
            // Else a crash could leave the new name on an empty file.
            channel.force(true);
        }
        Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void write(FileChannel channel, byte[] bytes) throws IOException {
        var buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private static String digest(String head, byte[] document) {
        try {
            var sha256 = MessageDigest.getInstance("SHA-256");
            sha256.update(head.getBytes(StandardCharsets.US_ASCII));
            sha256.update((byte) '\n');
            return HexFormat.of().formatHex(sha256.digest(document));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
