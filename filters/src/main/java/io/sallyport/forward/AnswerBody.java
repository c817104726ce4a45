// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The body of an upstream's answer. Until it has a taker, what arrives is held; beyond {@link #ENOUGH} bytes no more is read.
 *
 * <p>Confined to the request's event loop.
 */
final class AnswerBody implements Body {
    /** Bytes. */
    private static final int ENOUGH = 64 * 1024;

    private final Attempt attempt;
    private final ArrayDeque<ByteBuf> parts = new ArrayDeque<>(2);
    private HttpHeaders trailers = EmptyHttpHeaders.INSTANCE;
    private long held;
    private boolean wanted = true;
    private boolean complete;
    private boolean over;
    private @Nullable Throwable failure;
    private @Nullable Taker taker;

    AnswerBody(Attempt attempt) {
        this.attempt = attempt;
    }

    @Override
    public @Nullable ByteBuf takeWhole(ByteBufAllocator allocator) {
        if (!complete || over) {
            return null;
        }
        over = true;
        var first = parts.pollFirst();
        if (first == null || parts.isEmpty()) {
            return first == null ? Unpooled.EMPTY_BUFFER : first;
        }
        var whole = allocator.compositeBuffer(parts.size() + 1).addComponent(true, first);
        for (var part = parts.pollFirst(); part != null; part = parts.pollFirst()) {
            whole.addComponent(true, part);
        }
        return whole;
    }

    @Override
    public HttpHeaders trailers() {
        return trailers;
    }

    @Override
    public void take(Taker taker) {
        this.taker = taker;
        for (var part = parts.pollFirst(); part != null && !over; part = parts.pollFirst()) {
            taker.part(part);
        }
        if (over) {
            return;
        }
        if (failure != null) {
            fail(failure);
        } else if (complete) {
            complete(trailers);
        } else if (held > ENOUGH && wanted) {
            attempt.resume();
        }
    }

    @Override
    public void want(boolean more) {
        wanted = more;
        if (over || complete) {
            return;
        }
        if (more) {
            attempt.resume();
        } else {
            attempt.pause();
        }
    }

    @Override
    public void discard() {
        drop();
        attempt.clientLeft();
    }

    void add(ByteBuf part) {
        if (over) {
            part.release();
        } else if (taker != null) {
            taker.part(part);
        } else {
            parts.addLast(part);
            held += part.readableBytes();
            if (held > ENOUGH) {
                attempt.pauseUntilTaken();
            }
        }
    }

    void readComplete() {
        if (taker != null && !over) {
            taker.pause();
        }
    }

    void complete(HttpHeaders trailers) {
        this.trailers = trailers;
        complete = true;
        if (taker != null && !over) {
            over = true;
            taker.end(trailers);
        }
    }

    /** @param failure what the taker gets in place of the rest */
    void fail(Throwable failure) {
        this.failure = failure;
        if (taker != null && !over) {
            over = true;
            taker.failed(failure);
        }
    }

    /** Nobody takes what is left of it. */
    void drop() {
        over = true;
        for (var part = parts.pollFirst(); part != null; part = parts.pollFirst()) {
            part.release();
        }
    }
}
