// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line as far as it starts nothing. */
class SallyportMainTest {
    @TempDir
    Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void help_names_the_commands_and_the_exit_codes() {
        assertThat(execute("--help")).isZero();

        assertThat(out.toString())
                .contains("demo", "run", "check", "generate-completion", "Exit codes:")
                .doesNotContain("demo-parts");
    }

    @Test
    void version_says_what_this_is_and_what_it_runs_on() {
        assertThat(execute("--version")).isZero();

        assertThat(out.toString()).startsWith("sallyport ").contains("Java 25");
    }

    @Test
    void a_command_line_that_is_wrong_is_a_2_with_a_sentence() {
        assertThat(execute()).isEqualTo(2);
        assertThat(execute("chek")).isEqualTo(2);
        assertThat(execute("run", "--confgi", "x")).isEqualTo(2);
        assertThat(execute("demo", "--port", "99999")).isEqualTo(2);

        assertThat(err.toString())
                .contains(
                        "Which command?",
                        "Did you mean: sallyport check?",
                        "'--confgi'",
                        "--port: 99999 (expected: 1 to 65535)")
                .doesNotContain("\tat ");
    }

    @Test
    void a_port_that_is_taken_is_a_1_that_names_it() throws IOException {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThat(execute("demo", "--port", String.valueOf(taken.getLocalPort())))
                    .isEqualTo(1);

            assertThat(err.toString())
                    .contains("cannot listen on port %d: something else does already".formatted(taken.getLocalPort()))
                    .doesNotContain("\tat ");
        }
    }

    @Test
    void check_prints_every_finding_on_a_line_of_its_own_with_file_line_path_value_and_expectation()
            throws IOException {
        var file = Files.writeString(directory.resolve("gateway.yaml"), """
                sallyport:
                  listener: { port: 99999, insecure-plaintext: true }
                  identitty: {}
                  routes: {}
                """);

        assertThat(execute("check", "--config", file.toString())).isEqualTo(2);

        assertThat(out.toString().lines())
                .anyMatch(line -> line.startsWith(file + ":2: sallyport.listener.port: 99999 (expected: "))
                .anyMatch(line -> line.startsWith(file + ":3: sallyport.identitty: ") && line.contains("identity"))
                .allMatch(line -> line.contains("(expected: "));
        assertThat(err.toString()).contains("finding").doesNotContain("\tat ");
    }

    @Test
    void a_configuration_that_is_not_there_is_a_2_for_check_and_for_run() {
        var missing = directory.resolve("none.yaml").toString();

        assertThat(execute("check", "--config", missing)).isEqualTo(2);
        assertThat(out.toString()).contains(missing);
        assertThat(execute("run", "--config", missing)).isEqualTo(2);
        assertThat(err.toString()).contains(missing).doesNotContain("\tat ");
    }

    @Test
    void completion_for_the_shell_can_be_generated() {
        assertThat(execute("generate-completion")).isZero();

        assertThat(out.toString()).contains("complete -F", "--config", "--once");
    }

    private int execute(String... arguments) {
        return SallyportMain.commandLine(new PrintWriter(out, true), new PrintWriter(err, true))
                .execute(arguments);
    }
}
