// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameEncoder;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import reactor.netty.NettyPipeline;

/**
 * One of the two connections of a WebSocket, as the last of its handlers that has anything to say: nothing that is HTTP comes through
 * here any more, in either direction. Frames that arrive before there is a tunnel wait for it.
 *
 * <p>Confined to the channel's event loop, which is the same for both.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write that fails closes its channel, and that is seen here
final class WebSocketEnd extends ChannelDuplexHandler {
    private static final String DECODER = "sallyport.websocket-decoder";
    private static final String ENCODER = "sallyport.websocket-encoder";
    private static final String NAME = "sallyport.websocket";

    private final Channel channel;

    /** Frames that came before there was anybody to take them: what one read brought, for there is no other. */
    private final ArrayDeque<WebSocketFrame> early = new ArrayDeque<>(2);

    private @Nullable ChannelHandlerContext context;
    private @Nullable WebSocketTunnel tunnel;
    private @Nullable Throwable broken;
    private boolean closeReceived;
    private boolean closeSent;

    private WebSocketEnd(Channel channel) {
        this.channel = channel;
    }

    /** The connection to the upstream, whose answer said so at this moment: what follows it there are frames. */
    static WebSocketEnd ofUpstream(Channel channel, int maxFrame) {
        var end = install(channel, NettyPipeline.ReactiveBridge, false, maxFrame);
        // Passes on to the decoder what it has read and not understood: the frames that came with the answer.
        channel.pipeline().remove(NettyPipeline.HttpCodec);
        return end;
    }

    /**
     * The connection of the client, to whom the same has been written, and which nobody reads as HTTP any more.
     *
     * @param before the name of the handler in front of which it is put
     */
    static WebSocketEnd ofClient(Channel channel, String before, int maxFrame) {
        return install(channel, before, true, maxFrame);
    }

    /** @param fromClient whether what arrives has to be masked, and what is sent must not be; else the other way round */
    private static WebSocketEnd install(Channel channel, String before, boolean fromClient, int maxFrame) {
        // No further byte before somebody takes what it says.
        channel.config().setAutoRead(false);
        var config = WebSocketDecoderConfig.newBuilder()
                .expectMaskedFrames(fromClient)
                .allowMaskMismatch(false)
                .allowExtensions(false)
                .maxFramePayloadLength(maxFrame)
                .closeOnProtocolViolation(false)
                .build();
        var end = new WebSocketEnd(channel);
        channel.pipeline()
                .addBefore(before, DECODER, new WebSocket13FrameDecoder(config))
                .addBefore(before, ENCODER, new WebSocket13FrameEncoder(!fromClient))
                .addBefore(before, NAME, end);
        return end;
    }

    /** Hands over what has come, and is going to come. */
    void join(WebSocketTunnel joined) {
        tunnel = joined;
        for (var frame = early.pollFirst(); frame != null; frame = early.pollFirst()) {
            joined.arrived(this, frame);
        }
        if (broken != null) {
            joined.broke(this, broken);
        } else if (!channel.isActive()) {
            joined.gone(this);
        }
    }

    boolean isWritable() {
        return channel.isWritable();
    }

    /** Whether it is to be read. */
    void read(boolean wanted) {
        channel.config().setAutoRead(wanted);
    }

    /** Whether nothing more is to be said here: Close was, by both, or there is nobody. */
    boolean isClosed() {
        return (closeReceived && closeSent) || !channel.isActive();
    }

    /** Whether it was told Close, and has still to answer: a connection that is closed under that answer would be reset. */
    boolean isCloseAwaited() {
        return closeSent && !closeReceived && channel.isActive();
    }

    /** This side has said that it closes. */
    void closeReceived() {
        closeReceived = true;
    }

    /** @param frame the callee's from here on */
    void write(WebSocketFrame frame) {
        if (closeSent) {
            // RFC 6455 section 5.5.1: nothing follows it.
            frame.release();
            return;
        }
        closeSent = frame instanceof CloseWebSocketFrame;
        // From here: what is written behind this handler is not let through.
        var context = context();
        context.write(frame, context.voidPromise());
    }

    void flush() {
        context().flush();
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context, "not in a pipeline");
    }

    /** Says that the WebSocket is closed, unless that was said before. */
    void sayClose(WebSocketCloseStatus status) {
        // Without a reason: what the library would say is for nobody in particular.
        write(new CloseWebSocketFrame(status.code(), ""));
        flush();
    }

    /** Closes the connection behind what has been written. */
    void closeAfterAll() {
        context()
                .writeAndFlush(Unpooled.EMPTY_BUFFER)
                .addListener(_ -> context().close());
    }

    /** Closes the connection; without a Close frame before, that is how a WebSocket breaks off. */
    void close() {
        early.forEach(WebSocketFrame::release);
        early.clear();
        // From here: whoever stands behind this handler would take it for the stop of the gateway.
        context().close();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        this.context = context;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!(message instanceof WebSocketFrame frame)) {
            // The end of the HTTP message that made a WebSocket of it.
            ReferenceCountUtil.release(message);
        } else if (tunnel == null) {
            early.addLast(frame);
        } else {
            tunnel.arrived(this, frame);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (tunnel != null) {
            tunnel.readComplete(this);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (tunnel != null) {
            tunnel.writabilityChanged(this);
        }
        context.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (tunnel != null) {
            tunnel.gone(this);
        }
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (tunnel == null) {
            broken = cause;
        } else {
            tunnel.broke(this, cause);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        early.forEach(WebSocketFrame::release);
        early.clear();
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        // From behind here, where the HTTP server thinks that it has an answer to complete.
        ReferenceCountUtil.release(message);
        promise.trySuccess();
    }
}
