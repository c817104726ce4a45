// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.Issuer;
import io.sallyport.compile.BackgroundExecutor;
import io.sallyport.compile.ConfigurationFile;
import io.sallyport.compile.ConfigurationReloader;
import io.sallyport.compile.KeySets;
import io.sallyport.compile.SnapshotCompiler;
import io.sallyport.compile.SnapshotSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Collection;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConfigurationWatcherTest {
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

    private enum NoKeySets implements KeySets {
        NONE;

        @Override
        public void prefetch(Collection<Issuer> issuers) {}

        @Override
        public void await(Collection<Issuer> issuers) {}

        @Override
        public void retain(Collection<Issuer> issuers) {}
    }

    @TempDir
    private Path folder;

    private final MeterRegistry meters = new SimpleMeterRegistry();
    private Path path = Path.of("");

    @SuppressWarnings("NullAway.Init") // before each test
    private ConfigurationReloader reloader;

    @BeforeEach
    void load() throws IOException {
        path = Files.writeString(folder.resolve("gateway.yaml"), FIRST);
        var compiler = SnapshotCompiler.forChecking();
        var snapshots = new SnapshotSource(compiler.compile(ConfigurationFile.load(path)));
        reloader = new ConfigurationReloader(compiler, NoKeySets.NONE, snapshots, new BackgroundExecutor(), meters);
    }

    @Test
    void the_watcher_reloads_once_the_file_has_changed_and_kept_still_for_a_look() throws IOException {
        var watcher = new ConfigurationWatcher(path, reloader);
        watcher.look();
        assertThat(reloads("applied")).isZero();

        write(FIRST.replace("/status", "/health"), 1);
        watcher.look();
        assertThat(reloads("applied")).isZero();
        write(FIRST.replace("/status", "/healthz"), 2);
        watcher.look();
        assertThat(reloads("applied")).isZero();
        watcher.look();
        watcher.look();

        assertThat(reloads("applied")).isEqualTo(1);
    }

    @Test
    void the_watcher_waits_while_there_is_no_file() throws IOException {
        var watcher = new ConfigurationWatcher(path, reloader);
        Files.delete(path);
        watcher.look();
        watcher.look();
        assertThat(reloader.status().findings()).isEmpty();

        write(FIRST.replace("/status", "/health"), 1);
        watcher.look();
        watcher.look();

        assertThat(reloads("applied")).isEqualTo(1);
    }

    /** The way of a mounted ConfigMap: file -> ..data/file, ..data -> folder of a generation, swapped by rename. */
    @Test
    void the_watcher_sees_a_symbolic_link_above_the_file_swapped() throws IOException {
        Files.move(path, Files.createDirectory(folder.resolve("..1")).resolve("gateway.yaml"));
        Files.createSymbolicLink(folder.resolve("..data"), Path.of("..1"));
        Files.createSymbolicLink(path, Path.of("..data", "gateway.yaml"));
        var watcher = new ConfigurationWatcher(path, reloader);

        var next = Files.createDirectory(folder.resolve("..2")).resolve("gateway.yaml");
        Files.writeString(next, FIRST.replace("/status", "/health"));
        // The same time and nearly the same size as the old one: the swap alone has to tell.
        Files.setLastModifiedTime(next, Files.getLastModifiedTime(folder.resolve("..1/gateway.yaml")));
        Files.createSymbolicLink(folder.resolve("..data_tmp"), Path.of("..2"));
        Files.move(folder.resolve("..data_tmp"), folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        watcher.look();
        watcher.look();

        assertThat(reloads("applied")).isEqualTo(1);
    }

    private void write(String yaml, int second) throws IOException {
        Files.writeString(path, yaml);
        Files.setLastModifiedTime(path, FileTime.from(Instant.EPOCH.plusSeconds(second)));
    }

    private double reloads(String result) {
        return meters.counter("sallyport.config.reloads", "result", result).count();
    }
}
