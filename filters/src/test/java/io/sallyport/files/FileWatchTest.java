// SPDX-License-Identifier: Apache-2.0
package io.sallyport.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sallyport.files.FileChange.Kind;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Looks one by one, at real files. Each change needs two: one that sees it, and one that sees it keep still. */
class FileWatchTest {
    private static final Instant START = Instant.parse("2026-11-22T12:00:00Z");
    private static final Duration NEVER_BY_ITSELF = Duration.ofHours(1);

    @TempDir
    private Path folder;

    private final List<FileChange> changes = new ArrayList<>();
    private Instant now = START;
    private Path file = Path.of("");
    private @Nullable FileWatch watch;

    @BeforeEach
    void write() throws IOException {
        file = Files.writeString(folder.resolve("tls.crt"), "one");
    }

    @AfterEach
    void close() {
        if (watch != null) {
            watch.close();
        }
    }

    @Test
    void a_file_that_keeps_still_is_no_change() {
        watch(file);

        look(5);

        assertThat(changes).isEmpty();
    }

    @Test
    void a_file_that_was_written_into_is_rewritten() throws IOException {
        watch(file);

        Files.writeString(file, "two");
        look(2);

        assertThat(changes).containsExactly(new FileChange(file, Kind.REWRITTEN, START.plusSeconds(1)));
    }

    @Test
    void a_file_that_another_was_renamed_over_is_replaced() throws IOException {
        watch(file);

        replace(file, "two");
        look(2);

        assertThat(changes).containsExactly(new FileChange(file, Kind.REPLACED, START.plusSeconds(1)));
    }

    /** A file system gives the number of a deleted file to the next: the second rename may bring back the first one's. */
    @Test
    void a_file_that_was_renamed_over_twice_within_a_look_is_replaced() throws Exception {
        watch(file);
        for (int i = 0; i < 20; i++) {
            // Longer than the steps of the file system's clock, as the time between two looks is.
            Thread.sleep(20);
            replace(file, "one of many " + i);
            replace(file, "another of many " + i);
            look(3);

            assertThat(changes).extracting(FileChange::kind).containsOnly(Kind.REPLACED);
            changes.clear();
        }
    }

    @Test
    void a_change_is_told_once() throws IOException {
        watch(file);

        replace(file, "two");
        look(9);

        assertThat(changes).hasSize(1);
    }

    @Test
    void a_file_that_is_being_written_is_not_told() throws IOException {
        watch(file);

        for (int i = 0; i < 5; i++) {
            Files.writeString(file, "half " + i);
            look(1);
        }

        assertThat(changes).isEmpty();
    }

    @Test
    void one_of_several_files_that_is_being_written_keeps_the_others_from_being_told() throws IOException {
        var key = Files.writeString(folder.resolve("tls.key"), "one");
        watch(file, key);

        Files.writeString(file, "two");
        look(1);
        Files.writeString(key, "two");
        look(1);
        assertThat(changes).isEmpty();
        look(1);

        assertThat(changes).extracting(FileChange::file).containsExactly(file, key);
    }

    @Test
    void a_file_with_another_time_and_the_same_content_is_no_change() throws IOException {
        watch(file);

        Files.setLastModifiedTime(file, FileTime.from(START));
        look(2);
        replace(file, "one");
        look(2);

        assertThat(changes).isEmpty();
    }

    /** As a reproducible image or cp --preserve leaves it: nothing but the content differs, and the time no program sets. */
    @Test
    void a_file_of_the_same_size_and_time_with_another_content_is_a_change() throws IOException {
        var time = FileTime.from(START);
        Files.setLastModifiedTime(file, time);
        watch(file);
        look(9);

        Files.writeString(file, "two");
        Files.setLastModifiedTime(file, time);
        look(2);

        assertThat(changes).extracting(FileChange::kind).containsExactly(Kind.REWRITTEN);
    }

    @Test
    void a_second_write_within_one_step_of_the_file_systems_clock_is_a_change() throws IOException {
        // A file system whose times stand still: nothing but reading the file tells.
        var same = new FileWatch.Stamp(true, 3, FileTime.from(START), null, "inode");
        watch(List.of(file), _ -> same);

        Files.writeString(file, "two");
        look(2);

        assertThat(changes).extracting(FileChange::kind).containsExactly(Kind.REWRITTEN);
    }

