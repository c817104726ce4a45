// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import io.sallyport.compile.InvalidConfiguration;
import org.springframework.boot.ExitCodeGenerator;

/** Has Spring Boot end the process with an exit code of its own if the configuration is not valid. */
final class RefusedStart extends InvalidConfiguration implements ExitCodeGenerator {
    private static final int EXIT_CODE = 2;

    private static final long serialVersionUID = 1L;

    RefusedStart(InvalidConfiguration cause) {
        super(cause);
    }

    @Override
    public int getExitCode() {
        return EXIT_CODE;
    }
}
