// SPDX-License-Identifier: Apache-2.0
package io.sallyport.autoconfigure;

import java.time.Duration;
import org.springframework.boot.web.server.context.WebServerApplicationContext;

/**
 * Waits, between a server's graceful shutdown and its stop, for the thread that did the former. Spring Boot's says that it is done
 * before it is, and a stop that comes in that moment waits for good until it begins: the process would not end.
 */
final class GracefulShutdownEnd extends ShutdownStep {
    private static final String THREAD = "netty-shutdown";

    /** One that still waits for requests goes on waiting, and is interrupted by the stop. */
    private static final Duration LONGEST = Duration.ofMillis(500);

    GracefulShutdownEnd() {
        super(WebServerApplicationContext.GRACEFUL_SHUTDOWN_PHASE - 1);
    }

    @Override
    void shutDown() {
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
