// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The WebSockets that are open, so that somebody can say to all of them that the gateway goes away. Safe for any thread. */
final class OpenWebSockets {
    private final Set<WebSocketTunnel> tunnels = ConcurrentHashMap.newKeySet();
    private volatile boolean goingAway;

    void add(WebSocketTunnel tunnel) {
        tunnels.add(tunnel);
        if (goingAway) {
            tunnel.goAway();
        }
    }

    void remove(WebSocketTunnel tunnel) {
        tunnels.remove(tunnel);
    }

    /** Closes them in order, and from now on every one that opens. */
    void goAway() {
        goingAway = true;
        tunnels.forEach(WebSocketTunnel::goAway);
    }
}
