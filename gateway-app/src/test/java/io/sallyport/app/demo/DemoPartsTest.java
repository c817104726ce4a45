// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.compile.ConfigurationCheck;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;

class DemoPartsTest {
    @Test
    void the_configuration_that_is_written_for_the_gateway_is_valid_and_complete() throws Exception {
        try (var directory = DemoDirectory.create();
                var parts = DemoParts.start(
                        directory.path(), DemoParts.Layout.onLoopback(FreePort.find()), InstantSource.system())) {
            assertThat(ConfigurationCheck.check(parts.configuration())).isEmpty();
            assertThat(Files.readString(parts.configuration()))
                    .contains(parts.issuer().issuer().toString(), DemoParts.PAYMENTS_ID.toString())
                    .doesNotContain("${");
        }
    }

    @Test
    void the_directory_is_for_its_owner_alone_and_gone_afterwards() throws Exception {
        Path path;
        try (var directory = DemoDirectory.create()) {
            path = directory.path();
            Files.createFile(Files.createDirectory(path.resolve("sub")).resolve("file"));

            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                    .isEqualTo("rwx------");
        }
        assertThat(path).doesNotExist();
    }
}
