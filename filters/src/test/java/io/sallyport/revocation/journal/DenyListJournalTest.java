// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.identity.FakeSubject;
import io.sallyport.revocation.denylist.DenyListEntry;
import io.sallyport.revocation.denylist.DenyListIndex;
import io.sallyport.revocation.denylist.DenyListKey;
import io.sallyport.revocation.denylist.DenyListStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DenyListJournalTest {
    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    private static final Instant LATER = NOW.plusSeconds(3600);

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

    @TempDir
    private Path directory = Path.of("");

    private Path file = Path.of("");
    private Instant now = NOW;

    @BeforeEach
    void nameTheFile() {
        file = directory.resolve("deny-list.jsonl");
    }

    /** A gateway's life from start to stop. */
    private final class Gateway implements AutoCloseable {
        private final DenyListIndex index = new DenyListIndex(meters);
        private final DenyListJournal journal;

        private Gateway(int maxEntries) {
            InstantSource clock = () -> now;
            this.journal = DenyListJournal.open(file, index, maxEntries, clock, meters);
        }

        private Gateway() {
            this(100_000);
        }

        private boolean denies(String token) {
            return index.find(DenyListKey.Kind.JTI, FakeSubject.ISSUER, token, NOW, now) != null;
        }

        private DenyListStore.Change add(String token) {
            return after(journal.add(token(token)));
        }

        private DenyListStore.Change remove(String token) {
            return after(journal.remove(key(token)));
        }

        @Override
        public void close() {
            journal.close();
        }
    }

    @Test
    void a_restart_forgets_nothing() {
        var subject = new DenyListEntry(
                new DenyListKey(DenyListKey.Kind.SUB, FakeSubject.ISSUER, "alice \"the\" \\ łäst\u2028"),
                NOW,
                LATER,
                "reason with \"quotes\"",
                NOW.plusNanos(1));
        try (var gateway = new Gateway()) {
            gateway.add("a");
            gateway.add("b");
            gateway.remove("a");
            after(gateway.journal.add(subject));
        }

        try (var restarted = new Gateway()) {
            assertThat(restarted.index.isComplete()).isTrue();
            assertThat(restarted.journal.problem()).isNull();
            assertThat(restarted.journal.entries()).containsExactlyInAnyOrder(token("b"), subject);
        }
    }

    @Test
    void what_is_acknowledged_is_in_the_file_and_in_force() throws IOException {
        try (var gateway = new Gateway()) {
            assertThat(gateway.add("a")).isEqualTo(new DenyListStore.Change.Added(token("a")));

            assertThat(gateway.denies("a")).isTrue();
            assertThat(Files.readString(file))
                    .hasLineCount(1)
                    .contains("\"value\":\"a\"")
                    .endsWith("}\n");
        }
    }

    @Test
    void changes_that_wait_together_are_all_there_after_a_restart() {
        var changes = new ArrayList<CompletionStage<DenyListStore.Change>>();
        try (var gateway = new Gateway()) {
            for (int i = 0; i < 500; i++) {
                changes.add(gateway.journal.add(token("t" + i)));
            }
            changes.forEach(change -> assertThat(after(change)).isInstanceOf(DenyListStore.Change.Added.class));
        }

        try (var restarted = new Gateway()) {
            assertThat(restarted.journal.entries()).hasSize(500);
        }
    }

    @Test
    void a_journal_that_is_removed_is_there_again_before_the_next_change_is_acknowledged() throws IOException {
        try (var gateway = new Gateway()) {
            gateway.add("a");
            Files.delete(file);

            assertThat(gateway.add("b")).isInstanceOf(DenyListStore.Change.Added.class);
            assertThat(Files.readString(file)).contains("\"value\":\"a\"", "\"value\":\"b\"");
        }

        try (var restarted = new Gateway()) {
            assertThat(restarted.denies("a")).isTrue();
            assertThat(restarted.denies("b")).isTrue();
        }
    }

    @Test
    void a_journal_that_is_removed_is_there_again_although_nobody_changes_anything() throws IOException {
        try (var gateway = new Gateway()) {
            gateway.add("a");
            Files.delete(file);

            await().until(() -> Files.exists(file));
            assertThat(gateway.journal.problem()).isNull();
        }

        try (var restarted = new Gateway()) {
            assertThat(restarted.denies("a")).isTrue();
        }
    }

    @Test
    void a_journal_that_somebody_emptied_is_written_anew() throws IOException {
        try (var gateway = new Gateway()) {
            gateway.add("a");
            Files.writeString(file, "");

            gateway.add("b");
        }

        try (var restarted = new Gateway()) {
            assertThat(restarted.denies("a")).isTrue();
        }
    }

    @Test
    void a_journal_whose_directory_is_gone_takes_no_change_and_says_so() throws IOException {
        var folder = Files.createDirectory(directory.resolve("folder"));
        file = folder.resolve("deny-list.jsonl");
        try (var gateway = new Gateway()) {
            gateway.add("a");
            Files.move(folder, directory.resolve("elsewhere"));

            assertThat(gateway.add("b")).isInstanceOf(DenyListStore.Change.Failed.class);
            assertThat(gateway.denies("a")).isTrue();
            assertThat(gateway.journal.problem()).contains("could not be written");
        }
    }

    @Test
    void a_journal_that_was_removed_while_no_gateway_ran_is_missed() throws IOException {
        try (var gateway = new Gateway()) {
            gateway.add("a");
        }
        Files.delete(file);

        try (var restarted = new Gateway()) {
            assertThat(restarted.index.isComplete()).isFalse();
            assertThat(restarted.journal.problem()).contains("is gone, though there has been one");
        }
    }

    @Test
    void the_file_is_its_owners_alone() throws IOException {
        try (var _ = new Gateway()) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-------");
        }

        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
        try (var _ = new Gateway()) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void a_last_line_torn_anywhere_is_dropped_and_the_rest_kept() throws IOException {
        try (var gateway = new Gateway()) {
            gateway.add("a");
            gateway.add("b");
        }
        var whole = Files.readAllBytes(file);
        int firstLine = Files.readString(file).indexOf('\n') + 1;

        for (int length = firstLine + 1; length < whole.length; length += 7) {
            Files.write(file, Arrays.copyOf(whole, length));
            try (var restarted = new Gateway()) {
                assertThat(restarted.index.isComplete())
                        .as("torn after %d bytes", length)
                        .isTrue();
                assertThat(restarted.denies("a")).isTrue();
                assertThat(restarted.denies("b")).isFalse();
            }
            assertThat(Files.size(file)).isEqualTo(firstLine);
        }
    }

    @Test
    void a_torn_line_does_not_spoil_what_is_written_after_it() throws IOException {
        try (var gateway = new Gateway()) {
            gateway.add("a");
        }
        append("{\"v\":1,\"c\":\"0123");

        try (var restarted = new Gateway()) {
            restarted.add("b");
        }

        try (var again = new Gateway()) {
            assertThat(again.index.isComplete()).isTrue();
            assertThat(again.denies("a")).isTrue();
            assertThat(again.denies("b")).isTrue();
        }
    }

    @Test
    void zeros_that_a_crash_left_at_the_end_are_dropped() throws IOException {
        try (var gateway = new Gateway()) {
            gateway.add("a");
        }
        append("\0".repeat(300));

        try (var restarted = new Gateway()) {
            assertThat(restarted.index.isComplete()).isTrue();
            assertThat(restarted.denies("a")).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"value\":\"a", "\"op\":\"put\"", "{\"v\":1", "\"c\":\"", "expires_at\":\"2026"})
    void a_change_of_one_byte_before_the_last_line_is_damage_and_the_file_is_left_alone(String where)
            throws IOException {
        try (var gateway = new Gateway()) {
            gateway.add("a");
            gateway.add("b");
        }
        var bytes = Files.readAllBytes(file);
        int at = new String(bytes, StandardCharsets.UTF_8).indexOf(where) + where.length() - 1;
        bytes[at] ^= 1;
        Files.write(file, bytes);

        try (var restarted = new Gateway()) {
            assertThat(restarted.index.isComplete()).isFalse();
            assertThat(restarted.journal.problem()).contains("is damaged at line 1");
            assertThat(restarted.add("c"))
                    .isEqualTo(new DenyListStore.Change.Failed(
                            "The deny-list could not be read back when the gateway started"));
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
    }

    @Test
    void what_was_read_before_the_damage_stays_in_force() throws IOException {
        try (var gateway = new Gateway()) {
            gateway.add("a");
            gateway.add("b");
            gateway.add("c");
        }
        Files.writeString(file, Files.readString(file).replace("\"value\":\"b\"", "\"value\":\"x\""));

        try (var restarted = new Gateway()) {
            assertThat(restarted.index.isComplete()).isFalse();
            assertThat(restarted.denies("a")).isTrue();
        }
    }

    @Test
    void a_file_that_is_no_journal_is_not_taken_for_a_torn_one() throws IOException {
        Files.writeString(file, "sallyport: {}");

        try (var gateway = new Gateway()) {
            assertThat(gateway.journal.problem()).contains("is damaged at line 1");
        }
        assertThat(Files.readString(file)).isEqualTo("sallyport: {}");
    }

    @Test
    void a_journal_that_another_gateway_has_open_is_not_shared() {
        try (var _ = new Gateway();
                var second = new Gateway()) {
            assertThat(second.index.isComplete()).isFalse();
            assertThat(second.journal.problem()).contains("another gateway has this journal open");
        }
    }

    @Test
    void a_directory_that_is_not_there_is_named() {
        file = directory.resolve("missing").resolve("deny-list.jsonl");

        try (var gateway = new Gateway()) {
            assertThat(gateway.journal.problem()).contains(directory.resolve("missing") + " is no directory");
        }
    }

    @Test
    void what_has_expired_meanwhile_is_not_read_back() {
        try (var gateway = new Gateway()) {
            gateway.add("a");
        }
        now = LATER;

        try (var restarted = new Gateway()) {
            assertThat(restarted.journal.entries()).isEmpty();
            assertThat(restarted.index.size()).isZero();
        }
    }

    @Test
    void a_journal_of_changes_that_no_longer_count_is_compacted() throws IOException {
        try (var gateway = new Gateway()) {
            gateway.add("kept");
            for (int i = 0; i < 600; i++) {
                gateway.add("t");
                gateway.remove("t");
            }
        }
        try (var lines = Files.lines(file)) {
            assertThat(lines.count()).isLessThan(200);
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");

        try (var restarted = new Gateway()) {
            assertThat(restarted.journal.entries()).containsExactly(token("kept"));
        }
    }

    @Test
    void a_compaction_that_a_crash_broke_off_is_as_if_it_had_not_begun() throws IOException {
        try (var gateway = new Gateway()) {
            gateway.add("a");
        }
        Files.writeString(file.resolveSibling("deny-list.jsonl.tmp"), "{\"v\":1,\"c\":");

        try (var restarted = new Gateway()) {
            assertThat(restarted.denies("a")).isTrue();
        }
        assertThat(file.resolveSibling("deny-list.jsonl.tmp")).doesNotExist();
    }

    @Test
    void a_full_list_writes_nothing() {
        try (var gateway = new Gateway(1)) {
            gateway.add("a");

            assertThat(gateway.add("b")).isEqualTo(new DenyListStore.Change.Full(1));
        }

        try (var restarted = new Gateway(1)) {
            assertThat(restarted.journal.entries()).containsExactly(token("a"));
        }
    }

    @Test
    void a_smaller_limit_forgets_nothing_that_was_acknowledged() {
        try (var gateway = new Gateway()) {
            gateway.add("a");
            gateway.add("b");
        }

        try (var restarted = new Gateway(1)) {
            assertThat(restarted.journal.entries()).hasSize(2);
        }
    }

    @Test
    void a_change_that_cannot_be_written_is_not_acknowledged_and_not_in_force_and_the_next_one_mends_the_file()
            throws IOException {
        var folder = Files.createDirectory(directory.resolve("folder"));
        var elsewhere = directory.resolve("elsewhere");
        file = folder.resolve("deny-list.jsonl");
        try (var gateway = new Gateway()) {
            gateway.add("a");
            Files.move(folder, elsewhere);

            assertThat(gateway.add("b"))
                    .isEqualTo(new DenyListStore.Change.Failed("The change could not be written to disk"));
            assertThat(gateway.denies("b")).isFalse();
            assertThat(gateway.journal.problem()).contains("could not be written");
            assertThat(meters.get("sallyport.revocation.journal.failures")
                            .counter()
                            .count())
                    .isEqualTo(1);

            Files.move(elsewhere, folder);
            assertThat(gateway.add("c")).isInstanceOf(DenyListStore.Change.Added.class);
            assertThat(gateway.journal.problem()).isNull();
        }

        try (var restarted = new Gateway()) {
            assertThat(restarted.journal.entries()).containsExactlyInAnyOrder(token("a"), token("c"));
        }
    }

    @Test
    void after_the_end_changes_are_refused_and_not_lost() {
        var gateway = new Gateway();
        gateway.close();

        assertThat(gateway.add("a")).isEqualTo(new DenyListStore.Change.Failed("The gateway is shutting down"));
        assertThat(meters.get("sallyport.revocation.journal.failures").counter().count())
                .isEqualTo(1);
    }

    private void append(String text) throws IOException {
        Files.writeString(file, text, StandardOpenOption.APPEND);
    }

    private static DenyListKey key(String token) {
        return new DenyListKey(DenyListKey.Kind.JTI, FakeSubject.ISSUER, token);
    }

    private static DenyListEntry token(String token) {
        return new DenyListEntry(key(token), null, LATER, "test", NOW);
    }

    private static DenyListStore.Change after(CompletionStage<DenyListStore.Change> change) {
        return change.toCompletableFuture().join();
    }
}
