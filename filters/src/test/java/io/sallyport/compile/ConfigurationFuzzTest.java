// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Findings;
import io.sallyport.config.RecordBinder;
import io.sallyport.config.YamlDocument;
import io.sallyport.fuzz.Corpus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Of any file: settings or findings that say where, never both nor neither, and the same each time. */
public final class ConfigurationFuzzTest {
    private static final RecordBinder BINDER = new RecordBinder(Path.of(""));

    @Test
    void every_kept_input_has_the_properties() throws IOException {
        Corpus.of(ConfigurationFuzzTest.class).replay(ConfigurationFuzzTest::fuzzerTestOneInput);
    }

    @Test
    void so_has_every_mutation_of_them() throws IOException {
        Corpus.of(ConfigurationFuzzTest.class).mutate(ConfigurationFuzzTest::fuzzerTestOneInput);
    }

    public static void fuzzerTestOneInput(byte[] input) {
        var findings = new Findings();
        boolean loaded = load(input, findings);
        // One in eight, for loading is slow: the input says which, so that what is found is found again.
        if ((Arrays.hashCode(input) & 7) == 0) {
            var again = new Findings();
            if (loaded != load(input, again) || !findings.all().equals(again.all())) {
                throw new AssertionError("%s, then %s".formatted(findings.all(), again.all()));
            }
        }
        if (loaded != findings.isEmpty()) {
            throw new AssertionError("loaded: %s, with the findings %s".formatted(loaded, findings.all()));
        }
        for (var finding : findings.all()) {
            if (finding.line() < 0
                    || finding.line() > input.length + 1
                    || finding.expected().isEmpty()) {
                throw new AssertionError(finding.toString());
            }
        }
    }

    /** As {@link Configuration#load} does, of bytes. */
    private static boolean load(byte[] input, Findings findings) {
        var document = YamlDocument.parse(input, findings);
        var bound = document == null ? null : BINDER.bind(document, GatewayFile.class, findings);
        return bound != null
                && SnapshotCompiler.forChecking()
                                .compile(new Configuration("fuzz.yaml", "0", bound.sallyport()), findings)
                        != null;
    }
}
