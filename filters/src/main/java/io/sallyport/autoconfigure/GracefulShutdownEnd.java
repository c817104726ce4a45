// SPDX-License-Identifier: Apache-2.0
package io.sallyport.autoconfigure;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.springframework.boot.web.server.context.WebServerApplicationContext;

/**
 * Waits, between a server's graceful shutdown and its stop, for what the server does not wait for.
 *
 * <p>For requests that are answered without it. And for the thread that did the former: Spring Boot's says that it is done before
 * it is, and a stop that comes in that moment waits for good until it begins: the process would not end.
 */
final class GracefulShutdownEnd extends ShutdownStep {
    private static final String THREAD = "netty-shutdown";

    /** One that still waits for requests goes on waiting, and is interrupted by the stop. */
    private static final Duration LONGEST = Duration.ofMillis(500);

    private static final Duration INTERVAL = Duration.ofMillis(10);

    private final BooleanSupplier answering;
    private final Duration grace;

    /**
     * @param answering whether there are such requests
     * @param grace the longest that they are waited for
     */
    GracefulShutdownEnd(BooleanSupplier answering, Duration grace) {
        super(WebServerApplicationContext.GRACEFUL_SHUTDOWN_PHASE - 1);
        this.answering = answering;
        this.grace = grace;
    }

    @Override
    void shutDown() {
        long deadline = System.nanoTime() + grace.toNanos();
        try {
            while (answering.getAsBoolean() && System.nanoTime() - deadline < 0) {
                Thread.sleep(INTERVAL);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (var thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals(THREAD)) {
                await(thread);
            }
        }
    }

    private static void await(Thread thread) {
        try {
            var _ = thread.join(LONGEST);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
