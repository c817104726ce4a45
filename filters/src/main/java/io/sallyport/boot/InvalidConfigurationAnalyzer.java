// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import io.sallyport.compile.InvalidConfiguration;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Has Spring Boot print the findings of an invalid configuration instead of a stack trace. */
final class InvalidConfigurationAnalyzer extends AbstractFailureAnalyzer<InvalidConfiguration> {
    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, InvalidConfiguration cause) {
        return new FailureAnalysis(
                String.join(System.lineSeparator(), cause.lines()),
                "Mend the file; `sallyport check` reads it too.",
                cause);
    }
}
