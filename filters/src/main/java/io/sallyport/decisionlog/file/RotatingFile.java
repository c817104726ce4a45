// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog.file;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.sallyport.config.InvalidSetting;
import io.sallyport.decisionlog.sink.RecordSink;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A file of lines on a bounded piece of disk: rotated by size, the oldest deleted first. A rotated file gets a name that no
 * other file ever has, so that a shipper which was away finds each where it left it.
 *
 * <p>A line is handed to the operating system before the next is taken, so a crash of this process loses none; it is forced to
 * the disk when {@link #sync} is called and at each rotation, so a crash of the machine loses what came after. A file that
 * somebody else moved or deleted is opened anew.
 */
public final class RotatingFile implements RecordSink {
    private static final DateTimeFormatter ROTATED_AT =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final byte[] LINE_END = "\n".getBytes(US_ASCII);

    private final Path path;
    private final long maxBytes;
    private final int maxFiles;
    private final InstantSource clock;
    private final Pattern rotatedName;
    private final String stem;
    private final String extension;

    private @Nullable Opened opened;
    private boolean torn;

    private record Opened(FileChannel channel, @Nullable Object identity) {}

    /**
     * Opens the file at once, so that a wrong path is found before traffic is.
     *
     * @throws InvalidSetting if it cannot be written
     */
    public RotatingFile(FileConfig config, InstantSource clock) {
        this.path = config.path().toAbsolutePath();
        this.maxBytes = config.maxSize().toBytes();
        this.maxFiles = config.maxFiles();
        this.clock = clock;
        var name = path.getFileName().toString();
        int dot = name.lastIndexOf('.');
        this.stem = dot > 0 ? name.substring(0, dot) : name;
        this.extension = dot > 0 ? name.substring(dot) : "";
        this.rotatedName = Pattern.compile(Pattern.quote(stem) + "-\\d{8}T\\d{6}\\.\\d{3}Z" + Pattern.quote(extension));
        try {
            Files.createDirectories(path.getParent());
            open();
            deleteOldest();
        } catch (IOException e) {
            throw new InvalidSetting("file.path", path, "a file that can be written (%s)".formatted(e));
        }
    }

    @Override
    public String name() {
        return "file";
    }

    @Override
    public void write(byte[] line) throws IOException {
        var current = opened;
        if (current == null || !isStillThere(current)) {
            current = reopen();
        }
        if (current.channel().size() > 0 && current.channel().size() + line.length > maxBytes) {
            current = rotate(current);
        }
        append(current.channel(), line);
    }

    private void append(FileChannel channel, byte[] line) throws IOException {
        long end = channel.size();
        try {
            if (torn) {
                writeFully(channel, LINE_END);
                torn = false;
            }
            writeFully(channel, line);
        } catch (IOException e) {
            // A full disk takes half a line. It must not become the beginning of the next.
            try {
                channel.truncate(end);
            } catch (IOException truncating) {
                torn = true;
                e.addSuppressed(truncating);
            }
            throw e;
        }
    }

    private static void writeFully(FileChannel channel, byte[] bytes) throws IOException {
        var buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private boolean isStillThere(Opened current) {
        try {
            return Objects.equals(identity(), current.identity());
        } catch (IOException e) {
            return false;
        }
    }

    private @Nullable Object identity() throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    private Opened reopen() throws IOException {
        close();
        return open();
    }

    private Opened open() throws IOException {
        torn = endsWithinLine();
        var channel = FileChannel.open(
                path, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND));
        var now = new Opened(channel, identity());
        opened = now;
        return now;
    }

    /** Whether a crash of the machine left a line unfinished. */
    private boolean endsWithinLine() throws IOException {
        try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
            var last = ByteBuffer.allocate(1);
            return channel.size() > 0 && channel.read(last, channel.size() - 1) == 1 && last.get(0) != LINE_END[0];
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private Opened rotate(Opened current) throws IOException {
        current.channel().force(false);
        close();
        Files.move(path, unusedName());
        var next = open();
        deleteOldest();
        return next;
    }

    private Path unusedName() {
        Instant at = clock.instant();
        while (true) {
            var candidate = path.resolveSibling("%s-%s%s".formatted(stem, ROTATED_AT.format(at), extension));
            if (Files.notExists(candidate)) {
                return candidate;
            }
            at = at.plusMillis(1);
        }
    }

    private void deleteOldest() throws IOException {
        List<String> rotated = new ArrayList<>();
        try (var siblings = Files.newDirectoryStream(path.getParent())) {
            for (var sibling : siblings) {
                var name = sibling.getFileName().toString();
                if (rotatedName.matcher(name).matches()) {
                    rotated.add(name);
                }
            }
        }
        Collections.sort(rotated);
        for (var name : rotated.subList(0, Math.max(0, rotated.size() - (maxFiles - 1)))) {
            Files.deleteIfExists(path.resolveSibling(name));
        }
    }

    @Override
    public void sync() throws IOException {
        var current = opened;
        if (current != null) {
            current.channel().force(false);
        }
    }

    @Override
    public void close() throws IOException {
        var current = opened;
        opened = null;
        if (current != null) {
            current.channel().close();
        }
    }
}
