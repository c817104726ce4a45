// SPDX-License-Identifier: Apache-2.0
package io.sallyport.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a listener when files that belong together have changed. Looks once a second, on a thread of its own.
 *
 * <p>A change is told when all files have kept still for one look: a file that is being written is not read half. A change that
 * nobody undoes is told within three seconds. Several changes between two looks are told as one.
 *
 * <p>Files are looked up by name, through all symbolic links. Kubernetes replaces a mounted file by swapping a link further up, which
 * no file-system event of the file tells, so no such events are used.
 *
 * <p>The content decides. A file whose time or identity changed but not its content has not changed. File systems store times in
 * steps of up to two seconds, so a second write can leave the time as it is. The watch therefore compares the content, too, until
 * the time has stood still for longer than that.
 */
public final class FileWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FileWatch.class);

    private static final Duration INTERVAL = Duration.ofSeconds(1);

    /** The longest step in which a file system stores times: FAT's. */
    private static final Duration LONGEST_STEP = Duration.ofSeconds(2);

    /** Of larger files only time, size and identity are compared. No file that the gateway reads may be so large. */
    private static final long LARGEST = 64L * 1024 * 1024;

    /** Told of changes, on the thread of the watch, one call at a time. */
    @FunctionalInterface
    public interface Listener {
        /**
         * Reads the files again.
         *
         * @param changes none if the watch was asked for that by {@link FileWatch#again}
         * @throws IOException if a file could not be read after all: the call is repeated after the next look
         */
        void changed(List<FileChange> changes) throws IOException;
    }

    /** What a file system says of a file without reading it. */
    @FunctionalInterface
    interface Stamps {
        Stamp of(Path file) throws IOException;
    }

    /** @param changed the time that no program can set, where the platform has one */
    record Stamp(
            boolean regular,
            long size,
            FileTime modified,
            @Nullable FileTime changed,
            @Nullable Object identity) {}

    /**
     * Which file it is. A number is given to another file when its own is deleted: what is renamed twice within one look may have the number
     * of the one before.
     *
     * @param born when the file was made; null if the file system does not say
     */
    private record Identity(@Nullable Object key, @Nullable FileTime born) {
        boolean isSameAs(Identity other) {
            return Objects.equals(key, other.key) && (born == null || other.born == null || born.equals(other.born));
        }
    }

    /**
     * One file at one look.
     *
     * @param stamp null if the file cannot be read
     * @param digest of the content; null if the file is too large, or cannot be read
     * @param problem why the file cannot be read; null if it can
     * @param since when it was first seen so
     * @param looks for how many looks the stamp has been the same
     * @param written whether its content has changed since the listener was last told, while it was one and the same file
     */
    private record Seen(
            @Nullable Stamp stamp,
            @Nullable String digest,
            @Nullable String problem,
            Instant since,
            int looks,
            boolean written) {

        Seen told() {
            return written ? new Seen(stamp, digest, problem, since, looks, false) : this;
        }

        /** Whether a reader would read the same. */
        boolean readsAs(Seen other) {
            if (digest == null || other.digest == null) {
                return Objects.equals(stamp, other.stamp) && Objects.equals(problem, other.problem);
            }
            return digest.equals(other.digest);
        }

        boolean isSameFileAs(Seen other) {
            if (stamp == null || other.stamp == null) {
                return false;
            }
            if (stamp.identity() instanceof Identity one && other.stamp.identity() instanceof Identity two) {
                return one.isSameAs(two);
            }
            return Objects.equals(stamp.identity(), other.stamp.identity());
        }
    }

    private final String thread;
    private final Set<Path> files;
    private final InstantSource clock;
    private final Duration interval;
    private final Stamps stamps;

    /** After so many looks with one stamp, a write must have changed the stamp. */
    private final int settled;

    private @Nullable Listener listener;
    private @Nullable ScheduledExecutorService timer;

    private volatile Map<Path, Seen> seen = Map.of();
    private Map<Path, Seen> told;
    /** Set by any thread: the listener may have others read for it. */
    private volatile boolean again;

    /**
     * Remembers the files as they are now. Whoever reads them after this, and starts the watch, misses no change.
     *
     * @param thread the name of its thread
     */
    public FileWatch(String thread, Collection<Path> files, InstantSource clock) {
        this(thread, files, clock, INTERVAL);
    }

    /** @param interval between two looks */
    public FileWatch(String thread, Collection<Path> files, InstantSource clock, Duration interval) {
        this(thread, files, clock, interval, FileWatch::stampOf);
    }

    FileWatch(String thread, Collection<Path> files, InstantSource clock, Duration interval, Stamps stamps) {
        this.thread = thread;
        this.files = new LinkedHashSet<>(files);
        this.clock = clock;
        this.interval = interval;
        this.stamps = stamps;
        this.settled = Math.toIntExact(LONGEST_STEP.dividedBy(interval)) + 2;
        this.seen = lookAtAll();
        this.told = seen;
    }

    /** Begins to look. Called once. */
    public synchronized void start(Listener listener) {
        this.listener = listener;
        var looking = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name(thread).factory());
        var _ = looking.scheduleWithFixedDelay(
                this::look, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
        timer = looking;
    }

    /** Has the listener called after the next look even if nothing changes, because the files could not be read just now. Any thread. */
    public void again() {
        again = true;
    }

    /** Those of the files that cannot be read, as of the last look. Any thread; never waits. */
    public List<UnreadableFile> unreadable() {
        var unreadable = new ArrayList<UnreadableFile>();
        seen.forEach((file, state) -> {
            if (state.problem() != null) {
                unreadable.add(new UnreadableFile(file, state.problem(), state.since()));
            }
        });
        return unreadable;
    }

    /** Looks once, now, and calls the listener if there is something to tell. Never throws. */
    public synchronized void look() {
        try {
            var before = seen;
            var now = lookAtAll();
            seen = now;
            boolean still = changes(before, now).isEmpty();
            var changes = changes(told, now);
            if (still && listener != null && (again || !changes.isEmpty())) {
                tell(listener, changes, now);
            }
        } catch (RuntimeException e) {
            log.atError().addKeyValue("files", files).setCause(e).log("taking over changed files failed");
        }
    }

    private void tell(Listener listener, List<FileChange> changes, Map<Path, Seen> now) {
        var before = told;
        told = now;
        again = false;
        try {
            listener.changed(changes);
        } catch (IOException _) {
            // It says so itself, in words that name what the files are for.
            told = before;
            again = true;
            return;
        }
        told = settled(now);
        seen = told;
    }

    private static Map<Path, Seen> settled(Map<Path, Seen> now) {
        var all = new LinkedHashMap<Path, Seen>();
        now.forEach((file, state) -> all.put(file, state.told()));
        return all;
    }

    private List<FileChange> changes(Map<Path, Seen> before, Map<Path, Seen> now) {
        var changes = new ArrayList<FileChange>();
        for (var file : files) {
            var earlier = Objects.requireNonNull(before.get(file));
            var later = Objects.requireNonNull(now.get(file));
            if (!later.readsAs(earlier)) {
                changes.add(new FileChange(file, kind(earlier, later), later.since()));
            }
        }
        return changes;
    }

    private static FileChange.Kind kind(Seen before, Seen now) {
        if (now.problem() != null) {
            return FileChange.Kind.UNREADABLE;
        }
        if (before.problem() != null) {
            return FileChange.Kind.APPEARED;
        }
        return now.written() || now.isSameFileAs(before) ? FileChange.Kind.REWRITTEN : FileChange.Kind.REPLACED;
    }

    private Map<Path, Seen> lookAtAll() {
        var now = clock.instant();
        var all = new LinkedHashMap<Path, Seen>();
        for (var file : files) {
            var state = lookAt(file, seen.get(file), now);
            all.put(file, state);
        }
        return all;
    }

    private Seen lookAt(Path file, @Nullable Seen before, Instant now) {
        try {
            var stamp = stamps.of(file);
            if (!stamp.regular()) {
                // Not opened: a pipe would block, or hand to the watch what somebody else is to read.
                return unreadable(before, "not a regular file", now);
            }
            if (before == null || !stamp.equals(before.stamp())) {
                return read(file, stamp, 0, before, now);
            }
            int looks = Math.min(before.looks() + 1, settled);
            return looks == settled || before.digest() == null
                    ? new Seen(stamp, before.digest(), null, before.since(), looks, before.written())
                    : read(file, stamp, looks, before, now);
        } catch (IOException e) {
            return unreadable(before, causeOf(e), now);
        }
    }

    private static Seen read(Path file, Stamp stamp, int looks, @Nullable Seen before, Instant now) throws IOException {
        var next = new Seen(stamp, stamp.size() > LARGEST ? null : digestOf(file), null, now, looks, false);
        if (before == null) {
            return next;
        }
        boolean same = next.isSameFileAs(before);
        boolean changed = !next.readsAs(before);
        return new Seen(
                stamp,
                next.digest(),
                null,
                changed ? now : before.since(),
                looks,
                same && (changed || before.written()));
    }

    private static Seen unreadable(@Nullable Seen before, String problem, Instant now) {
        return before != null && problem.equals(before.problem())
                ? before
                : new Seen(null, null, problem, now, 0, false);
    }

    /** Why a file could not be read, for an operator, without its name. */
    public static String causeOf(IOException e) {
        return switch (e) {
            case NoSuchFileException _ -> "there is no such file";
            case AccessDeniedException _ -> "access denied";
            default -> String.valueOf(e.getMessage());
        };
    }

    private static String digestOf(Path file) throws IOException {
        try (var input = Files.newInputStream(file)) {
            var digest = MessageDigest.getInstance("SHA-256");
            var buffer = new byte[8192];
            long left = LARGEST;
            for (int read = input.read(buffer); read >= 0 && left > 0; read = input.read(buffer)) {
                digest.update(buffer, 0, read);
                left -= read;
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static Stamp stampOf(Path file) throws IOException {
        if (file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            var all = Files.readAttributes(file, "unix:isRegularFile,size,lastModifiedTime,creationTime,ctime,fileKey");
            return new Stamp(
                    (Boolean) Objects.requireNonNull(all.get("isRegularFile")),
                    (Long) Objects.requireNonNull(all.get("size")),
                    (FileTime) Objects.requireNonNull(all.get("lastModifiedTime")),
                    (FileTime) all.get("ctime"),
                    new Identity(all.get("fileKey"), knowsBirths(file) ? (FileTime) all.get("creationTime") : null));
        }
        var basic = Files.readAttributes(file, BasicFileAttributes.class);
        return new Stamp(basic.isRegularFile(), basic.size(), basic.lastModifiedTime(), null, basic.fileKey());
    }

    /** Whether the file system stores when a file was made: the JDK says the time of the last change where it does not. */
    private static boolean knowsBirths(Path file) throws IOException {
        var folder = file.toRealPath().getParent();
        if (folder == null) {
            return false;
        }
        var attributes = Files.readAttributes(folder, BasicFileAttributes.class);
        return !attributes.creationTime().equals(attributes.lastModifiedTime());
    }

    /** Stops looking. A call of the listener that is under way is interrupted. */
    @Override
    public void close() {
        var looking = timer;
        if (looking != null) {
            looking.shutdownNow();
        }
    }
}
