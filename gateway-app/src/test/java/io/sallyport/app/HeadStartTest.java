// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class HeadStartTest {
    private final List<String> happened = new CopyOnWriteArrayList<>();

    @Test
    void it_runs_beside_who_began_it_and_is_done_when_awaited() {
        var begun = new CountDownLatch(1);

        var headStart = HeadStart.begin(List.of(() -> {
            uninterruptibly(begun);
            happened.add("step");
        }));
        happened.add("beside");
        begun.countDown();
        headStart.await();

        assertThat(happened).containsExactly("beside", "step");
    }

    @Test
    void a_step_that_fails_is_left_to_whoever_needs_it_and_the_next_is_taken() {
        var headStart = HeadStart.begin(List.of(
                () -> {
                    throw new UnsatisfiedLinkError("no such library");
                },
                () -> {
                    throw new IllegalStateException("self test failed");
                },
                () -> happened.add("next")));

        headStart.await();

        assertThat(happened).containsExactly("next");
    }

    private static void uninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
