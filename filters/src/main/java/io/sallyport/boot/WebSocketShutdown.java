// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import io.sallyport.forward.UpstreamExchange;
import org.springframework.boot.web.server.context.WebServerApplicationContext;

/** Closes the WebSockets when the gateway stops: the listeners wait for what is under way, and these would not end by themselves. */
final class WebSocketShutdown extends ShutdownStep {
    private final UpstreamExchange exchange;

    WebSocketShutdown(UpstreamExchange exchange) {
        // That of the listeners: while they wait.
        super(WebServerApplicationContext.GRACEFUL_SHUTDOWN_PHASE);
        this.exchange = exchange;
    }

    @Override
    void shutDown() {
        exchange.closeWebSockets();
    }
}
