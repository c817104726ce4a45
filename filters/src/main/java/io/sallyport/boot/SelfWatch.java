// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/** Has those looked once a second who log what no request and no file tells of, on a thread of its own. */
final class SelfWatch implements SmartLifecycle {
    private static final Logger log = LoggerFactory.getLogger(SelfWatch.class);

    private final List<Runnable> looks;
    private @Nullable ScheduledExecutorService timer;

    SelfWatch(List<Runnable> looks) {
        this.looks = List.copyOf(looks);
    }

    @Override
    public synchronized void start() {
        timer = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("sallyport-self-watch").factory());
        var _ = timer.scheduleWithFixedDelay(this::look, 1, 1, TimeUnit.SECONDS);
    }

    private void look() {
        for (var look : looks) {
            try {
                look.run();
            } catch (RuntimeException e) {
                log.atError().setCause(e).log("looking after the process failed");
            }
        }
    }

    @Override
    public synchronized void stop() {
        if (timer != null) {
            timer.shutdownNow();
            timer = null;
        }
    }

    @Override
    public synchronized boolean isRunning() {
        return timer != null;
    }
}
