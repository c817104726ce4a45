// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import java.net.InetAddress;

/** Hears of both ends of each client connection's life, on the connection's event loop; must not block. */
public interface ConnectionListener {
    /**
     * Called once when it is known whose connection one is.
     *
     * @return how many that client holds now, this one included
     */
    int opened(InetAddress peer);

    /** Called once when a connection that was {@link #opened} is gone. */
    void closed(InetAddress peer);
}
