// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Finding;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.ExitCodeGenerator;

/** The gateway does not start with this configuration. Its message is all findings, one on each line. */
public final class InvalidConfiguration extends RuntimeException implements ExitCodeGenerator {
    /** The process' exit code for it. */
    public static final int EXIT_CODE = 2;

    private static final long serialVersionUID = 1L;

    private final transient List<Finding> findings;
    private final transient List<String> lines;

    /** @param file the configuration file, or null if it is the process' environment that is wrong */
    public InvalidConfiguration(@Nullable Path file, List<Finding> findings) {
        this(
                findings,
                findings.stream()
                        .map(finding -> file == null ? finding.toString() : finding.in(file.toString()))
                        .toList());
    }

    private InvalidConfiguration(List<Finding> findings, List<String> lines) {
        super(lines.stream().collect(Collectors.joining(System.lineSeparator())), null, false, false);
        this.findings = List.copyOf(findings);
        this.lines = List.copyOf(lines);
    }

    public List<Finding> findings() {
        return findings;
    }

    /** For a human: each finding with file, line, path, value and expectation. */
    public List<String> lines() {
        return lines;
    }

    @Override
    public int getExitCode() {
        return EXIT_CODE;
    }
}
