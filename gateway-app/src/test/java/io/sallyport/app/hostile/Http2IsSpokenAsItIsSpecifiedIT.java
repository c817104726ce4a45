// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.scenarios.Tools;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** RFC 9113 and RFC 7541 by the cases of h2spec, all of them, those that it calls strict too. */
@ParameterizedClass
@EnumSource(Way.class)
class Http2IsSpokenAsItIsSpecifiedIT {
    private static final Pattern ALL_PASSED = Pattern.compile("(\\d{3}) tests, \\1 passed, 0 skipped, 0 failed");

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    @Test
    void every_case_of_h2spec_passes() throws Exception {
        var h2spec = Tools.require("h2spec-2.2.0", ".ci/h2spec").resolve("h2spec");
        var process = new ProcessBuilder(
                        h2spec.toString(),
                        "--tls",
                        "--insecure",
                        "--strict",
                        "--host=" + way.resolvable(),
                        "--port=" + world.port(),
                        // The upstream answers with it, and some cases need an answer of a few bytes.
                        "--path=/h2spec")
                .redirectErrorStream(true)
                .start();
        var report = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).as(report).isZero();
        assertThat(report).containsPattern(ALL_PASSED);
    }
}
