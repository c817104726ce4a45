// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.channel.Channel;

/** What takes over a client's connection when its protocol changes. Called on the connection's event loop. */
public interface Tunnel {
    /**
     * The 101 has been written, and no handler of HTTP reads the connection any more. Nothing is read until the callee asks for it.
     *
     * @param before the name of the handler in front of which the tunnel's handlers go; it stays, as the exchange's own
     */
    void begin(Channel client, String before);

    /** The gateway stops: end in order. */
    void goAway();
}
