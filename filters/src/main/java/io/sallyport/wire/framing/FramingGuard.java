// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslHandler;
import io.sallyport.decision.Reason;
import io.sallyport.edge.HeadLimits;
import io.sallyport.forward.SwitchableConnection;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets the bytes of an HTTP/1.x connection pass unchanged as long as every reader of RFC 9112 finds the same requests in
 * them, and nothing of them from the first byte on that breaks this. Stands between TLS and the HTTP codec, one for each
 * connection; takes itself out where ALPN chose HTTP/2. HTTP/2 in plaintext does not get in: its preface is no request
 * line, neither as the first bytes nor after an {@code Upgrade}.
 *
 * <p>Whole requests before the refused one are passed on, the refused one is not completed: if its head was passed on
 * already, what reads its body must be aborted by the {@link Refusal}, never ended.
 */
public final class FramingGuard extends ChannelDuplexHandler implements SwitchableConnection {

    /** What happens to a connection whose bytes cannot be trusted any further. */
    @FunctionalInterface
    public interface Refusal {
        /**
         * Called at most once for a connection, on its event loop, after which the guard drops whatever else is read. The
         * callee answers (unless the answer to an earlier, pipelined request is still under way: two answers must not mix),
         * records, and closes the connection.
         *
         * @param context the guard's, from where an answer goes out as bytes
         * @param reason an {@code edge.*} reason of status 400, 414 or 431
         * @param bodyPhase whether the head of this message was passed on before: its exchange may be running and has to be
         *     aborted, so that what was read of the body never looks complete to the upstream. Also true for a body that
         *     ended with the connection; the channel is inactive then
         */
        void refuse(ChannelHandlerContext context, Reason reason, boolean bodyPhase);
    }

    private final FramingMachine machine;
    private final Refusal refusal;
    private final Consumer<Channel> http1;
    private final Consumer<ChannelHandlerContext> http2;
    private boolean protocolKnown;
    private boolean ended;

    /** Not null while nobody knows which protocol what comes next is in. */
    private @Nullable Runnable onWentOn;

    /**
     * @param limits what is counted here; the codec behind has to allow at least as much
     * @param http1 called where ALPN did not choose HTTP/2, before the first byte is passed on
     * @param http2 called where ALPN chose HTTP/2, before the first byte is passed on: puts other guards in this one's place
     */
    public FramingGuard(
            HeadLimits limits, Refusal refusal, Consumer<Channel> http1, Consumer<ChannelHandlerContext> http2) {
        this.machine = new FramingMachine(limits);
        this.refusal = refusal;
        this.http1 = http1;
        this.http2 = http2;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!(message instanceof ByteBuf bytes)) {
            context.fireChannelRead(message);
            return;
        }
        if (!protocolKnown) {
            protocolKnown = true;
            if (isHttp2(context)) {
                http2.accept(context);
                context.pipeline().remove(this);
                context.fireChannelRead(bytes);
                return;
            }
            http1.accept(context.channel());
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
        refusal.refuse(context, reason, machine.bodyWasUnderWay());
    }

    @Override
    public boolean awaitSwitch(Runnable wentOn) {
        if (ended || machine.wentOnAfterUpgrade()) {
            return false;
        }
        onWentOn = wentOn;
        return true;
    }

    @Override
    public void leaveHttp(Channel connection) {
        connection.pipeline().remove(this);
        connection.pipeline().remove(HeadDeadline.class);
    }

    /** Another number for each head that has begun and not ended; zero while there is none. */
    public int headUnderWay() {
        return ended ? 0 : machine.headUnderWay();
    }

    // Known by now: application data is not read before the handshake has ended.
    private static boolean isHttp2(ChannelHandlerContext context) {
        var tls = context.pipeline().get(SslHandler.class);
        return tls != null && ApplicationProtocolNames.HTTP_2.equals(tls.applicationProtocol());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (!ended && machine.isInBody()) {
            ended = true;
            refusal.refuse(context, Reason.EDGE_BODY_MALFORMED, true);
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
