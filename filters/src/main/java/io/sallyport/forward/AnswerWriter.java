// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.LastHttpContent;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;

/**
 * Writes the body of an answer to a connection of HTTP/1.1, behind its head: as much at a time as the client takes, so that no
 * more of it is held here than its connection's high-water mark and what the upstream may send ahead.
 *
 * <p>On the connection's event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write fails with its connection, whose end is noticed elsewhere
public final class AnswerWriter implements CoreSubscriber<ByteBuf>, Runnable {
    private final ChannelHandlerContext client;
    private final ChannelPromise written;
    private @Nullable Subscription body;
    private boolean asked;
    private boolean flushing;

    private AnswerWriter(ChannelHandlerContext client, ChannelPromise written) {
        this.client = client;
        this.written = written;
    }

    static AnswerWriter begin(AnswerBody body, ChannelHandlerContext client, ChannelPromise written) {
        var writer = new AnswerWriter(client, written);
        body.subscribe(writer);
        writer.flushSoon();
        return writer;
    }

    @Override
    public void onSubscribe(Subscription body) {
        this.body = body;
        ask();
    }

    /** The client has taken some of what was written to it, or too much waits for it. */
    public void writabilityChanged() {
        ask();
    }

    private void ask() {
        if (body != null && !asked && client.channel().isWritable()) {
            asked = true;
            body.request(1);
        }
    }

    @Override
    public void onNext(ByteBuf part) {
        client.write(new DefaultHttpContent(part), client.voidPromise());
        flushSoon();
        asked = false;
        ask();
    }

    @Override
    public void onError(Throwable failure) {
        written.tryFailure(failure);
    }

    @Override
    public void onComplete() {
        client.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT, written);
    }

    /** Once for all that has come with one event: a flush is a record of TLS and a call of the kernel. */
    private void flushSoon() {
        if (!flushing) {
            flushing = true;
            client.executor().execute(this);
        }
    }

    @Override
    public void run() {
        flushing = false;
        client.flush();
    }
}