    @Test
    void a_file_whose_time_has_stood_still_for_long_is_not_read() throws IOException {
        var same = new FileWatch.Stamp(true, 3, FileTime.from(START), null, "inode");
        watch(List.of(file), _ -> same);
        look(9);

        Files.writeString(file, "two");
        look(9);

        assertThat(changes).isEmpty();
    }

    @Test
    void a_file_without_an_identity_counts_as_rewritten() throws IOException {
        var length = new AtomicReference<>(3L);
        watch(List.of(file), _ -> new FileWatch.Stamp(true, length.get(), FileTime.from(START), null, null));

        replace(file, "three");
        length.set(5L);
        look(2);

        assertThat(changes).extracting(FileChange::kind).containsExactly(Kind.REWRITTEN);
    }

    /** Kubernetes: tls.crt -> ..data/tls.crt, ..data -> folder of a version; the middle link is swapped by rename. */
    @Test
    void a_symbolic_link_above_the_file_that_is_swapped_replaces_it() throws IOException {
        Files.move(file, Files.createDirectory(folder.resolve("..1")).resolve("tls.crt"));
        Files.createSymbolicLink(folder.resolve("..data"), Path.of("..1"));
        Files.createSymbolicLink(file, Path.of("..data", "tls.crt"));
        watch(file);

        var next = Files.createDirectory(folder.resolve("..2")).resolve("tls.crt");
        Files.writeString(next, "two");
        Files.setLastModifiedTime(next, Files.getLastModifiedTime(folder.resolve("..1/tls.crt")));
        Files.createSymbolicLink(folder.resolve("..data_tmp"), Path.of("..2"));
        Files.move(folder.resolve("..data_tmp"), folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        Files.delete(folder.resolve("..1/tls.crt"));
        look(2);

        assertThat(changes).extracting(FileChange::kind).containsExactly(Kind.REPLACED);
    }

    @Test
    void a_folder_that_is_replaced_replaces_its_files() throws IOException {
        var secrets = Files.createDirectory(folder.resolve("secrets"));
        var inside = Files.writeString(secrets.resolve("tls.key"), "one");
        watch(inside);

        var next = Files.createDirectory(folder.resolve("next"));
        Files.writeString(next.resolve("tls.key"), "two");
        Files.move(secrets, folder.resolve("old"));
        look(1);
        Files.move(next, secrets);
        look(2);

        assertThat(changes).extracting(FileChange::kind).containsExactly(Kind.REPLACED);
    }

    @Test
    void a_file_that_is_deleted_is_unreadable_and_health_knows_since_when() throws IOException {
        watch(file);

        Files.delete(file);
        look(3);

        assertThat(changes).containsExactly(new FileChange(file, Kind.UNREADABLE, START.plusSeconds(1)));
        assertThat(watching().unreadable())
                .containsExactly(new UnreadableFile(file, "there is no such file", START.plusSeconds(1)));
    }

    @Test
    void a_file_that_reappears_is_told_and_no_longer_unreadable() throws IOException {
        watch(file);
        Files.delete(file);
        look(2);
        changes.clear();

        Files.writeString(file, "one");
        look(2);

        assertThat(changes).extracting(FileChange::kind).containsExactly(Kind.APPEARED);
        assertThat(watching().unreadable()).isEmpty();
    }

    @Test
    void a_file_that_is_away_for_one_look_and_comes_back_as_it_was_is_no_change() throws IOException {
        watch(file);

        var away = Files.move(file, folder.resolve("away"));
        look(1);
        Files.move(away, file);
        look(2);

        assertThat(changes).isEmpty();
    }

    @Test
    void a_file_that_is_not_there_at_first_appears() throws IOException {
        var later = folder.resolve("later");
        watch(later);
        assertThat(watching().unreadable()).extracting(UnreadableFile::file).containsExactly(later);

        Files.writeString(later, "one");
        look(2);

        assertThat(changes).extracting(FileChange::kind).containsExactly(Kind.APPEARED);
    }

    /** To open one would wait for who writes into it, and take what is not meant for the watch. */
    @Test
    @Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void a_pipe_is_never_opened() throws Exception {
        var pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();

        watch(pipe);
        look(2);

        assertThat(watching().unreadable()).extracting(UnreadableFile::cause).containsExactly("not a regular file");
    }

    @Test
    void a_listener_that_cannot_read_the_files_is_called_again() throws IOException {
        var calls = new ArrayList<List<FileChange>>();
        var tested = new FileWatch("test", List.of(file), this::tick, NEVER_BY_ITSELF);
        watch = tested;
        tested.start(told -> {
            calls.add(told);
            if (calls.size() < 3) {
                throw new IOException("not now");
            }
        });

        replace(file, "two");
        look(9);

        assertThat(calls).hasSize(3);
        assertThat(calls.getLast()).extracting(FileChange::kind).containsExactly(Kind.REPLACED);
    }

    @Test
    void a_listener_that_fails_is_told_of_the_next_change() throws IOException {
        var calls = new ArrayList<List<FileChange>>();
        var tested = new FileWatch("test", List.of(file), this::tick, NEVER_BY_ITSELF);
        watch = tested;
        tested.start(told -> {
            calls.add(told);
            throw new IllegalStateException("a bug");
        });

        replace(file, "two");
        look(3);
        replace(file, "three");
        look(3);

        assertThat(calls).hasSize(2);
    }

    @Test
    void who_could_not_read_the_files_at_first_is_called_without_a_change() {
        var calls = new ArrayList<List<FileChange>>();
        var tested = new FileWatch("test", List.of(file), this::tick, NEVER_BY_ITSELF);
        watch = tested;
        tested.again();
        tested.start(calls::add);

        look(3);

        assertThat(calls).containsExactly(List.of());
    }

    @Test
    void what_changes_between_the_watch_and_its_start_is_told() throws IOException {
        var tested = new FileWatch("test", List.of(file), this::tick, NEVER_BY_ITSELF);
        watch = tested;
        replace(file, "two");
        tested.start(changes::addAll);

        look(2);

        assertThat(changes).hasSize(1);
    }

    @Test
    void it_looks_by_itself_on_its_own_thread_until_it_is_closed() throws Exception {
        var threads = new CopyOnWriteArrayList<String>();
        var tested = new FileWatch("sallyport-test", List.of(file), InstantSource.system(), Duration.ofMillis(10));
        tested.start(_ -> threads.add(Thread.currentThread().getName()));

        replace(file, "two");
        await().until(() -> !threads.isEmpty());
        tested.close();

        assertThat(threads).containsExactly("sallyport-test");
        await().until(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("sallyport-test")));
    }

