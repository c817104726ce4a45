// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.shedding;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/** Holds what comes in on a connection of HTTP/2 while its event loop is behind, and reads no more of it: see {@link LoopPace}. */
public final class PacedReads extends ChannelInboundHandlerAdapter {
    private final LoopPace pace;
    private final Consumer<Boolean> onPaused;

    @SuppressWarnings("NullAway.Init") // set before anything is read
    private ChannelHandlerContext here;

    private final ArrayDeque<Object> held = new ArrayDeque<>(0);
    private long waitingSince;

    /** @param onPaused told when nothing is read, for the connection's deadlines, and when it is again */
    public PacedReads(LoopPace pace, Consumer<Boolean> onPaused) {
        this.pace = pace;
        this.onPaused = onPaused;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        here = context;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (held.isEmpty() && pace.mayRead()) {
            context.fireChannelRead(message);
            return;
        }
        held.add(message);
        if (held.size() == 1) {
            waitingSince = pace.now();
            context.channel().config().setAutoRead(false);
            onPaused.accept(true);
            pace.await(this);
        }
    }

    /** Since when it waits, on the clock of its loop. */
    long waitingSince() {
        return waitingSince;
    }

    /** It is this connection's turn. */
    void readOn() {
        for (var next = held.poll(); next != null; next = held.poll()) {
            here.fireChannelRead(next);
        }
        here.fireChannelReadComplete();
        onPaused.accept(false);
        here.channel().config().setAutoRead(true);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        if (!held.isEmpty()) {
            pace.forget(this);
            held.forEach(ReferenceCountUtil::release);
            held.clear();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        handlerRemoved(context);
        context.fireChannelInactive();
    }
}
