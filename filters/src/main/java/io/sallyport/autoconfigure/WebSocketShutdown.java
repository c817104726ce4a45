// SPDX-License-Identifier: Apache-2.0
package io.sallyport.autoconfigure;

import io.sallyport.forward.UpstreamExchange;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.SmartLifecycle;

/** Closes the WebSockets when the gateway stops: the listeners wait for what is under way, and these would not end by themselves. */
final class WebSocketShutdown implements SmartLifecycle {
    private final UpstreamExchange exchange;
    private volatile boolean running;

    WebSocketShutdown(UpstreamExchange exchange) {
        this.exchange = exchange;
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        exchange.closeWebSockets();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** That of the listeners: while they wait. */
    @Override
    public int getPhase() {
        return WebServerApplicationContext.GRACEFUL_SHUTDOWN_PHASE;
    }
}
