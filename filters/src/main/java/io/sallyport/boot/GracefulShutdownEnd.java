// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.event.ContextClosedEvent;

/**
 * Waits, between a server's graceful shutdown and its stop, for what the server does not wait for.
 *
 * <p>For requests that are answered without it. And for the thread that did the former: Spring Boot's says that it is done before
 * it is, and a stop that comes in that moment waits for good until it begins: the process would not end.
 */
final class GracefulShutdownEnd extends ShutdownStep implements ApplicationListener<ContextClosedEvent> {
    private static final String THREAD = "netty-shutdown";

    /** One that still waits for requests goes on waiting, and is interrupted by the stop. */
    private static final Duration LONGEST = Duration.ofMillis(500);

    private static final Duration INTERVAL = Duration.ofMillis(10);

    private final Runnable drain;
    private final BooleanSupplier answering;
    private final Duration grace;

    /** Nanoseconds at which the gateway began to stop. */
    private volatile long began = System.nanoTime();

    /**
     * @param drain told when the gateway begins to stop
     * @param answering whether there are such requests
     * @param grace the longest that they are waited for, from when the gateway begins to stop: the listeners wait within it too
     */
    GracefulShutdownEnd(Runnable drain, BooleanSupplier answering, Duration grace) {
        super(WebServerApplicationContext.GRACEFUL_SHUTDOWN_PHASE - 1);
        this.drain = drain;
        this.answering = answering;
        this.grace = grace;
    }

    @Override
    public void onApplicationEvent(ContextClosedEvent closed) {
        if (isRunning()) {
            began = System.nanoTime();
            drain.run();
        }
    }

    @Override
    void shutDown() {
        try {
            while (answering.getAsBoolean() && System.nanoTime() - began < grace.toNanos()) {
                Thread.sleep(INTERVAL);
            }
            for (var thread : Thread.getAllStackTraces().keySet()) {
                if (thread.getName().equals(THREAD)) {
                    var _ = thread.join(LONGEST);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
