// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.support.StaticApplicationContext;

class GracefulShutdownEndTest {
    @Test
    void a_server_is_stopped_when_its_graceful_shutdown_has_ended_and_not_just_been_reported() throws Exception {
        var reported = new CountDownLatch(1);
        var shutdown = Thread.ofPlatform().name("netty-shutdown").start(() -> {
            reported.countDown();
            busyFor(100);
        });
        reported.await();

        new GracefulShutdownEnd(() -> {}, () -> false, Duration.ZERO).stop();

        assertThat(shutdown.isAlive()).isFalse();
    }

    @Test
    void one_that_waits_for_requests_is_left_to_the_stop() {
        var requests = new CountDownLatch(1);
        var shutdown = Thread.ofPlatform().daemon().name("netty-shutdown").start(() -> awaitQuietly(requests));

        new GracefulShutdownEnd(() -> {}, () -> false, Duration.ZERO).stop();

        assertThat(shutdown.isAlive()).isTrue();
        requests.countDown();
    }

    @Test
    void requests_that_the_server_does_not_know_of_are_waited_for() {
        var asked = new AtomicInteger();

        new GracefulShutdownEnd(() -> {}, () -> asked.incrementAndGet() < 5, Duration.ofMinutes(1)).stop();

        assertThat(asked).hasValue(5);
    }

    @Test
    void and_for_no_longer_than_the_grace() {
        var asked = new AtomicInteger();
        BooleanSupplier always = () -> {
            asked.incrementAndGet();
            return true;
        };

        new GracefulShutdownEnd(() -> {}, always, Duration.ofMillis(50)).stop();

        assertThat(asked).hasPositiveValue();
    }

    @Test
    void the_grace_is_counted_from_when_the_gateway_begins_to_stop() throws Exception {
        var asked = new AtomicInteger();
        BooleanSupplier always = () -> {
            asked.incrementAndGet();
            return true;
        };
        var step = new GracefulShutdownEnd(() -> {}, always, Duration.ofMillis(200));
        step.start();
        Thread.sleep(300);
        step.onApplicationEvent(new ContextClosedEvent(new StaticApplicationContext()));

        step.stop();

        assertThat(asked).hasValueGreaterThan(1);
    }

    @Test
    void it_comes_between_the_two() {
        assertThat(new GracefulShutdownEnd(() -> {}, () -> false, Duration.ZERO).getPhase())
                .isLessThan(WebServerApplicationContext.GRACEFUL_SHUTDOWN_PHASE)
                .isGreaterThan(WebServerApplicationContext.START_STOP_LIFECYCLE_PHASE);
    }

    private static void busyFor(int millis) {
        long end = System.nanoTime() + millis * 1_000_000L;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
