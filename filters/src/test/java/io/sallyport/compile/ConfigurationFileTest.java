// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.config.Findings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When the file is read again, and what is said while it cannot be. */
final class ConfigurationFileTest {
    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    private static final Duration NEVER_BY_ITSELF = Duration.ofHours(1);
    private static final String FIRST = """
            sallyport:
              listener: { port: 8443, insecure-plaintext: true }
              management: { port: 8444, insecure-plaintext: true }
              routes:
                status:
                  match: { hosts: [api.example.org], path: /status, methods: [GET] }
                  authorize: public
                  upstream: { uri: "http://status:8080", insecure-plaintext: true }
            """;

    @TempDir
    private Path folder;

    private Path path = Path.of("");
    private int changes;

    @SuppressWarnings("NullAway.Init") // before each test
    private ConfigurationFile file;

    @BeforeEach
    void write() throws IOException {
        path = Files.writeString(folder.resolve("gateway.yaml"), FIRST);
    }

    @AfterEach
    void close() {
        file.close();
    }

    @Test
    void a_change_is_told_once_when_the_file_has_kept_still_for_a_look() throws IOException {
        follow();

        Files.writeString(path, FIRST.replace("/status", "/health"));
        file.look();
        assertThat(changes).isZero();
        Files.writeString(path, FIRST.replace("/status", "/healthz"));
        file.look();
        assertThat(changes).isZero();
        file.look();
        file.look();

        assertThat(changes).isOne();
    }

    @Test
    void a_change_between_the_start_and_the_first_look_is_told() throws IOException {
        file = new ConfigurationFile(path, InstantSource.fixed(NOW), NEVER_BY_ITSELF);
        var atStart = Configuration.load(file);
        Files.writeString(path, FIRST.replace("/status", "/health") + "...\n");
        file.follow(() -> changes++);

        file.look();
        file.look();

        assertThat(changes).isOne();
        var next = file.read(atStart, new Findings());
        assertThat(Objects.requireNonNull(next).revision()).isNotEqualTo(atStart.revision());
    }

    @Test
    void nothing_is_told_while_there_is_no_file_but_health_knows() throws IOException {
        follow();
        Files.delete(path);
        file.look();
        file.look();

        assertThat(changes).isZero();
        assertThat(file.problem()).isEqualTo("there is no such file, since 2026-11-22T12:00:00Z");

        Files.writeString(path, FIRST.replace("/status", "/health"));
        file.look();
        file.look();

        assertThat(changes).isOne();
        assertThat(file.problem()).isNull();
    }

    @Test
    void a_file_that_was_gone_when_it_was_to_be_read_is_read_when_it_is_back() throws IOException {
        follow();
        var elsewhere = Files.move(path, folder.resolve("elsewhere.yaml"));
        assertThat(file.read(null, new Findings())).isNull();
        Files.move(elsewhere, path);

        file.look();

        assertThat(changes).isOne();
    }

    /** The way of a mounted ConfigMap: file -> ..data/file, ..data -> folder of a version, swapped by rename. */
    @Test
    void a_symbolic_link_above_the_file_that_is_swapped_is_a_change() throws IOException {
        Files.move(path, Files.createDirectory(folder.resolve("..1")).resolve("gateway.yaml"));
        Files.createSymbolicLink(folder.resolve("..data"), Path.of("..1"));
        Files.createSymbolicLink(path, Path.of("..data", "gateway.yaml"));
        follow();

        var next = Files.createDirectory(folder.resolve("..2")).resolve("gateway.yaml");
        Files.writeString(next, FIRST.replace("/status", "/health"));
        Files.createSymbolicLink(folder.resolve("..data_tmp"), Path.of("..2"));
        Files.move(folder.resolve("..data_tmp"), folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        file.look();
        file.look();

        assertThat(changes).isOne();
    }

    @Test
    void a_file_that_was_written_into_is_read_when_it_has_its_end() throws IOException {
        follow();
        var inForce = Configuration.load(file);
        var whole = FIRST.replace("/status", "/health");

        Files.writeString(path, whole);
        twoLooks();
        var findings = new Findings();
        assertThat(file.read(inForce, findings)).isNull();
        assertThat(findings.all()).singleElement().asString().startsWith("changed in place, and without its end");

        Files.writeString(path, whole + "...\n");
        twoLooks();
        assertThat(file.read(inForce, new Findings())).isNotNull();
        assertThat(changes).isEqualTo(2);
    }

    @Test
    void a_file_that_was_written_into_and_says_what_it_said_is_no_finding() throws IOException {
        follow();
        var inForce = Configuration.load(file);
        Files.writeString(path, "");
        twoLooks();
        Files.writeString(path, FIRST);
        twoLooks();

        var findings = new Findings();
        assertThat(Objects.requireNonNull(file.read(inForce, findings)).revision())
                .isEqualTo(inForce.revision());
        assertThat(findings.isEmpty()).isTrue();
    }

    @Test
    void a_file_that_took_the_place_of_another_by_a_rename_is_read_as_it_is() throws IOException {
        follow();
        var inForce = Configuration.load(file);

        var next = Files.writeString(folder.resolve("next.yaml"), FIRST.replace("/status", "/health"));
        Files.move(next, path, StandardCopyOption.ATOMIC_MOVE);
        twoLooks();

        assertThat(file.read(inForce, new Findings())).isNotNull();
    }

    @Test
    void a_file_that_was_created_anew_and_written_into_since_needs_its_end() throws IOException {
        follow();
        var inForce = Configuration.load(file);
        var next = Files.writeString(folder.resolve("next.yaml"), FIRST);
        Files.writeString(next, FIRST.replace("/status", "/half"));
        Files.move(next, path, StandardCopyOption.ATOMIC_MOVE);
        file.look();
        Files.writeString(path, FIRST.replace("/status", "/more"));
        twoLooks();

        assertThat(file.read(inForce, new Findings())).isNull();
    }

    private void twoLooks() {
        file.look();
        file.look();
    }

    private void follow() {
        file = new ConfigurationFile(path, InstantSource.fixed(NOW), NEVER_BY_ITSELF);
        file.follow(() -> changes++);
    }
}
