// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import org.springframework.context.SmartLifecycle;

/** Does something at one moment of the gateway's stop, and nothing before. */
abstract class ShutdownStep implements SmartLifecycle {
    private final int phase;
    private volatile boolean running;

    /** @param phase those of higher phases are stopped before */
    ShutdownStep(int phase) {
        this.phase = phase;
    }

    abstract void shutDown();

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        shutDown();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return phase;
    }
}
