// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.config.RecordBinder;
import io.sallyport.decisionlog.file.FileConfig;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.util.unit.DataSize;

/** The {@code decision-log} section: what it is when nothing is written, and every message that a wrong one gets. */
class DecisionLogConfigTest {
    private final Findings findings = new Findings();

    @Test
    void an_empty_section_records_refusals_on_standard_output() {
        assertThat(RecordBinder.bind("{}", DecisionLogConfig.class, findings))
                .isEqualTo(new DecisionLogConfig(DecisionLogConfig.Allowed.NONE, 100, true, null, 10, null));
        assertThat(findings.all()).isEmpty();
    }

    @Test
    void a_whole_section_is_bound() {
        var section = requireNonNull(RecordBinder.bind("""
                allowed: sampled
                sample-one-in: 50
                stdout: false
                file: { path: /var/log/sallyport/decisions.jsonl }
                repeat-threshold: 5
                pseudonym-key-file: /var/lib/sallyport/pseudonym.key
                """, DecisionLogConfig.class, findings));

        assertThat(findings.all()).isEmpty();
        assertThat(section.allowed()).isEqualTo(DecisionLogConfig.Allowed.SAMPLED);
        assertThat(section.file())
                .isEqualTo(new FileConfig(Path.of("/var/log/sallyport/decisions.jsonl"), DataSize.ofMegabytes(64), 8));
        assertThat(section.pseudonymKeyFile()).isEqualTo(Path.of("/var/lib/sallyport/pseudonym.key"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "allowed: some | allowed: some (expected: ",
                "sample-one-in: 0 | sample-one-in: 0 (expected: 1 to 1000000)",
                "repeat-threshold: 0 | repeat-threshold: 0 (expected: 1 to 10000)",
                "stdout: false | stdout: false (expected: true, or a file: a refusal has to leave evidence somewhere)",
                "file: {} | file.path: (absent) (expected: ",
                "file: { path: /f, max-size: 1KB } | file.max-size: ",
                "file: { path: /f, max-size: 2GB } | file.max-size: ",
                "file: { path: /f, max-files: 1 } | file.max-files: 1 (expected: 2 to 1000)",
                "'fille: { path: /f }' | fille: ",
            })
    void what_is_wrong_is_a_finding_with_its_path_its_value_and_what_was_expected(String yaml, String message) {
        RecordBinder.bind(yaml, DecisionLogConfig.class, findings);

        assertThat(findings.all())
                .singleElement()
                .extracting(Finding::toString)
                .asString()
                .contains(message);
    }
}
