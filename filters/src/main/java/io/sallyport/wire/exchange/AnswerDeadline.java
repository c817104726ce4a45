// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.util.AttributeKey;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/**
 * Ends a connection, or a stream of HTTP/2, whose client does not take what is sent to it: an answer that nobody reads holds its
 * memory and its upstream's connection for as long as the client likes (the "slow read" of slowhttptest; CVE-2019-9517 and a window
 * of zero on HTTP/2). While clients take what they get it costs an addition: there is a timer only while a flush left something.
 *
 * <p>Nearest to the socket, so that what is left here is what the kernel does not take; on a stream, what flow control holds back.
 */
@SuppressWarnings("FutureReturnValueIgnored") // promises are handed on, and their owners watch them
public final class AnswerDeadline extends ChannelDuplexHandler implements Runnable {
    private static final String NAME = "sallyport.answer-deadline";
    private static final AttributeKey<Boolean> PASSED = AttributeKey.valueOf(AnswerDeadline.class, "passed");

    /** Less than this within one time-out is no progress: one byte now and then is how a slow-read attack holds an answer. */
    private static final DataSize PROGRESS = DataSize.ofKilobytes(1);

    private final Channel channel;
    private final boolean stream;
    private final Duration timeout;

    private long written;
    private long takenBefore;
    private @Nullable Future<?> timer;

    private AnswerDeadline(Channel channel, boolean stream, Duration timeout) {
        this.channel = channel;
        this.stream = stream;
        this.timeout = timeout;
    }

    /** Watches a connection; before anything has been written to it. */
    public static void ofConnection(Channel connection, Duration timeout) {
        connection.pipeline().addFirst(NAME, new AnswerDeadline(connection, false, timeout));
    }

    /** Watches a stream of HTTP/2; before anything has been written to it. */
    public static void ofStream(Channel stream, Duration timeout) {
        stream.pipeline().addFirst(NAME, new AnswerDeadline(stream, true, timeout));
    }

    /** Whether the channel was closed here. */
    public static boolean hasPassed(Channel channel) {
        return channel.hasAttr(PASSED);
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (message instanceof ByteBuf bytes) {
            written += bytes.readableBytes();
        } else if (message instanceof ByteBufHolder frame) {
            written += frame.content().readableBytes();
        }
        context.write(message, promise);
    }

    @Override
    public void flush(ChannelHandlerContext context) {
        context.flush();
        if (timer == null && left() > 0) {
            schedule();
        }
    }

    private void schedule() {
        takenBefore = taken();
        timer = channel.eventLoop().schedule(this, timeout.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void run() {
        timer = null;
        if (left() <= 0 && channel.isWritable()) {
            return;
        }
        // A stream may be unwritable for its connection's sake, with little or nothing of its own left.
        if (left() <= 0 || taken() - takenBefore >= PROGRESS.toBytes()) {
            schedule();
            return;
        }
        channel.attr(PASSED).set(true);
        if (stream) {
            Abort.stream(channel);
        } else {
            Abort.connection(channel);
        }
    }

    private long taken() {
        return written - left();
    }

    /** Bytes that were written and are still here, give or take what Netty adds for each message. */
    private long left() {
        var marks = channel.config().getWriteBufferWaterMark();
        if (channel.isWritable()) {
            return marks.high() - channel.bytesBeforeUnwritable();
        }
        long aboveLow = channel.bytesBeforeWritable();
        return aboveLow == 0 ? 0 : marks.low() + aboveLow;
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        cancel();
        context.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        cancel();
    }

    private void cancel() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }
}
