// SPDX-License-Identifier: Apache-2.0
package io.sallyport.flood;

import io.sallyport.pipeline.ClientAddress;
import java.net.InetAddress;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How many connections each network holds open just now. The listener reports both ends of each connection's life; there is an
 * entry only for a network that holds one, so the listener's own limit on connections bounds the memory.
 */
public final class ConnectionCounts {
    private final ConcurrentHashMap<Long, Integer> open = new ConcurrentHashMap<>();

    /**
     * Called once when it is known whose connection one is. Any thread.
     *
     * @return how many the peer's network holds now
     */
    public int opened(InetAddress peer) {
        return open.merge(ClientAddress.networkOf(peer), 1, Integer::sum);
    }

    /** Called once when a connection that was {@link #opened} is gone. Any thread. */
    public void closed(InetAddress peer) {
        open.computeIfPresent(ClientAddress.networkOf(peer), (_, count) -> count == 1 ? null : count - 1);
    }

    /** How many connections the peer's network holds, from 0. */
    public int count(InetAddress peer) {
        var count = open.get(ClientAddress.networkOf(peer));
        return count == null ? 0 : count;
    }

    /** How many networks hold a connection. */
    int networks() {
        return open.size();
    }
}
