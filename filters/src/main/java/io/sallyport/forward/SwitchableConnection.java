// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.channel.Channel;
import io.netty.util.AttributeKey;

/**
 * What reads the bytes of a client's HTTP/1.1 connection before its codec, as far as it has to be told that the connection becomes
 * a WebSocket. Confined to the connection's event loop.
 */
public interface SwitchableConnection {
    /** Where a connection's own is found. */
    AttributeKey<SwitchableConnection> KEY = AttributeKey.valueOf(SwitchableConnection.class, "key");

    /**
     * The request that is being answered asks for another protocol: until that is decided no byte of the client is read as HTTP,
     * nor as anything else, for it could not be known which it is.
     *
     * @param wentOn called once if the client sends anything all the same
     * @return false if it has already, and the connection cannot become anything else
     */
    boolean awaitSwitch(Runnable wentOn);

    /** The switch has been announced to the client: no byte is read as HTTP any more. */
    void leaveHttp(Channel connection);
}
