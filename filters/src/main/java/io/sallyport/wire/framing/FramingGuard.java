// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.sallyport.decision.Reason;
import io.sallyport.edge.HeadLimits;
import org.jspecify.annotations.Nullable;

/**
 * Lets the bytes of an HTTP/1.x connection pass unchanged as long as every reader of RFC 9112 finds the same requests in
 * them, and nothing of them from the first byte on that breaks this. Stands between TLS and the HTTP codec, one for each
 * connection. HTTP/2 in plaintext does not get in: its preface is no request line, neither as the first bytes nor after an {@code
 * Upgrade}.
 *
 * <p>Whole requests before the refused one are passed on, the refused one is not completed: in its place comes {@link Malformed}. If its
 * head was passed on already, what reads its body must be aborted by that, never ended.
 */
public final class FramingGuard extends ChannelDuplexHandler {
    private final FramingMachine machine;
    private boolean ended;

    /** Not null while nobody knows which protocol what comes next is in. */
    private @Nullable Runnable onWentOn;

    /** @param limits what is counted here; the codec behind has to allow at least as much */
    public FramingGuard(HeadLimits limits) {
        this.machine = new FramingMachine(limits);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!(message instanceof ByteBuf bytes)) {
            context.fireChannelRead(message);
            return;
        }
        if (ended) {
            bytes.release();
            return;
        }
        if (onWentOn != null) {
            ended = true;
            bytes.release();
            onWentOn.run();
            return;
        }
        var reason = machine.feed(bytes);
        if (reason == null) {
            context.fireChannelRead(bytes);
            return;
        }
        ended = true;
        int complete = machine.completeBytes();
        if (complete > 0) {
            context.fireChannelRead(bytes.readRetainedSlice(complete));
        }
        bytes.release();
        context.fireChannelRead(new Malformed(reason, machine.bodyWasUnderWay()));
    }

    /**
     * The request that is being answered asks for another protocol: until that is decided no byte of the client is read as HTTP,
     * nor as anything else, for it could not be known which it is.
     *
     * @param requests the number of that request on this connection, from 1
     * @param wentOn called once if the client sends anything all the same
     * @return false if it has already, and the connection cannot become anything else
     */
    public boolean awaitSwitch(int requests, Runnable wentOn) {
        if (ended || !machine.isEndOf(requests)) {
            return false;
        }
        onWentOn = wentOn;
        return true;
    }

    /** Another number for each head that has begun and not ended; zero while there is none. */
    public int headUnderWay() {
        return ended ? 0 : machine.headUnderWay();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (!ended && machine.isInBody()) {
            ended = true;
            context.fireChannelRead(new Malformed(Reason.EDGE_BODY_MALFORMED, true));
        }
        context.fireChannelInactive();
    }

    /** The gateway closes: a body that is cut by that is not the client's doing. */
    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // it is the promise, which the caller watches
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        ended = true;
        context.close(promise);
    }
}
