// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.http2;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2StreamFrameToHttpObjectCodec;
import io.sallyport.decision.Denial;
import io.sallyport.edge.HeadLimits;
import io.sallyport.forward.upstream.BatchedFlush;
import io.sallyport.wire.exchange.AnswerDeadline;
import io.sallyport.wire.exchange.IngressHandler;
import io.sallyport.wire.exchange.LingeringClose;
import io.sallyport.wire.framing.HeadDeadline;
import io.sallyport.wire.framing.Http2FrameGuard;
import io.sallyport.wire.framing.Http2MessageGuard;
import io.sallyport.wire.shedding.LoopPace;
import io.sallyport.wire.shedding.PacedReads;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One connection of HTTP/2: puts the codec and its guards together, and makes a {@link Http2ClientStream} of each stream. The last of the
 * connection's handlers. Confined to its event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // promises are handed on, and their owners watch them
public final class Http2ClientConnection extends ChannelOutboundHandlerAdapter {
    private static final int MAX_CONCURRENT_STREAMS = 100;

    /** Resets of one connection within the window: CVE-2023-44487 from the client, MadeYouReset (CVE-2025-55163) from us. */
    private static final int MAX_RESETS_BY_CLIENT = 200;

    // More, for a refused upload is one of them.
    private static final int MAX_RESETS_BY_US = 1_000;
    private static final int RESET_WINDOW_SECONDS = 30;

    /** By how much the codec allows more than we do; it counts 32 bytes more for each field (RFC 9113 section 6.5.2). */
    private static final int SLACK = 8 * 1024;

    private static final Http2StreamFrameToHttpObjectCodec MESSAGES = new Http2StreamFrameToHttpObjectCodec(true, true);

    private final IngressHandler handler;
    private final Duration answerTimeout;

    /** The streams that are open, linked in the order in which they were opened, newest first. */
    private @Nullable Http2ClientStream newest;

    @SuppressWarnings("NullAway.Init") // set before anything is read
    private Http2FrameGuard frames;

    @SuppressWarnings("NullAway.Init") // set before anything is read
    private Http2FrameCodec codec;

    private Http2ClientConnection(IngressHandler handler, Duration answerTimeout) {
        this.handler = handler;
        this.answerTimeout = answerTimeout;
    }

    /**
     * Puts all that reads HTTP/2 where the decrypted bytes of a new connection arrive. On its event loop, before anything is read.
     *
     * @param before the name of the handler in front of which they go, behind TLS
     * @param headTimeout within which a head has to arrive
     * @param answerTimeout within which a client has to take some of an answer
     */
    public static Http2ClientConnection install(
            ChannelPipeline pipeline,
            String before,
            IngressHandler handler,
            HeadLimits limits,
            Duration headTimeout,
            Duration answerTimeout) {
        var connection = new Http2ClientConnection(handler, answerTimeout);
        var codec = Http2FrameCodecBuilder.forServer()
                .validateHeaders(true)
                .initialSettings(Http2Settings.defaultSettings()
                        .maxConcurrentStreams(MAX_CONCURRENT_STREAMS)
                        .maxHeaderListSize(limits.maxHeaders() + SLACK))
                .gracefulShutdownTimeoutMillis(handler.shutdownGrace().toMillis())
                .decoderEnforceMaxRstFramesPerWindow(MAX_RESETS_BY_CLIENT, RESET_WINDOW_SECONDS)
                .encoderEnforceMaxRstFramesPerWindow(MAX_RESETS_BY_US, RESET_WINDOW_SECONDS)
                .build();
        var pace = LoopPace.of(pipeline.channel().eventLoop());
        var frames = new Http2FrameGuard(
                codec,
                (channel, reason) -> handler.recordUnread(new Denial.Rejected(reason), channel, true),
                pace,
                System::nanoTime);
        var headDeadline = new HeadDeadline(frames::headUnderWay, headTimeout, frames::endLate);
        connection.codec = codec;
        connection.frames = frames;
        pipeline.addBefore(before, "sallyport.paced-reads", new PacedReads(pace, headDeadline::pause))
                .addBefore(before, "sallyport.http2-frame-guard", frames)
                .addBefore(before, "sallyport.head-deadline", headDeadline)
                .addBefore(before, "sallyport.http2-codec", codec)
                .addBefore(before, "sallyport.batched-flush", new BatchedFlush())
                .addBefore(before, "sallyport.http2-message-guard", new Http2MessageGuard(frames))
                .addBefore(before, "sallyport.http2-streams", new Http2MultiplexHandler(connection.streams()))
                .addBefore(before, "sallyport.http2", connection);
        // Clients send on all streams at once: there is hardly an end of the connection with nothing on its way.
        LingeringClose.arm(pipeline.channel());
        return connection;
    }

    private ChannelInitializer<Channel> streams() {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel stream) {
                stream.pipeline().addLast(MESSAGES).addLast(new Http2ClientStream(Http2ClientConnection.this, handler));
                AnswerDeadline.ofStream(stream, answerTimeout);
            }
        };
    }

    /** Whether a request is coming in or being answered. */
    public boolean isBusy() {
        return frames.headUnderWay() != 0 || codec.connection().numActiveStreams() > 0;
    }

    void opened(Http2ClientStream stream) {
        stream.older = newest;
        if (newest != null) {
            newest.newer = stream;
        }
        newest = stream;
    }

    void closed(Http2ClientStream stream) {
        if (stream.newer != null) {
            stream.newer.older = stream.older;
        } else if (newest == stream) {
            newest = stream.older;
        }
        if (stream.older != null) {
            stream.older.newer = stream.newer;
        }
        stream.newer = null;
        stream.older = null;
    }

    /** The gateway stops: says so first (GOAWAY), and then ends what would last. The connection ends with its last stream. */
    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        context.close(promise);
        for (var stream = newest; stream != null; stream = stream.older) {
            stream.goAway();
        }
    }
}
