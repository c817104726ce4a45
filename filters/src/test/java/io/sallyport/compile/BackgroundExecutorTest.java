// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

final class BackgroundExecutorTest {
    private final BackgroundExecutor background = new BackgroundExecutor();

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "elsewhere a process is what has a priority")
    void a_task_stands_back_and_who_waits_for_it_does_not() {
        assertThat(BackgroundExecutor.compute(background, BackgroundExecutorTest::niceness))
                .isEqualTo(niceness() + 10);
    }

    @Test
    void what_a_task_throws_is_thrown_to_who_waits_for_it() {
        assertThatThrownBy(() -> BackgroundExecutor.compute(background, () -> {
                    throw new IllegalArgumentException("wrong");
                }))
                .isExactlyInstanceOf(IllegalArgumentException.class)
                .hasMessage("wrong");
    }

    /** Of the calling thread: the 19th field of proc(5), 17 behind the name, which may have spaces in it. */
    private static int niceness() {
        try {
            var stat = Files.readString(Path.of("/proc/thread-self/stat"));
            return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[16]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
