// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * The body of an answer, as it arrives and as somebody takes it: whole, if all of it has come, or part by part at the taker's pace.
 * What has come and not been taken is held here, and beyond {@link #ENOUGH} nothing more is read.
 *
 * <p>A subscriber gets each part as its own, and asks and cancels on whatever thread. All else on the request's event loop.
 */
final class AnswerBody extends Flux<ByteBuf> implements Subscription {
    /** Bytes. */
    private static final int ENOUGH = 64 * 1024;

    private final UpstreamExchange.Attempt attempt;
    private final EventLoop eventLoop;
    private final ArrayDeque<ByteBuf> parts = new ArrayDeque<>(2);
    private HttpHeaders trailers = EmptyHttpHeaders.INSTANCE;
    private long held;
    private boolean paused;
    private boolean complete;
    private boolean over;
    private boolean taken;
    private @Nullable Throwable failure;

    private @Nullable CoreSubscriber<? super ByteBuf> taker;
    private long wanted;
    private boolean passing;

    AnswerBody(UpstreamExchange.Attempt attempt, EventLoop eventLoop) {
        this.attempt = attempt;
        this.eventLoop = eventLoop;
    }

    /** Whether all of it is here. */
    boolean isComplete() {
        return complete;
    }

    /** Whether somebody has got all of it. */
    boolean isTaken() {
        return taken;
    }

    /** Of a complete body; empty if there are none. */
    HttpHeaders trailers() {
        return trailers;
    }

    /** Takes all of a complete body; the caller's from here on. */
    ByteBuf takeWhole(ByteBufAllocator allocator) {
        over = true;
        taken = true;
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

    void add(ByteBuf part) {
        if (over) {
            part.release();
            return;
        }
        parts.addLast(part);
        held += part.readableBytes();
        pass();
        if (held > ENOUGH && !paused) {
            paused = true;
            attempt.pause();
        }
    }

    void complete(HttpHeaders trailers) {
        this.trailers = trailers;
        complete = true;
        resume();
        pass();
    }

    /** @param failure what the subscriber gets in place of the rest */
    void fail(Throwable failure) {
        this.failure = failure;
        drop();
        pass();
    }

    @Override
    public void subscribe(CoreSubscriber<? super ByteBuf> taker) {
        if (this.taker != null || over) {
            Operators.error(taker, new IllegalStateException("the answer's body is taken once"));
            return;
        }
        this.taker = taker;
        taker.onSubscribe(this);
    }

    @Override
    public void request(long n) {
        if (!eventLoop.inEventLoop()) {
            eventLoop.execute(() -> request(n));
        } else if (Operators.validate(n)) {
            wanted = Operators.addCap(wanted, n);
            pass();
        }
    }

    @Override
    public void cancel() {
        if (!eventLoop.inEventLoop()) {
            eventLoop.execute(this::cancel);
        } else {
            discard();
            attempt.cancel();
        }
    }

    /** Nobody takes what is left of it. */
    void discard() {
        over = true;
        drop();
    }

    private void pass() {
        if (taker == null || passing) {
            return;
        }
        passing = true;
        while (!over && wanted > 0 && !parts.isEmpty()) {
            var part = parts.removeFirst();
            held -= part.readableBytes();
            wanted--;
            taker.onNext(part);
        }
        passing = false;
        if (over) {
            return;
        }
        if (failure != null) {
            over = true;
            taker.onError(failure);
        } else if (complete && parts.isEmpty()) {
            over = true;
            taken = true;
            taker.onComplete();
        } else if (parts.isEmpty()) {
            resume();
        }
    }

    private void resume() {
        if (paused) {
            paused = false;
            attempt.resume();
        }
    }

    private void drop() {
        for (var part = parts.pollFirst(); part != null; part = parts.pollFirst()) {
            part.release();
        }
        held = 0;
    }
}
