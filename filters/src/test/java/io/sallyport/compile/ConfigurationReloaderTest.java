// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.config.Finding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ConfigurationReloaderTest {
    private static final String FIRST = """
            sallyport:
              listener: { port: 8443, insecure-plaintext: true }
              internal-listener: { port: 8446, client-spiffe-ids: ["spiffe://example.org/batch"] }
              management: { port: 8444, insecure-plaintext: true }
              identity: { workload-api: "unix:/run/spire/agent.sock" }
              issuers:
                corp: { issuer: "https://idp.example.org", audiences: [api] }
              stages:
                authenticate: { token-cache-size: 1000, key-sets: keys }
                revocation: { journal: deny-list.journal, max-entries: 1000 }
              decision-log: { allowed: none }
              routes:
                status:
                  match: { hosts: [api.example.org], path: /status, methods: [GET] }
                  authorize: public
                  upstream: { uri: "http://status:8080", insecure-plaintext: true }
            """;

    /** Remembers what was waited for and forgotten, and how things stood then. */
    private final class RememberingLifecycle implements IssuerLifecycle {
        private final List<String> calls = new ArrayList<>();

        @Override
        public void prefetch(Collection<Issuer> issuers) {
            calls.add("prefetch %s".formatted(issuers));
        }

        @Override
        public void await(Collection<Issuer> issuers) {
            calls.add("await %s under %s".formatted(issuers, snapshots.get().revision()));
        }

        @Override
        public void retain(Collection<Issuer> issuers) {
            calls.add("retain %s under %s".formatted(issuers, snapshots.get().revision()));
        }
    }

    @TempDir
    private Path folder;

    private final MeterRegistry meters = new SimpleMeterRegistry();
    private final RememberingLifecycle lifecycle = new RememberingLifecycle();
    private Path path = Path.of("");

    @SuppressWarnings("NullAway.Init") // before each test
    private SnapshotSource snapshots;

    @SuppressWarnings("NullAway.Init") // before each test
    private ConfigurationReloader reloader;

    @BeforeEach
    void load() throws IOException {
        path = Files.writeString(folder.resolve("gateway.yaml"), FIRST);
        var compiler = SnapshotCompiler.forChecking();
        var source = new ConfigurationFile(path, InstantSource.system());
        snapshots = new SnapshotSource(compiler.compile(Configuration.load(source)));
        reloader = new ConfigurationReloader(compiler, lifecycle, snapshots, source, new BackgroundExecutor(), meters);
    }

    @Test
    void a_changed_file_is_applied_as_a_whole() throws IOException {
        var before = snapshots.get();
        Files.writeString(path, FIRST.replace("/status", "/health").replace("status:\n", "health:\n"));

        assertThat(reloader.reload()).isEqualTo(ConfigurationReloader.Result.APPLIED);

        assertThat(snapshots.get()).isNotSameAs(before);
        assertThat(snapshots.get().revision()).matches("[0-9a-f]{12}").isNotEqualTo(before.revision());
        assertThat(snapshots.get().routes()).extracting(Object::toString).contains("health@api.example.org");
        assertThat(reloader.status())
                .isEqualTo(new ConfigurationReloader.Status(snapshots.get().revision(), List.of()));
        assertThat(reloads("applied")).isEqualTo(1);
        assertThat(lastReloadSuccessful()).isEqualTo(1);
    }

    @Test
    void a_file_that_says_what_it_said_is_no_reload() throws IOException {
        var before = snapshots.get();
        Files.writeString(path, FIRST);

        assertThat(reloader.reload()).isEqualTo(ConfigurationReloader.Result.UNCHANGED);

        assertThat(snapshots.get()).isSameAs(before);
        assertThat(reloads("applied") + reloads("refused")).isZero();
    }

    @Test
    void a_wrong_file_changes_nothing_and_says_why() throws IOException {
        var before = snapshots.get();
        Files.writeString(path, FIRST.replace("path: /status", "path: status").replace("issuers:", "isuers:"));

        assertThat(reloader.reload()).isEqualTo(ConfigurationReloader.Result.REFUSED);

        assertThat(snapshots.get()).isSameAs(before);
        assertThat(reloader.status().revision()).isEqualTo(before.revision());
        assertThat(reloader.status().findings())
                .extracting(Finding::path)
                .containsExactly("sallyport.isuers", "sallyport.routes.status.match.path");
        assertThat(reloads("refused")).isEqualTo(1);
        assertThat(lastReloadSuccessful()).isZero();
        assertThat(lifecycle.calls).isEmpty();
    }

    @Test
    void a_file_that_is_mended_by_writing_what_is_in_force_is_right_again() throws IOException {
        Files.writeString(path, "");
        assertThat(reloader.reload()).isEqualTo(ConfigurationReloader.Result.REFUSED);
        Files.writeString(path, FIRST);

        assertThat(reloader.reload()).isEqualTo(ConfigurationReloader.Result.UNCHANGED);

        assertThat(reloader.status().findings()).isEmpty();
        assertThat(lastReloadSuccessful()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "port: 8443             | port: 8445             | sallyport.listener",
                "port: 8446             | port: 8447             | sallyport.internal-listener",
                "port: 8444             | port: 8445             | sallyport.management",
                "agent.sock             | other.sock             | sallyport.identity",
                "allowed: none          | allowed: all           | sallyport.decision-log",
                "token-cache-size: 1000 | token-cache-size: 2000 | sallyport.stages.authenticate.token-cache-size",
                "key-sets: keys         | key-sets: other        | sallyport.stages.authenticate.key-sets",
                "journal: deny-list     | journal: other         | sallyport.stages.revocation.journal",
                "max-entries: 1000      | max-entries: 2000      | sallyport.stages.revocation.max-entries",
            })
    void what_is_read_at_start_only_cannot_be_changed_by_a_reload(String from, String to, String section)
            throws IOException {
        var before = snapshots.get();
        Files.writeString(path, FIRST.replace(from, to).replace("/status", "/health"));

        assertThat(reloader.reload()).isEqualTo(ConfigurationReloader.Result.REFUSED);

        assertThat(snapshots.get()).isSameAs(before);
        assertThat(reloader.status().findings())
                .extracting(Finding::toString)
                .containsExactly(section + ": changed (expected: what it was: it is read at start only, so a change"
                        + " needs a restart)");
    }

    @Test
    void key_sets_are_waited_for_before_the_swap_and_forgotten_after_it() throws IOException {
        var before = snapshots.get().revision();
        Files.writeString(path, FIRST.replace("    corp:", "    partner:"));

        reloader.reload();

        var after = snapshots.get().revision();
        assertThat(lifecycle.calls)
                .containsExactly("await [partner] under " + before, "retain [partner] under " + after);
    }

    private double reloads(String result) {
        return meters.counter("sallyport.config.reloads", "result", result).count();
    }

    private double lastReloadSuccessful() {
        return meters.get("sallyport.config.last.reload.successful").gauge().value();
    }
}
