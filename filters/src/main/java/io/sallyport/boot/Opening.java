// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import io.sallyport.compile.Configuration;
import io.sallyport.compile.InvalidConfiguration;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import java.util.function.Supplier;

/** Opens what the file names, at start: a certificate that is not there is a wrong configuration too. */
final class Opening {
    private Opening() {}

    /**
     * Runs {@code open}.
     *
     * @param section dotted from the top, as the file has it
     * @throws InvalidConfiguration with the file's name and the key's path, if it throws {@link InvalidSetting}
     */
    static <T> T section(String section, Configuration configuration, Supplier<T> open) {
        try {
            return open.get();
        } catch (InvalidSetting e) {
            var findings = new Findings();
            var at = findings.at(section);
            (e.key().isEmpty() ? at : at.child(e.key())).reject(e.value(), e.expected());
            throw new RefusedStart(new InvalidConfiguration(configuration.source(), findings.all()));
        }
    }
}
