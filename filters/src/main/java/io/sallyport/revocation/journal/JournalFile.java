// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.journal;

import io.sallyport.revocation.denylist.DenyListEntry;
import io.sallyport.revocation.denylist.DenyListKey;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journal on disk. For one thread at a time; blocks.
 *
 * <p>Another process is kept away by a lock on a file of its own beside it, because the journal itself is replaced by another file when it
 * is compacted.
 */
final class JournalFile implements Closeable {
    private static final Logger log = LoggerFactory.getLogger(JournalFile.class);

    /** How many changes one line of a compacted journal has, so that no line is read whole that is as long as the file. */
    private static final int CHANGES_PER_LINE = 256;

    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private static final byte[] MARK = "a journal has been made\n".getBytes(StandardCharsets.US_ASCII);
    private static final String LOCKED = " is locked: another gateway has this journal open";

    private final Path path;
    private final @Nullable FileChannel lock;
    private @Nullable FileChannel channel;
    private @Nullable Object identity;
    private long changes;

    /** @param lock null for one that is only looked at */
    private JournalFile(Path path, @Nullable FileChannel lock) {
        this.path = path;
        this.lock = lock;
    }

    /**
     * Opens the journal, and makes it if there is none.
     *
     * @param replay told every change, in the order in which they were made
     * @throws IOException if it cannot be had, read or written, or is damaged; the message says which
     */
    static JournalFile open(Path path, Consumer<JournalLine.Change> replay) throws IOException {
        var absolute = path.toAbsolutePath();
        var directory = absolute.getParent();
        if (directory == null || !Files.isDirectory(directory)) {
            throw new IOException("%s is no directory to keep a journal in".formatted(directory));
        }
        if (Files.notExists(absolute)) {
            requireNoneBefore(absolute);
        }
        var lock = lock(sibling(absolute, ".lock"));
        var file = new JournalFile(absolute, lock);
        try {
            file.openAndReplay(replay);
            lock.write(ByteBuffer.wrap(MARK), 0);
            return file;
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /**
     * Says why a gateway could not open the journal now, without making or changing anything; null if nothing is in the way.
     *
     * @return for an operator
     */
    static @Nullable String obstacle(Path path) {
        var absolute = path.toAbsolutePath();
        var directory = absolute.getParent();
        if (directory == null || !Files.isDirectory(directory) || !Files.isWritable(directory)) {
            return "%s is no directory that can be written to".formatted(directory);
        }
        var lock = sibling(absolute, ".lock");
        try {
            if (Files.exists(lock)) {
                requireUnlocked(lock);
            }
            if (Files.exists(absolute)) {
                new JournalFile(absolute, null).readLines(_ -> {});
            } else {
                requireNoneBefore(absolute);
            }
            return null;
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static void requireUnlocked(Path lock) throws IOException {
        try (var channel = FileChannel.open(lock, StandardOpenOption.WRITE);
                var held = channel.tryLock()) {
            if (held == null) {
                throw new IOException(lock + LOCKED);
            }
        } catch (OverlappingFileLockException _) {
            throw new IOException(lock + LOCKED);
        }
    }

    /** The lock is never removed, and is marked when a journal has been made beside it. */
    private static void requireNoneBefore(Path path) throws IOException {
        var lock = sibling(path, ".lock");
        if (Files.exists(lock) && Files.size(lock) > 0) {
            throw new IOException(
                    "%s is gone, though there has been one: put it back, or remove %s to begin with an empty deny-list"
                            .formatted(path, lock.getFileName()));
        }
    }

    private static FileChannel lock(Path path) throws IOException {
        var channel = openOwnerOnly(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (OverlappingFileLockException _) {
            // Held by this very process: the same answer.
        }
        channel.close();
        throw new IOException(path + LOCKED);
    }

    private void openAndReplay(Consumer<JournalLine.Change> replay) throws IOException {
        // What a crash left of a compaction that had not taken place.
        Files.deleteIfExists(sibling(path, ".tmp"));
        if (Files.notExists(path)) {
            log.atInfo().addKeyValue("journal", path).log("no deny-list journal yet; one is made");
        }
        channel = openOwnerOnly(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        forceDirectory();
        long end = readLines(replay);
        long size = requireChannel().size();
        if (end < size) {
            log.atWarn()
                    .addKeyValue("journal", path)
                    .addKeyValue("bytes", size - end)
                    .log(
                            "the journal's last line was torn by a crash and is dropped; nobody had been told that it was written");
            requireChannel().truncate(end);
            requireChannel().force(true);
        }
        requireChannel().position(end);
        identity = identityOf(path);
    }

    private static @Nullable Object identityOf(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    /** Whether the file at the journal's place is the one that this writes to, and nobody else has changed it. */
    boolean isInPlace() {
        try {
            var found = Files.readAttributes(path, BasicFileAttributes.class);
            return Objects.equals(found.fileKey(), identity)
                    && found.size() == requireChannel().position();
        } catch (IOException _) {
            return false;
        }
    }

    /** Returns where the last whole line ends. */
    private long readLines(Consumer<JournalLine.Change> replay) throws IOException {
        long end = 0;
        try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
            var line = new ByteArrayOutputStream(1024);
            for (int number = 1; ; number++) {
                boolean terminated = readLine(in, line);
                if (line.size() == 0 && !terminated) {
                    return end;
                }
                var decoded = terminated ? JournalLine.decode(line.toByteArray()) : null;
                if (decoded == null) {
                    requireTorn(line.toByteArray(), in, number);
                    return end;
                }
                decoded.forEach(replay);
                changes += decoded.size();
                end += line.size() + 1L;
                line.reset();
            }
        }
    }

    /** False if the file ended before the line did. */
    private static boolean readLine(InputStream in, ByteArrayOutputStream line) throws IOException {
        for (int next = in.read(); next >= 0; next = in.read()) {
            if (next == '\n') {
                return true;
            }
            line.write(next);
        }
        return false;
    }

    private void requireTorn(byte[] line, InputStream in, int number) throws IOException {
        if (in.read() >= 0 || line.length == 0 || !JournalLine.mayBeTorn(line)) {
            throw new IOException("%s is damaged at line %d, so entries may be missing".formatted(path, number));
        }
    }

    /** Makes the changes durable, all or none. After an exception what is on disk is unknown until a {@link #rewrite}. */
    void append(Map<DenyListKey, @Nullable DenyListEntry> net) throws IOException {
        var line = JournalLine.encode(net);
        writeFully(requireChannel(), line);
        requireChannel().force(false);
        // A file that has lost its name is on no disk that a restart reads.
        if (!isInPlace()) {
            throw new IOException("%s was removed or changed by somebody else".formatted(path));
        }
        changes += net.size();
    }

    /** Puts a journal of just these entries in the place of this one, or leaves this one as it is. */
    void rewrite(Collection<DenyListEntry> entries) throws IOException {
        var temporary = sibling(path, ".tmp");
        Files.deleteIfExists(temporary);
        var replacement = openOwnerOnly(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try {
            var line = new LinkedHashMap<DenyListKey, @Nullable DenyListEntry>();
            for (var entry : entries) {
                line.put(entry.key(), entry);
                if (line.size() == CHANGES_PER_LINE) {
                    writeFully(replacement, JournalLine.encode(line));
                    line.clear();
                }
            }
            if (!line.isEmpty()) {
                writeFully(replacement, JournalLine.encode(line));
            }
            replacement.force(true);
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
            forceDirectory();
        } catch (IOException | RuntimeException e) {
            replacement.close();
            throw e;
        }
        var replaced = channel;
        channel = replacement;
        identity = identityOf(path);
        changes = entries.size();
        if (replaced != null) {
            replaced.close();
        }
    }

    /** How many changes the file holds, those included that later ones undid. */
    long changes() {
        return changes;
    }

    private FileChannel requireChannel() {
        var open = channel;
        if (open == null) {
            throw new IllegalStateException(path + " is not open");
        }
        return open;
    }

    private static void writeFully(FileChannel channel, byte[] bytes) throws IOException {
        var buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private static FileChannel openOwnerOnly(Path path, StandardOpenOption... options) throws IOException {
        if (!path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return FileChannel.open(path, options);
        }
        FileAttribute<?> ownerOnly = PosixFilePermissions.asFileAttribute(OWNER_ONLY);
        var channel = FileChannel.open(path, Set.copyOf(List.of(options)), ownerOnly);
        // One that was there already may be open to others, who could then take an entry out of it.
        var view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
        if (!view.readAttributes().permissions().equals(OWNER_ONLY)) {
            view.setPermissions(OWNER_ONLY);
            log.atWarn().addKeyValue("file", path).log("permissions narrowed to 0600");
        }
        return channel;
    }

    /** A new or renamed file is durable only when its directory is. */
    private void forceDirectory() throws IOException {
        try (var directory = FileChannel.open(path.resolveSibling("."), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    private static Path sibling(Path path, String suffix) {
        return path.resolveSibling(path.getFileName() + suffix);
    }

    @Override
    public void close() throws IOException {
        try {
            if (channel != null) {
                channel.close();
            }
        } finally {
            if (lock != null) {
                lock.close();
            }
        }
    }
}
