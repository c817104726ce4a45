// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.forward.Tunnel;

/**
 * What carries an exchange: an HTTP/1.1 connection whose turn it is, or a stream of HTTP/2. Speaks Netty's HTTP messages. Confined to its
 * channel's event loop.
 */
public interface ClientConnection {
    /** From where the messages of a response are written. */
    ChannelHandlerContext context();

    /** Whether the final response may be framed by chunks and end with trailer fields: not in HTTP/1.0. */
    boolean knowsChunks();

    /**
     * The final response begins.
     *
     * @param head gets the field that says that the connection ends with it
     * @param unread whether nobody will read what is left of the request
     * @return whether {@link #finished} is to be called when the response has been written, and not before
     */
    boolean beginResponse(HttpHeaders head, boolean unread);

    /**
     * The exchange is over, its response complete: the next request may begin, or the connection ends.
     *
     * @param unread whether nobody will read what is left of the request
     */
    void finished(boolean unread);

    /** Ends a response so that nobody can take it for complete. */
    void abort();

    /** The exchange wants to read its request's body on, or not now. */
    void bodyWantedChanged();

    /** As {@link io.sallyport.forward.ClientExchange#awaitSwitch}. */
    boolean awaitSwitch(Runnable wentOn);

    /**
     * No byte is read as HTTP any more.
     *
     * @throws IllegalStateException if the connection cannot switch protocols
     */
    void leaveHttp(Tunnel tunnel);
}
