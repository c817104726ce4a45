// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.LastHttpContent;
import io.sallyport.forward.Body;
import org.jspecify.annotations.Nullable;

/**
 * Writes the body of an answer behind its head, at the client's pace: no more of it is held here than the client's high-water mark
 * and what the upstream may send ahead.
 *
 * <p>On the client's event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write fails with its connection, whose end is noticed elsewhere
final class AnswerWriter implements Body.Taker {
    private final Exchange exchange;
    private final ChannelHandlerContext client;
    private final Body body;
    private final boolean withTrailers;
    private final @Nullable EventBoundary events;
    private boolean waiting;

    /** The exchange ends as soon as the stream can be ended in order. */
    private boolean ending;

    /**
     * @param withTrailers whether the client accepts trailer fields
     * @param events follows a stream of server-sent events; null if the body is none, or has a length
     */
    AnswerWriter(
            Exchange exchange,
            ChannelHandlerContext client,
            Body body,
            boolean withTrailers,
            @Nullable EventBoundary events) {
        this.exchange = exchange;
        this.client = client;
        this.body = body;
        this.withTrailers = withTrailers;
        this.events = events;
    }

    /** Whether the body is a stream of events of which no event is incomplete: it may end here. */
    boolean isBetweenEvents() {
        return events != null && events.isReached();
    }

    /** Ends the exchange between two events, now or after the next. Does nothing if the body is no stream of events. */
    void endBetweenEvents() {
        ending = true;
        if (isBetweenEvents()) {
            exchange.stop();
        }
    }

    @Override
    public void part(ByteBuf content) {
        if (events != null) {
            events.pass(content);
        }
        client.write(new DefaultHttpContent(content), client.voidPromise());
        if (ending && isBetweenEvents()) {
            exchange.stop();
            return;
        }
        if (!waiting && !client.channel().isWritable()) {
            waiting = true;
            body.want(false);
            client.flush();
        }
    }

    /** Once for all that has come with one event: a flush is a record of TLS and a call of the kernel. */
    @Override
    public void pause() {
        client.flush();
    }

    /** The client has taken some of what was written to it, or too much waits for it. */
    void writabilityChanged() {
        if (waiting && client.channel().isWritable()) {
            waiting = false;
            body.want(true);
        }
    }

    @Override
    public void end(HttpHeaders trailers) {
        exchange.writeLast(
                withTrailers && !trailers.isEmpty()
                        ? new DefaultLastHttpContent(io.netty.buffer.Unpooled.EMPTY_BUFFER, trailers)
                        : LastHttpContent.EMPTY_LAST_CONTENT);
    }

    @Override
    public void failed(Throwable why) {
        exchange.fail(why);
    }
}
