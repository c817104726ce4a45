// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.keys.JwkSetDocument;
import io.sallyport.config.InvalidSetting;
import io.sallyport.pipeline.FakeRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept on disk over a restart, and what of it is not believed. */
class KeySetFileTest {
    private static final Instant NOW = FakeRequest.NOW;
    private static final String PLACE = "5f".repeat(32);
    private static final byte[] DOCUMENT = "{\"keys\":[]}\n\n".getBytes(StandardCharsets.UTF_8);

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

    @TempDir
    private Path folder = Path.of("");

    @Test
    void what_is_saved_is_read_back() {
        file(PLACE).write(new KeySetFile.Saved(DOCUMENT, NOW));

        var saved = Objects.requireNonNull(file(PLACE).read(NOW));

        assertThat(saved.document()).isEqualTo(DOCUMENT);
        assertThat(saved.confirmedAt()).isEqualTo(NOW);
        assertThat(directory()).isDirectoryContaining("glob:**/corp.jwks");
        assertThat(saves("saved")).isEqualTo(1);
    }

    @Test
    void the_longest_document_is_read_back() {
        var longest = new byte[JwkSetDocument.MAX_BYTES];
        file(PLACE).write(new KeySetFile.Saved(longest, NOW));

        assertThat(Objects.requireNonNull(file(PLACE).read(NOW)).document()).isEqualTo(longest);
    }

    @Test
    void saving_again_replaces_the_file_and_leaves_no_other() throws IOException {
        file(PLACE).write(new KeySetFile.Saved(DOCUMENT, NOW));
        // What a crash left.
        Files.writeString(directory().resolve("corp.jwks.tmp"), "half a file");
        file(PLACE).write(new KeySetFile.Saved(DOCUMENT, NOW.plusSeconds(240)));

        assertThat(Objects.requireNonNull(file(PLACE).read(NOW.plusSeconds(240)))
                        .confirmedAt())
                .isEqualTo(NOW.plusSeconds(240));
        try (var files = Files.list(directory())) {
            assertThat(files).containsExactly(directory().resolve("corp.jwks"));
        }
    }

    @Test
    void nothing_was_saved_yet() {
        assertThat(file(PLACE).read(NOW)).isNull();
    }

    @Test
    void keys_of_another_place_are_not_believed() {
        file(PLACE).write(new KeySetFile.Saved(DOCUMENT, NOW));

        assertThat(file("00".repeat(32)).read(NOW)).isNull();
    }

    @Test
    void keys_of_a_later_time_are_not_believed() {
        file(PLACE).write(new KeySetFile.Saved(DOCUMENT, NOW));

        assertThat(file(PLACE).read(NOW.minusSeconds(1))).isNull();
    }

    @Test
    void a_change_of_any_byte_is_noticed() throws IOException {
        file(PLACE).write(new KeySetFile.Saved(DOCUMENT, NOW));
        var path = directory().resolve("corp.jwks");
        var good = Files.readAllBytes(path);

        for (int i = 0; i < good.length; i++) {
            var damaged = good.clone();
            damaged[i] ^= 1;
            Files.write(path, damaged);
            assertThat(file(PLACE).read(NOW)).as("byte %d", i).isNull();
        }
        for (int length = 0; length < good.length; length++) {
            Files.write(path, Arrays.copyOf(good, length));
            assertThat(file(PLACE).read(NOW)).as("cut at %d", length).isNull();
        }
        Files.write(path, good);
        assertThat(file(PLACE).read(NOW)).isNotNull();
    }

    @Test
    void a_file_that_is_too_long_is_not_read_to_its_end() throws IOException {
        file(PLACE).write(new KeySetFile.Saved(new byte[JwkSetDocument.MAX_BYTES + 1024], NOW));

        assertThat(file(PLACE).read(NOW)).isNull();
        assertThat(Files.size(directory().resolve("corp.jwks"))).isGreaterThan(JwkSetDocument.MAX_BYTES);
    }

    @Test
    void a_link_is_not_followed() throws IOException {
        file(PLACE).write(new KeySetFile.Saved(DOCUMENT, NOW));
        var path = directory().resolve("corp.jwks");
        Files.createSymbolicLink(path, Files.move(path, folder.resolve("elsewhere")));

        assertThat(file(PLACE).read(NOW)).isNull();
    }

    @Test
    void a_set_that_cannot_be_saved_is_counted_and_nothing_else() throws IOException {
        var file = file(PLACE);
        Files.delete(directory());

        file.write(new KeySetFile.Saved(DOCUMENT, NOW));

        assertThat(saves("failed")).isEqualTo(1);
    }

    @Test
    void the_directory_is_the_gateways_own() throws IOException {
        var path = Files.createDirectory(directory());
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));

        KeySetDirectory.open(path);

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rwx------");
    }

    @Test
    void a_directory_that_cannot_be_had_is_a_wrong_setting() throws IOException {
        var file = Files.writeString(folder.resolve("file"), "");

        for (var path : new Path[] {file, folder.resolve("no/such"), file.resolve("below")}) {
            assertThatThrownBy(() -> KeySetDirectory.open(path))
                    .isInstanceOf(InvalidSetting.class)
                    .hasMessage(
                            "key-sets: %s (expected: a directory of the gateway's own, writable, in one that exists)"
                                    .formatted(path));
        }
    }

    @Test
    void a_name_that_no_issuer_can_have_has_no_file() {
        for (var name : new String[] {"", ".", "../corp", "a/b", "\u0000", "Corp"}) {
            assertThat(KeySetDirectory.open(directory()).file(name, PLACE, meters))
                    .isNull();
        }
    }

    private Path directory() {
        return folder.resolve("key-sets");
    }

    private KeySetFile file(String place) {
        return Objects.requireNonNull(KeySetDirectory.open(directory()).file("corp", place, meters));
    }

    private double saves(String result) {
        var counter = meters.find("sallyport.jwks.saves")
                .tags("issuer", "corp", "result", result)
                .counter();
        return counter == null ? 0 : counter.count();
    }
}
