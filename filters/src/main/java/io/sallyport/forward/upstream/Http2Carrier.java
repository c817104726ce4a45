// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.codec.http2.DefaultHttp2WindowUpdateFrame;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2FrameStreamEvent;
import io.netty.handler.codec.http2.Http2FrameStreamException;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2SettingsFrame;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.AsciiString;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.io.EOFException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.netty.NettyPipeline;

/**
 * One connection of HTTP/2 to an upstream, between the codec and what makes a channel of each stream. Carries many requests, each
 * on a stream that is an {@link UpstreamConnection} of its own, and holds what concerns them all:
 *
 * <ul>
 *   <li>Nothing is sent to an upstream that has not agreed to HTTP/2, and no request before its settings are known.
 *   <li>There are no more streams at a time than the upstream allows, nor more than {@link #MOST_STREAMS}; none is begun after it
 *       has said GOAWAY. One that is not read holds up no other: the connection's window has room for all of theirs.
 *   <li>Where many requests were given up, no new one is begun: upstreams end connections that reset streams without end
 *       (CVE-2023-44487), and a client that does so on purpose must not end those of others.
 *   <li>An upstream that sends frames which bring nothing, more than it has reason to, loses the connection.
 * </ul>
 *
 * <p>Confined to the channel's event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write that fails closes its channel, and that is seen here
final class Http2Carrier extends ChannelDuplexHandler implements Retirable {
    /** At a time. */
    static final int MOST_STREAMS = 100;

    /** Bytes that may come on a stream before somebody takes them. */
    private static final int STREAM_WINDOW = 64 * 1024;

    private static final int MAX_ANSWER_HEADERS = 64 * 1024;

    private static final FieldNames SECRETS =
            FieldNames.of("authorization", "cookie", "txn-token", "x-sallyport-assertion");

    /** Half of what servers built on Netty take within 30 s. */
    private static final int MOST_RESETS = 100;

    /** Frames without use that may come within a period, beside those that heads and pieces of bodies in both directions make good. */
    private static final int MOST_USELESS = 1_000;

    private static final long PERIOD = Duration.ofSeconds(10).toNanos();

    private final Http2Connection streams;
    private final AsciiString scheme;

    private @Nullable ChannelHandlerContext context;
    private @Nullable Http2Pool pool;
    private @Nullable Future<?> silence;
    private @Nullable Throwable cause;
    private boolean ready;
    private boolean retired;
    private boolean used;
    private int underWay;
    private int resets;
    private int useless;
    private long periodBegan;
    private long connectedAt;
    private long idleSince;

    private Http2Carrier(Http2Connection streams, AsciiString scheme) {
        this.streams = streams;
        this.scheme = scheme;
    }

    /** Puts all of it where the bytes of a new channel arrive. */
    static void install(ChannelPipeline pipeline, boolean tls) {
        var settings = Http2Settings.defaultSettings()
                .pushEnabled(false)
                .initialWindowSize(STREAM_WINDOW)
                .maxHeaderListSize(MAX_ANSWER_HEADERS);
        var codec = Http2FrameCodecBuilder.forClient()
                .initialSettings(settings)
                .validateHeaders(true)
                // Never in the table that the heads of all clients share: its hits can be told by their length.
                .headerSensitivityDetector((name, _) -> SECRETS.contains(name))
                // Who closes a connection means it; who does not retires it.
                .gracefulShutdownTimeoutMillis(0)
                .build();
        if (tls) {
            pipeline.addBefore(NettyPipeline.ReactiveBridge, "sallyport.h2-agreed", new Agreement());
        }
        pipeline.addBefore(NettyPipeline.ReactiveBridge, NettyPipeline.HttpCodec, codec)
                .addBefore(NettyPipeline.ReactiveBridge, "sallyport.batched-flush", new BatchedFlush())
                .addBefore(
                        NettyPipeline.ReactiveBridge,
                        NAME,
                        new Http2Carrier(codec.connection(), AsciiString.cached(tls ? "https" : "http")))
                .addBefore(
                        NettyPipeline.ReactiveBridge,
                        NettyPipeline.H2MultiplexHandler,
                        new Http2MultiplexHandler(new Unasked()));
    }

    /** That of a channel which has been connected and verified; null if it is gone already. */
    static @Nullable Http2Carrier on(Channel channel) {
        return channel.pipeline().get(NAME) instanceof Http2Carrier carrier ? carrier : null;
    }

    /**
     * The connection is made.
     *
     * @param pool told when the upstream has sent its settings, of each room for another stream, and of the end
     * @param patience how long the settings may take
     */
    void connected(Http2Pool pool, Duration patience) {
        this.pool = pool;
        connectedAt = System.nanoTime();
        idleSince = connectedAt;
        periodBegan = connectedAt;
        var context = context();
        silence = context.executor()
                .schedule(
                        () -> fail(new ConnectTimeoutException("no settings for " + patience)),
                        patience.toNanos(),
                        TimeUnit.NANOSECONDS);
        channel().config().setAutoRead(true);
        context.writeAndFlush(
                new DefaultHttp2WindowUpdateFrame(MOST_STREAMS * STREAM_WINDOW - Http2CodecUtil.DEFAULT_WINDOW_SIZE));
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context, "not in a pipeline");
    }

    private Channel channel() {
        return context().channel();
    }

    /** How many streams there may be at a time. */
    int limit() {
        return Math.min(MOST_STREAMS, streams.local().maxActiveStreams());
    }

    /** Whether another request can be sent on it. */
    boolean hasRoom() {
        // A stream that was reset is one of the upstream's until the reset has left.
        return ready && !retired && channel().isActive() && Math.max(underWay, streams.numActiveStreams()) < limit();
    }

    /** Whether it has been connected since then. */
    boolean isMadeSince(long nanoTime) {
        return connectedAt - nanoTime >= 0;
    }

    /** Whether it ought not to be used again, or has not been for long. */
    boolean isOld(long maxIdle, long maxLife) {
        long now = System.nanoTime();
        return now - connectedAt > maxLife || (underWay == 0 && now - idleSince > maxIdle);
    }

    /** A stream for one request, where there is room; null if the connection has just ended. */
    @Nullable
    UpstreamConnection open(Http2Pool pool) {
        var opened = new Http2StreamChannelBootstrap(channel()).open();
        if (!opened.isSuccess()) {
            return null;
        }
        var stream = opened.getNow();
        var codec = new Http2AnswerCodec(this);
        var connection = UpstreamConnection.ofStream(codec, !used);
        used = true;
        underWay++;
        stream.pipeline().addLast(codec).addLast(NAME, connection);
        stream.closeFuture().addListener(_ -> streamClosed());
        connection.connected(pool);
        return connection;
    }

    private void streamClosed() {
        underWay--;
        idleSince = System.nanoTime();
        if (retired && underWay == 0) {
            context().close();
        } else {
            tellRoom();
        }
    }

    private void tellRoom() {
        if (pool != null && ready) {
            pool.mayHaveRoom();
        }
    }

    /** {@code http} or {@code https}. */
    AsciiString scheme() {
        return scheme;
    }

    /** Why the connection ended under its streams; null if nobody said. */
    @Nullable
    Throwable cause() {
        return cause;
    }

    @Override
    public void retire() {
        retired = true;
        if (underWay == 0 && context != null) {
            context.close();
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        this.context = context;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        switch (message) {
            case Http2DataFrame _ -> pass(context, message, -1);
            case Http2HeadersFrame _ -> pass(context, message, -1);
            case Http2ResetFrame _ -> pass(context, message, 1);
            case Http2GoAwayFrame _ -> {
                drop(message);
                retire();
            }
            case Http2SettingsFrame _ -> {
                drop(message);
                settled();
            }
            default -> drop(message);
        }
    }

    private void pass(ChannelHandlerContext context, Object message, int cost) {
        count(cost);
        context.fireChannelRead(message);
    }

    /** The codec has done what there is to do; what is not flow-controlled must not wait for whoever reads a stream. */
    private void drop(Object message) {
        ReferenceCountUtil.release(message);
        count(1);
    }

    private void count(int cost) {
        useless = Math.max(0, useless + cost);
        if (useless <= MOST_USELESS) {
            return;
        }
        long now = System.nanoTime();
        if (now - periodBegan < PERIOD) {
            fail(new UpstreamProtocolError("too many frames without use"));
        }
        periodBegan = now;
        useless = 0;
    }

    private void settled() {
        if (silence != null) {
            silence.cancel(false);
        }
        if (!ready && pool != null && channel().isActive()) {
            ready = true;
            pool.ready(this);
        } else {
            tellRoom();
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        switch (message) {
            case Http2DataFrame _ -> count(-1);
            case Http2HeadersFrame _ -> count(-1);
            case Http2ResetFrame _ -> {
                if (++resets > MOST_RESETS) {
                    retired = true;
                }
            }
            default -> {}
        }
        context.write(message, promise);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        context.fireUserEventTriggered(event);
        if (event instanceof Http2FrameStreamEvent) {
            tellRoom();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable problem) {
        switch (problem) {
            // One stream's.
            case Http2FrameStreamException _ -> context.fireExceptionCaught(problem);
            // The codec ends the connection.
            case Http2Exception _ -> cause = UpstreamProtocolError.of(problem);
            default -> {
                if (pool == null) {
                    // Still connecting.
                    context.fireExceptionCaught(problem);
                } else {
                    fail(problem);
                }
            }
        }
    }

    private void fail(Throwable why) {
        retired = true;
        if (cause == null) {
            cause = why;
        }
        context().close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (silence != null) {
            silence.cancel(false);
        }
        if (pool != null) {
            pool.ended(this, ready, cause == null ? new EOFException("the connection ended without settings") : cause);
        }
        context.fireChannelInactive();
    }

    /** Keeps the codec from a connection on which HTTP/2 was not agreed on: it would begin to speak. */
    private static final class Agreement extends ChannelInboundHandlerAdapter {
        @Override
        public void channelActive(ChannelHandlerContext context) {
            var tls = context.pipeline().get(SslHandler.class);
            if (tls != null && ApplicationProtocolNames.HTTP_2.equals(tls.applicationProtocol())) {
                context.fireChannelActive();
                return;
            }
            context.fireExceptionCaught(new UpstreamProtocolError("the upstream did not agree to h2 (ALPN)"));
            context.close();
        }
    }

    /** Of streams that an upstream begins there are none: it may not push. */
    private static final class Unasked extends ChannelInitializer<Channel> {
        @Override
        protected void initChannel(Channel stream) {
            throw new IllegalStateException("a stream of the upstream's own: " + stream);
        }
    }
}
