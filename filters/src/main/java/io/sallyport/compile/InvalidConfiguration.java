// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Finding;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The gateway does not start with this configuration. Its message is all findings, one on each line. */
public class InvalidConfiguration extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<Finding> findings;
    private final transient List<String> lines;

    /** @param source {@link ConfigurationSource#name}, or null if it is the process' environment that is wrong */
    public InvalidConfiguration(@Nullable String source, List<Finding> findings) {
        this(
                findings,
                findings.stream()
                        .map(finding -> source == null ? finding.toString() : finding.in(source))
                        .toList());
    }

    /** The same again, for a class of exceptions that can do more. */
    protected InvalidConfiguration(InvalidConfiguration same) {
        this(same.findings, same.lines);
    }

    private InvalidConfiguration(List<Finding> findings, List<String> lines) {
        super(lines.stream().collect(Collectors.joining(System.lineSeparator())), null, false, false);
        this.findings = List.copyOf(findings);
        this.lines = List.copyOf(lines);
    }

    public final List<Finding> findings() {
        return findings;
    }

    /** For a human: each finding with file, line, path, value and expectation. */
    public final List<String> lines() {
        return lines;
    }
}
