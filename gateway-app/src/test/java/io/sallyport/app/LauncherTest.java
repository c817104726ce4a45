// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script at the top level, in a tree of its own, with a Maven and a JDK that say what they were asked for. */
class LauncherTest {
    private static final Path LAUNCHER = Path.of("..", "sallyport");

    @TempDir
    Path directory;

    private Path tree;
    private Path tools;
    private Path jdk;

    @BeforeEach
    void plant() throws IOException {
        tree = directory.toRealPath().resolve("clone of mine");
        for (var sources : List.of("filters/src/main", "gateway-app/src/main")) {
            Files.createDirectories(tree.resolve(sources));
        }
        for (var pom : List.of("pom.xml", "filters/pom.xml", "gateway-app/pom.xml")) {
            Files.createFile(tree.resolve(pom));
        }
        Files.copy(LAUNCHER, tree.resolve("sallyport"), StandardCopyOption.COPY_ATTRIBUTES);

        jdk = directory.resolve("jdk");
        Files.createDirectories(jdk.resolve("bin"));
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
        script(jdk.resolve("bin/javac"), "exit 1");
        script(jdk.resolve("bin/java"), "printf '<%s>' \"$@\"; printf ' in %s\\n' \"$PWD\"");

        tools = Files.createDirectories(directory.resolve("tools"));
        maven("""
                echo "[INFO] --- maven-compiler-plugin:3.14.1:compile (default-compile) @ sallyport-filters ---"
                echo jar > "$target/sallyport.jar"; echo jar > "$target/sallyport.jar.original"
                """);
    }

    @Test
    void the_first_use_builds_and_says_so_and_the_next_does_not() throws Exception {
        var first = launch("demo", "--once");

        assertThat(first.exitCode()).isZero();
        assertThat(first.err()).contains("first use; building", "built in");
        assertThat(first.out())
                .contains("<-jar><" + tree.resolve("gateway-app/target/sallyport.jar") + "><demo><--once>");

        var second = launch("demo");

        assertThat(second.err()).isEmpty();
        assertThat(builds()).hasSize(1);
    }

    @Test
    void maven_runs_on_the_jdk_that_was_found_and_without_tests() throws Exception {
        launch();

        assertThat(builds())
                .singleElement()
                .asString()
                .contains("-Dmaven.test.skip=true", "package", "JAVA_HOME=" + jdk);
    }

    @Test
    void a_source_that_is_newer_or_gone_builds_again() throws Exception {
        var source = Files.createFile(tree.resolve("filters/src/main/Stage.java"));
        launch();

        touch(source);
        assertThat(launch().err()).contains("the sources have changed");

        Files.delete(source);
        touch(tree.resolve("filters/src/main"));
        assertThat(launch().err()).contains("the sources have changed");
        assertThat(builds()).hasSize(3);
    }

    @Test
    void a_build_that_failed_shows_its_errors_and_is_tried_again() throws Exception {
        launch();
        touch(tree.resolve("pom.xml"));
        maven("echo '[INFO] fine'; echo '[ERROR] Stage.java:[1,1] class expected'; exit 1");

        var failed = launch("run");

        assertThat(failed.exitCode()).isEqualTo(1);
        assertThat(failed.out()).isEmpty();
        assertThat(failed.err())
                .contains("the build failed after", "[ERROR] Stage.java:[1,1] class expected")
                .doesNotContain("fine");
        // An older jar may be half replaced: it is not run.
        assertThat(launch("run").exitCode()).isEqualTo(1);
    }

    @Test
    void arguments_and_directory_are_the_callers_through_a_link_as_well() throws Exception {
        var link = Files.createSymbolicLink(tools.resolve("sp"), tree.resolve("sallyport"));

        var launched = launch(link, "check", "--config", "my file.yaml", "");

        assertThat(launched.out()).endsWith("<check><--config><my file.yaml><> in " + tools + "\n");
    }

    @Test
    void options_for_the_jvm_can_be_added() throws Exception {
        var builder = process(tree.resolve("sallyport"));
        builder.environment().put("JAVA_OPTS", "-Xmx1g -Dx=y");

        assertThat(launch(builder).out()).contains("<-Xmx1g><-Dx=y><-jar>");
    }

    @Test
    void without_maven_it_says_what_to_install() throws Exception {
        Files.delete(tools.resolve("mvn"));

        var launched = launch();

        assertThat(launched.exitCode()).isEqualTo(1);
        assertThat(launched.err()).contains("no Maven found");
    }

    private record Launched(int exitCode, String out, String err) {}

    private Launched launch(String... arguments) throws Exception {
        return launch(tree.resolve("sallyport"), arguments);
    }

    private Launched launch(Path launcher, String... arguments) throws Exception {
        return launch(process(launcher, arguments));
    }

    private static Launched launch(ProcessBuilder builder) throws Exception {
        var out = Files.createTempFile("launcher", ".out");
        var err = Files.createTempFile("launcher", ".err");
        try {
            var process = builder.redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            return new Launched(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** Sees the tools of this test and the system's own, but not where a Maven of this machine is. */
    private ProcessBuilder process(Path launcher, String... arguments) throws IOException {
        var system = Files.createDirectories(directory.resolve("system"));
        for (var tool : List.of(
                "sh",
                "dirname",
                "readlink",
                "grep",
                "sed",
                "find",
                "head",
                "tail",
                "date",
                "sleep",
                "mkdir",
                "touch",
                "rm",
                "cat",
                "env")) {
            script(system.resolve(tool), "exec " + find(tool) + " \"$@\"");
        }
        var command = Stream.concat(Stream.of(launcher.toString()), Stream.of(arguments))
                .toList();
        var builder = new ProcessBuilder(command).directory(tools.toFile());
        builder.environment().clear();
        builder.environment().put("PATH", tools + ":" + system);
        builder.environment().put("HOME", directory.toString());
        builder.environment().put("JAVA_HOME", jdk.toString());
        return builder;
    }

    private static Path find(String tool) {
        return Stream.of("/bin", "/usr/bin")
                .map(folder -> Path.of(folder, tool))
                .filter(Files::exists)
                .findFirst()
                .orElseThrow();
    }

    private void maven(String script) throws IOException {
        script(tools.resolve("mvn"), """
                target="%s"
                echo "$* JAVA_HOME=$JAVA_HOME" >> "%s"
                %s
                """.formatted(
                        tree.resolve("gateway-app/target"), directory.resolve("builds"), script));
    }

    private List<String> builds() throws IOException {
        return Files.readAllLines(directory.resolve("builds"));
    }

    private static void script(Path file, String text) throws IOException {
        Files.write(file, ("#!/bin/sh\n" + text + "\n").getBytes(StandardCharsets.UTF_8));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** A minute on, which no clock is too coarse for. */
    private static void touch(Path file) throws IOException {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(60)));
    }
}
