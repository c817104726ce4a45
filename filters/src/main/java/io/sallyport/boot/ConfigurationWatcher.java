// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import io.sallyport.compile.ConfigurationReloader;
import io.sallyport.compile.ConfigurationSource;
import org.springframework.context.SmartLifecycle;

/** Has the configuration read again whenever its source may say something new, from when the gateway has started until it stops. */
final class ConfigurationWatcher implements SmartLifecycle {
    private final ConfigurationSource source;
    private final ConfigurationReloader reloader;
    private volatile boolean running;

    ConfigurationWatcher(ConfigurationSource source, ConfigurationReloader reloader) {
        this.source = source;
        this.reloader = reloader;
    }

    @Override
    public void start() {
        running = true;
        source.follow(() -> {
            var _ = reloader.reload();
        });
    }

    @Override
    public void stop() {
        running = false;
        // Interrupts a reload that waits for key sets: it counts as refused, and nobody is there to see it.
        source.close();
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
