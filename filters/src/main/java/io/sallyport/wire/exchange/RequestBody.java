// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.concurrent.Future;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.edge.BodyLimit;
import io.sallyport.forward.Body;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/**
 * A request's body on its way from the codec to its taker. Ends the exchange when the body grows past the route's limit, or stands still
 * while it is waited for. Counts what {@code Content-Length} announced and what it did not.
 *
 * <p>Until it has a taker, nothing is wanted; what the client sends all the same is held.
 *
 * <p>On HTTP/2 a body ends with its stream, whatever its {@code Content-Length} says, and may still turn out malformed when it is
 * as long as that: its last piece is held back until then, for an upstream would take it for the end.
 *
 * <p>Confined to the request's event loop.
 */
final class RequestBody implements Body, Runnable {
    static final Denial TOO_LARGE = new Denial.Rejected(Reason.EDGE_BODY_TOO_LARGE);
    private static final Denial TOO_LATE = new Denial.Rejected(Reason.EDGE_REQUEST_TIMEOUT);

    private static final long NEVER = -1;

    /** Less than this within one time-out is no progress: one byte now and then is how a slow-body attack holds a request. */
    private static final DataSize PROGRESS = DataSize.ofKilobytes(1);

    private static final DataSize ENOUGH = DataSize.ofKilobytes(64);

    private final Exchange exchange;
    private final EventLoop eventLoop;
    private final @Nullable Duration timeout;
    private final BodyLimit limit;
    private final long holdBackAt;

    /** What has arrived before there was a taker, or has to wait for the end. */
    private final ArrayDeque<ByteBuf> held = new ArrayDeque<>(2);

    private @Nullable Taker taker;
    private boolean wanted;
    private boolean arrived;
    private boolean over;
    private boolean tooLarge;
    private boolean judged;
    private long received;
    private long receivedBefore;
    private @Nullable Future<?> tick;

    /**
     * @param timeout null if the body may stand still for as long as the exchange lasts
     * @param http2 whether the stream's end decides where the body ends
     */
    RequestBody(
            Exchange exchange,
            EventLoop eventLoop,
            HttpHeaders head,
            BodyLimit limit,
            @Nullable Duration timeout,
            boolean http2) {
        this.exchange = exchange;
        this.eventLoop = eventLoop;
        this.timeout = timeout;
        this.limit = limit;
        var announced = head.get(HttpHeaderNames.CONTENT_LENGTH);
        long length = announced == null ? NEVER : Long.parseLong(announced);
        this.holdBackAt = http2 ? length : NEVER;
        this.tooLarge = length > limit.bytes();
    }

    /**
     * Whether it is known to be too large, now that every stage has passed. Until then nobody is told: who has no credential hears of that
     * first.
     */
    boolean isTooLarge() {
        judged = true;
        return tooLarge;
    }

    void begin() {
        if (timeout != null && !arrived && !over) {
            tick = eventLoop.schedule(this, timeout.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** Whether more is to be read from the client now. */
    boolean isWanted() {
        return wanted || arrived;
    }

    /** Whether so much waits for a taker that no more should be read. */
    boolean holdsTooMuch() {
        return taker == null && received > ENOUGH.toBytes();
    }

    /** Whether all of it has been read from the client. */
    boolean hasArrived() {
        return arrived;
    }

    @Override
    public void run() {
        // While nobody reads, because the upstream is slower than the client or not connected yet, the client is not to
        // blame.
        if (wanted && received - receivedBefore < PROGRESS.toBytes()) {
            exchange.refuse(TOO_LATE);
            return;
        }
        receivedBefore = received;
        begin();
    }

    /** @param content released here */
    void read(HttpContent content) {
        var bytes = content.content();
        received += bytes.readableBytes();
        if (over) {
            arrived |= content instanceof LastHttpContent;
            content.release();
        } else if (received > limit.bytes()) {
            content.release();
            tooLarge = true;
            if (judged) {
                exchange.refuse(TOO_LARGE);
            }
        } else {
            if (bytes.isReadable()) {
                add(bytes.retain());
            }
            var last = content instanceof LastHttpContent;
            content.release();
            if (last) {
                complete();
            }
        }
    }

    private void add(ByteBuf part) {
        if (taker == null || received == holdBackAt) {
            held.addLast(part);
        } else {
            taker.part(part);
        }
    }

    private void complete() {
        arrived = true;
        stopClock();
        if (taker != null) {
            pass(taker);
        }
    }

    private void pass(Taker to) {
        if (arrived || received != holdBackAt) {
            for (var part = held.pollFirst(); part != null && !over; part = held.pollFirst()) {
                to.part(part);
            }
        }
        if (arrived && !over) {
            over = true;
            to.end(EmptyHttpHeaders.INSTANCE);
        }
    }

    /** All that arrived together has been passed on. */
    void readComplete() {
        if (taker != null) {
            taker.pause();
        }
    }

    /** Nothing is passed on any more, and nothing watched. */
    void stop() {
        over = true;
        stopClock();
        for (var part = held.pollFirst(); part != null; part = held.pollFirst()) {
            part.release();
        }
    }

    private void stopClock() {
        if (tick != null) {
            tick.cancel(false);
            tick = null;
        }
    }

    @Override
    public @Nullable ByteBuf takeWhole(ByteBufAllocator allocator) {
        // Whoever forwards a body streams it.
        return null;
    }

    @Override
    public HttpHeaders trailers() {
        return EmptyHttpHeaders.INSTANCE;
    }

    @Override
    public void take(Taker taker) {
        this.taker = taker;
        exchange.bodyTaken();
        // Before anything is passed on: the taker may say at once that it wants no more.
        wanted = true;
        pass(taker);
        taker.pause();
        exchange.bodyWantedChanged();
    }

    @Override
    public void want(boolean more) {
        if (wanted != more && !over) {
            wanted = more;
            exchange.bodyWantedChanged();
        }
    }

    @Override
    public void discard() {
        stop();
    }
}
