// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2Stream;
import io.sallyport.decision.Reason;
import io.sallyport.wire.shedding.LoopPace;
import java.util.Arrays;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;

/**
 * Ends an HTTP/2 connection for what its codec lets pass: floods of frames that bring nothing, and a second head on a stream that
 * has ended. And tells of the heads that the codec refuses, which nobody behind it hears of. Between TLS and the codec, in the
 * place that {@link FramingGuard} has on HTTP/1.1; what it passes on is unchanged.
 */
public final class Http2FrameGuard extends ChannelInboundHandlerAdapter {
    /** Why a connection is ended, as its GOAWAY says it. */
    private enum End {
        FLOOD(Http2Error.ENHANCE_YOUR_CALM, "too many frames without use"),
        MALFORMED(Http2Error.ENHANCE_YOUR_CALM, "too many malformed streams"),
        LATE(Http2Error.ENHANCE_YOUR_CALM, "a head that did not end"),
        STREAM_CLOSED(Http2Error.STREAM_CLOSED, "HEADERS on a closed stream");

        private final Http2Error error;
        private final String message;

        End(Http2Error error, String message) {
            this.error = error;
            this.message = message;
        }
    }

    /**
     * Each malformed stream is reset, and may cost its upstream a connection: MadeYouReset, CVE-2025-8671. More than none, for
     * one connection of a proxy carries the requests of many.
     */
    private static final int MALFORMED_AT_MOST = 100;

    /** As many streams as may be reset while frames for them are still on their way. */
    private static final int REMEMBERED = 128;

    private final Http2FrameCodec codec;
    private final BiConsumer<Channel, Reason> unread;
    private final LoopPace pace;
    private final Http2FrameMachine machine;
    private final Streams streams = new Streams();
    private int malformed;
    private boolean ended;
    private boolean recorded;

    /**
     * @param codec behind which the streams begin
     * @param unread records a request that nobody could read, and why
     * @param pace that of the connection's event loop
     * @param nanoTime a monotonic clock, in nanoseconds
     */
    public Http2FrameGuard(
            Http2FrameCodec codec, BiConsumer<Channel, Reason> unread, LoopPace pace, LongSupplier nanoTime) {
        this.codec = codec;
        this.unread = unread;
        this.pace = pace;
        this.machine = new Http2FrameMachine(nanoTime);
        codec.connection().addListener(streams);
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
        var met = machine.feed(bytes, bytes.readerIndex());
        while (met == Http2FrameMachine.Met.OLD_STREAM) {
            // The codec knows what has become of that stream, once it has read what came before.
            context.fireChannelRead(bytes.readRetainedSlice(machine.position() - bytes.readerIndex()));
            if (!streams.mayContinue(machine.stream())) {
                bytes.release();
                end(context, End.STREAM_CLOSED);
                return;
            }
            met = machine.feed(bytes, machine.position());
        }
        if (met == Http2FrameMachine.Met.FLOOD) {
            bytes.release();
            end(context, End.FLOOD);
            return;
        }
        context.fireChannelRead(bytes);
        recordRefusedHeads(context);
    }

    private void recordRefusedHeads(ChannelHandlerContext context) {
        if (machine.headUnderWay() != 0 || codec.connection().goAwaySent()) {
            return;
        }
        while (streams.begun < machine.heads()) {
            streams.begun++;
            streams.remember(machine.highestStream());
            refused(context);
        }
    }

    /** Records a head that is malformed; its stream is reset. */
    void refused(ChannelHandlerContext context) {
        unread.accept(context.channel(), Reason.EDGE_PROTOCOL_ERROR);
        countMalformed(context);
    }

    /** Ends the connection if this is one malformed stream too many. */
    void countMalformed(ChannelHandlerContext context) {
        if (++malformed > MALFORMED_AT_MOST && !ended) {
            end(context, End.MALFORMED);
        }
    }

    /** Another number for each head that has begun and not ended; zero while there is none. */
    public int headUnderWay() {
        return ended ? 0 : machine.headUnderWay();
    }

    /** Ends the connection for a head that did not come in. */
    public void endLate(ChannelHandlerContext context) {
        recorded = true;
        unread.accept(context.channel(), Reason.EDGE_REQUEST_TIMEOUT);
        end(context, End.LATE);
    }

    /** Records the error that ends the connection, once. */
    void recordEnd(ChannelHandlerContext context) {
        if (!recorded) {
            recorded = true;
            unread.accept(context.channel(), Reason.EDGE_PROTOCOL_ERROR);
        }
    }

    private void end(ChannelHandlerContext context, End end) {
        ended = true;
        codec.onError(context.pipeline().context(codec), false, new Http2Exception(end.error, end.message));
    }

    /** What the codec has made of the streams. */
    private final class Streams extends Http2ConnectionAdapter {
        private int begun;
        /** Made when the first is reset. */
        private int[] reset = {};

        private int resets;

        @Override
        public void onStreamAdded(Http2Stream stream) {
            begun++;
            pace.begun();
        }

        @Override
        public void onStreamRemoved(Http2Stream stream) {
            pace.ended();
            if (stream.isResetSent()) {
                remember(stream.id());
            }
        }

        private void remember(int stream) {
            if (reset.length == 0) {
                reset = new int[REMEMBERED];
            }
            reset[resets++ % REMEMBERED] = stream;
        }

        /** Whether the client has not ended it, as far as it may know: of a reset of ours it may not know yet. */
        private boolean mayContinue(int id) {
            var stream = codec.connection().stream(id);
            return stream == null
                    ? Arrays.stream(reset).anyMatch(known -> known == id)
                    : stream.isResetSent() || stream.state().remoteSideOpen();
        }
    }
}
