// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sallyport.app.DemoGuide;
import io.sallyport.app.demo.DemoCase;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code sallyport demo} prints for pasting is pasted, into each shell that is there, and curl says what it got. */
class GuideIT {
    private static final Pattern STATUS = Pattern.compile("HTTP/[0-9.]+ ([0-9]{3})");

    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.ofItsOwn();

    @TempDir
    Path directory;

    @BeforeAll
    static void requireCurl() {
        assumeTrue(isInstalled("curl"), "curl is not installed");
    }

    static Stream<String> shells() {
        return Stream.of("sh", "bash", "zsh").filter(GuideIT::isInstalled);
    }

    @ParameterizedTest
    @MethodSource("shells")
    void each_line_gets_the_answer_that_stands_beside_it(String shell) throws Exception {
        for (var demoCase : DemoCase.values()) {
            var script = String.join(
                            "\n",
                            new DemoGuide(gateway.parts())
                                    .preparation(gateway.parts().directory().toString()))
                    + "\n" + DemoGuide.command(demoCase) + "\n";

            var output = run(shell, script);

            var statuses = STATUS.matcher(output)
                    .results()
                    .map(found -> found.group(1))
                    .toList();
            assertThat(statuses).as(demoCase + "\n" + output).isNotEmpty();
            assertThat(statuses.getLast())
                    .as(demoCase + "\n" + output)
                    .isEqualTo(String.valueOf(demoCase.expectedStatus()));
        }
    }

    private String run(String shell, String script) throws IOException, InterruptedException {
        var output = directory.resolve("output").toFile();
        var process = new ProcessBuilder(List.of(
                        shell,
                        Files.writeString(directory.resolve("script"), script).toString()))
                .redirectErrorStream(true)
                .redirectOutput(output)
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return Files.readString(output.toPath());
    }

    private static boolean isInstalled(String command) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
    }
}
