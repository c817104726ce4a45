// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The binaries of SPIRE, where {@code .ci/spire/build} leaves them or an administrator has put them. */
final class SpireTools {
    private static final String SERVER = "spire-server";
    private static final String AGENT = "spire-agent";
    private static final long PATIENCE_SECONDS = 20;

    private final Path directory;

    private SpireTools(Path directory) {
        this.directory = directory;
    }

    /** Those that there are, for a test that is skipped without any. */
    static SpireTools require() {
        return new SpireTools(Objects.requireNonNull(find(), "no SPIRE"));
    }

    /** Skips a class where there are none. */
    static final class Needed implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            var found = find();
            return found == null
                    ? ConditionEvaluationResult.disabled(
                            "no SPIRE on the PATH nor in the cache: .ci/spire/build makes one")
                    : ConditionEvaluationResult.enabled("SPIRE in " + found);
        }
    }

    private static @Nullable Path find() {
        var candidates = new ArrayList<Path>();
        for (var entry : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
            candidates.add(Path.of(entry));
        }
        candidates.addAll(built());
        return candidates.stream()
                .filter(folder ->
                        Files.isExecutable(folder.resolve(SERVER)) && Files.isExecutable(folder.resolve(AGENT)))
                .findFirst()
                .orElse(null);
    }

    private static List<Path> built() {
        var environment = System.getenv();
        var cache = environment.get("XDG_CACHE_HOME");
        var usual =
                cache == null || cache.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache);
        var told = environment.get("SALLYPORT_TOOLS");
        var tools = told == null || told.isEmpty() ? usual.resolve("sallyport").resolve("tools") : Path.of(told);
        try (var folders = Files.newDirectoryStream(tools, "spire-*")) {
            var all = new ArrayList<Path>();
            folders.forEach(all::add);
            return all;
        } catch (IOException e) {
            return List.of();
        }
    }

    /** Starts a server that writes to that log. */
    Process startServer(Path configuration, Path log) throws IOException {
        return start(log, SERVER, "run", "-config", configuration.toString());
    }

    /** Starts an agent that writes to that log. */
    Process startAgent(Path configuration, Path log, String... arguments) throws IOException {
        var command = new ArrayList<>(List.of(AGENT, "run", "-config", configuration.toString()));
        command.addAll(List.of(arguments));
        return start(log, command.toArray(String[]::new));
    }

    private Process start(Path log, String... command) throws IOException {
        return builder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    /** Whether the process behind that socket says that it is healthy. */
    boolean isServerHealthy(Path socket) throws IOException, InterruptedException {
        return succeeds(SERVER, "healthcheck", "-socketPath", socket.toString());
    }

    boolean isAgentHealthy(Path socket) throws IOException, InterruptedException {
        return succeeds(AGENT, "healthcheck", "-socketPath", socket.toString());
    }

    private boolean succeeds(String... command) throws IOException, InterruptedException {
        var process = builder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        return process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0;
    }

    /** What a command of the server says; an error if it fails. */
    String tell(String... arguments) throws IOException, InterruptedException {
        return tell(SERVER, List.of(arguments));
    }

    /** The same of the agent. */
    String tellAgent(String... arguments) throws IOException, InterruptedException {
        return tell(AGENT, List.of(arguments));
    }

    private String tell(String tool, List<String> arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(tool));
        command.addAll(arguments);
        var process = builder(command.toArray(String[]::new)).start();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        var complaint = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("%s %s: %s%s".formatted(tool, arguments, said, complaint));
        }
        return said;
    }

    /** As the agent sees a workload that is its own command line. */
    Path agent() throws IOException {
        return directory.resolve(AGENT).toRealPath();
    }

    private ProcessBuilder builder(String... command) {
        command[0] = directory.resolve(command[0]).toString();
        return new ProcessBuilder(command);
    }
}