    @Test
    void a_file_without_permission_is_unreadable() throws IOException {
        watch(List.of(file), path -> {
            if (Files.getPosixFilePermissions(path).isEmpty()) {
                // What the file system says to a process that is not root's.
                throw new AccessDeniedException(path.toString());
            }
            return new FileWatch.Stamp(true, 3, FileTime.from(START), null, "inode");
        });

        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
        look(2);

        assertThat(watching().unreadable()).extracting(UnreadableFile::cause).containsExactly("access denied");
    }

    private void watch(Path... files) {
        var started = new FileWatch("test", List.of(files), this::tick, NEVER_BY_ITSELF);
        started.start(changes::addAll);
        watch = started;
    }

    private void watch(List<Path> files, FileWatch.Stamps stamps) {
        var started = new FileWatch("test", files, this::tick, NEVER_BY_ITSELF, stamps);
        started.start(changes::addAll);
        watch = started;
    }

    private Instant tick() {
        return now;
    }

    private void look(int times) {
        for (int i = 0; i < times; i++) {
            now = now.plusSeconds(1);
            watching().look();
        }
    }

    private FileWatch watching() {
        return Objects.requireNonNull(watch);
    }

    private void replace(Path path, String content) throws IOException {
        var next = Files.writeString(folder.resolve("next.tmp"), content);
        Files.move(next, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
