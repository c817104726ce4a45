// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.sallyport.decision.Denial;
import io.sallyport.forward.upstream.ForwardFailure;

/**
 * The only way through which a response reaches a client, for one request of HTTP/1.1 or HTTP/2.
 *
 * <p>A forwarder ends the exchange exactly once: with an answer, a refusal, a failure or a switch of protocols. What it does after
 * the end has no effect, and neither has what it does after the client has left. Confined to {@link #eventLoop()}.
 */
public interface ClientExchange {
    /** The thread of everything about this request. */
    EventLoop eventLoop();

    /** Whether the client is known to have left; {@link Leave} may be told later. */
    boolean hasLeft();

    /** The request's body; {@link Body#NONE} if the head announces none. Asks the client for it if the client waits for that. */
    Body body();

    /** Says who is told when the client leaves before its answer is complete, or the wire has ended the exchange. */
    void onLeave(Leave leave);

    /**
     * Sends an interim response (RFC 9110 section 15.2), not 101. Does nothing if the client's protocol version knows none, or once
     * the final response has begun.
     */
    void interim(HttpResponseStatus status, HttpHeaders head);

    /**
     * Sends the final response.
     *
     * @param head the callee's from here on; framing is the callee's to add, except for {@code Content-Length}
     * @param body {@link Body#NONE} where the status or the method allows none. If the body fails, the client sees the response
     *     break off
     */
    void answer(HttpResponseStatus status, HttpHeaders head, Body body);

    /** Ends the exchange with a denial: as the response, or by breaking off the response that has begun. */
    void refuse(Denial denial);

    /** Ends the exchange as {@link #refuse} does: with the denial of a {@link ForwardFailure}, or as an unforeseen error. */
    void fail(Throwable why);

    /**
     * Announces that the request asks for another protocol. Until that is decided, no byte of the client is read.
     *
     * @param wentOn called once if the client sends anything all the same
     * @return false if it has sent something already, or the connection cannot change its protocol
     */
    boolean awaitSwitch(Runnable wentOn);

    /**
     * Sends 101 and hands the connection to the tunnel. The exchange lasts until the tunnel's end is told by {@link #tunnelClosed} or
     * {@link #fail}.
     */
    void switchProtocol(HttpHeaders head, Tunnel tunnel);

    /** The tunnel has been closed in order. */
    void tunnelClosed();

    /** Is told that nobody waits for the response any more. */
    @FunctionalInterface
    interface Leave {
        /** Called at most once, on the event loop. */
        void clientLeft();
    }
}
