// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog.file;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sallyport.config.InvalidSetting;
import io.sallyport.decisionlog.MovableClock;
import io.sallyport.pipeline.FakeRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.unit.DataSize;

/** Lines on a bounded piece of disk. */
class RotatingFileTest {
    private static final int MAX_BYTES = 1024 * 1024;
    private static final int MAX_FILES = 3;

    private final MovableClock clock = new MovableClock(FakeRequest.NOW);

    @TempDir
    Path folder;

    @Test
    void lines_are_appended_to_what_is_there() throws IOException {
        Files.writeString(path(), "before\n");
        var file = open();

        file.write(line("one"));
        file.write(line("two"));
        file.close();

        assertThat(path()).hasContent("before\none\ntwo\n");
    }

    @Test
    void the_folder_is_made_if_it_is_missing() throws IOException {
        var deep = folder.resolve("a/b/decisions.jsonl");
        var file = new RotatingFile(new FileConfig(deep, DataSize.ofBytes(MAX_BYTES), MAX_FILES), clock);

        file.write(line("one"));
        file.close();

        assertThat(deep).hasContent("one\n");
    }

    @Test
    void a_full_file_is_rotated_to_a_name_that_is_never_used_again() throws IOException {
        var file = open();
        fill(file, 'a');

        file.write(line("next"));
        fill(file, 'b');
        file.write(line("last"));
        file.close();

        assertThat(names())
                .containsExactly(
                        "decisions-20261122T120000.000Z.jsonl",
                        "decisions-20261122T120000.001Z.jsonl",
                        "decisions.jsonl");
        assertThat(path()).content().endsWith("last\n");
        assertThat(Files.readString(folder.resolve("decisions-20261122T120000.000Z.jsonl")))
                .startsWith("aaa");
    }

    @Test
    void the_disk_that_it_takes_is_bounded_and_the_oldest_goes_first() throws IOException {
        Files.writeString(folder.resolve("decisions-of-somebody-else.jsonl"), "theirs");
        var file = open();
        for (char name = 'a'; name <= 'z'; name++) {
            clock.advance(Duration.ofSeconds(1));
            fill(file, name);
        }
        file.close();

        assertThat(names()).hasSize(MAX_FILES + 1).contains("decisions-of-somebody-else.jsonl");
        long bytes = 0;
        for (var name : names()) {
            bytes += Files.size(folder.resolve(name));
        }
        assertThat(bytes).isLessThanOrEqualTo((long) MAX_BYTES * MAX_FILES + "theirs".length());
        assertThat(path()).content().startsWith("zzz");
        assertThat(folder.resolve(names().get(1))).content().startsWith("yyy");
    }

    @Test
    void files_that_are_too_many_after_a_change_of_the_configuration_are_deleted() throws IOException {
        for (int i = 0; i < 5; i++) {
            Files.writeString(folder.resolve("decisions-20261121T12000%d.000Z.jsonl".formatted(i)), "old\n");
        }

        open().close();

        assertThat(names())
                .containsExactly(
                        "decisions-20261121T120003.000Z.jsonl",
                        "decisions-20261121T120004.000Z.jsonl",
                        "decisions.jsonl");
    }

    @Test
    void a_file_that_was_deleted_is_opened_anew() throws IOException {
        var file = open();
        file.write(line("one"));
        Files.delete(path());

        file.write(line("two"));
        file.close();

        assertThat(path()).hasContent("two\n");
    }

    @Test
    void a_file_that_was_moved_away_is_left_alone() throws IOException {
        var file = open();
        file.write(line("one"));
        Files.move(path(), folder.resolve("taken"));
        Files.writeString(path(), "");

        file.write(line("two"));
        file.close();

        assertThat(folder.resolve("taken")).hasContent("one\n");
        assertThat(path()).hasContent("two\n");
    }

    @Test
    void a_line_that_a_crash_cut_is_ended_before_the_next() throws IOException {
        Files.writeString(path(), "whole\n{\"cut");
        var file = open();

        file.write(line("next"));
        file.close();

        assertThat(path()).hasContent("whole\n{\"cut\nnext\n");
    }

    /** {@code /dev/full} answers each write with ENOSPC. */
    @Test
    void a_full_disk_is_an_error_of_the_line_and_no_more() throws IOException {
        var full = Path.of("/dev/full");
        assumeTrue(Files.isWritable(full), "no /dev/full on this platform");
        var file = new RotatingFile(new FileConfig(full, DataSize.ofBytes(MAX_BYTES), MAX_FILES), clock);

        for (int i = 0; i < 2; i++) {
            assertThatIOException().isThrownBy(() -> file.write(line("lost")));
        }
        file.close();
    }

    @Test
    void a_path_that_cannot_be_written_is_found_when_it_is_opened() throws IOException {
        Files.createDirectory(path());

        assertThatExceptionOfType(InvalidSetting.class)
                .isThrownBy(this::open)
                .withMessageStartingWith("file.path: " + path() + " (expected: a file that can be written (");
    }

    private RotatingFile open() {
        return new RotatingFile(new FileConfig(path(), DataSize.ofBytes(MAX_BYTES), MAX_FILES), clock);
    }

    private Path path() {
        return folder.resolve("decisions.jsonl");
    }

    private static void fill(RotatingFile file, char with) throws IOException {
        var line = line(String.valueOf(with).repeat(1023));
        for (int i = 0; i < MAX_BYTES / line.length; i++) {
            file.write(line);
        }
    }

    private static byte[] line(String text) {
        return (text + "\n").getBytes(US_ASCII);
    }

    private List<String> names() throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
