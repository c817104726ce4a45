// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;

/**
 * Flushes a connection of HTTP/2 once for all that its streams flush while the event loop deals with what has come in: one TLS
 * record and one {@code send} for many answers, where each would have cost its own. What is flushed waits for nothing but the
 * rest of that run of the event loop. Between the codec and the channels of the streams; what the codec has to say by itself it flushes itself.
 */
@SuppressWarnings("FutureReturnValueIgnored") // the promise is handed on, and its owner watches it
public final class BatchedFlush extends ChannelOutboundHandlerAdapter {
    private final Runnable atEnd = this::flushNow;

    @SuppressWarnings("NullAway.Init") // set before anything is flushed
    private ChannelHandlerContext here;

    private boolean due;

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        here = context;
    }

    @Override
    public void flush(ChannelHandlerContext context) {
        if (!due) {
            due = true;
            context.executor().execute(atEnd);
        }
    }

    private void flushNow() {
        if (due) {
            due = false;
            here.flush();
        }
    }

    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        flushNow();
        context.close(promise);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        flushNow();
    }
}
