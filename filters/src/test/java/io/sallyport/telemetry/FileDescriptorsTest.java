// SPDX-License-Identifier: Apache-2.0
package io.sallyport.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class FileDescriptorsTest {
    private long open;

    @Test
    void each_change_of_how_many_are_left_is_logged_once() {
        var descriptors = new FileDescriptors(() -> open, 100);
        try (var logged = Logged.of(FileDescriptors.class)) {
            for (long now : new long[] {10, 90, 95, 100, 100, 20, 30}) {
                open = now;
                descriptors.look();
            }

            assertThat(logged.lines()).hasSize(3);
            assertThat(logged.lines().get(0)).startsWith("WARN nearly out of file descriptors");
            assertThat(logged.lines().get(1)).startsWith("ERROR out of file descriptors");
            assertThat(logged.lines().get(2)).startsWith("INFO there are file descriptors again");
        }
    }

    @Test
    void that_they_cannot_be_counted_means_that_there_is_none() {
        var descriptors = new FileDescriptors(
                () -> {
                    throw new InternalError("Unable to open directory /proc/self/fd");
                },
                100);

        descriptors.look();

        assertThat(descriptors.state().level()).isEqualTo(FileDescriptors.Level.NONE);
    }

    @Test
    void those_of_this_process_are_counted() {
        var descriptors = FileDescriptors.ofThisProcess();

        descriptors.look();

        assertThat(descriptors.state().open()).isPositive();
        assertThat(descriptors.state().level()).isEqualTo(FileDescriptors.Level.ENOUGH);
    }
}
