// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import io.sallyport.app.SallyportMain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** {@code sallyport run} in a process of its own, which can be sent SIGTERM. */
final class GatewayProcess {
    /** For its start, and beyond any grace that a test configures. */
    private static final int PATIENCE_SECONDS = 180;

    private static final String LISTENING = "sallyport: listening";

    private final Process process;
    private final Path log;

    private GatewayProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /**
     * Starts it, and returns when it listens.
     *
     * @param log gets what it writes to its standard output and error
     */
    static GatewayProcess start(Path configuration, Path log) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                // It lasts for seconds: what compiles fast starts it sooner.
                "-XX:TieredStopAtLevel=1",
                "-Xmx512m"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), SallyportMain.class.getName()));
        command.addAll(List.of("run", "--config", configuration.toString()));
        var started = new GatewayProcess(
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start(),
                log);
        started.awaitListening();
        return started;
    }

    private void awaitListening() throws IOException, InterruptedException {
        var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!Files.readString(log).contains(LISTENING)) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                process.destroyForcibly();
                throw new AssertionError("the gateway has not started: " + Files.readString(log));
            }
            Thread.sleep(100);
        }
    }

    /** Sends it SIGTERM. */
    void terminate() {
        process.destroy();
    }

    /** Its exit code, as soon as it has ended. */
    int awaitEnd() throws InterruptedException {
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("the gateway has not stopped within %d s".formatted(PATIENCE_SECONDS));
        }
        return process.exitValue();
    }
}
