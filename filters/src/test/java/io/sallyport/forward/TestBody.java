// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A body that a test gives part by part, from the event loop of its exchange. */
public final class TestBody implements Body {
    private final Consumer<TestBody> onTaken;
    private @Nullable Taker taker;
    private boolean wanted = true;
    private boolean discarded;

    /** @param onTaken called when there is a taker */
    public TestBody(Consumer<TestBody> onTaken) {
        this.onTaken = onTaken;
    }

    public TestBody part(String text) {
        return part(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
    }

    public TestBody part(ByteBuf content) {
        if (discarded || taker == null) {
            content.release();
        } else {
            taker.part(content);
            taker.pause();
        }
        return this;
    }

    public void end() {
        end(EmptyHttpHeaders.INSTANCE);
    }

    public void end(HttpHeaders trailers) {
        if (!discarded && taker != null) {
            taker.end(trailers);
        }
    }

    public void fail(Throwable why) {
        if (!discarded && taker != null) {
            taker.failed(why);
        }
    }

    public boolean isWanted() {
        return wanted && !discarded;
    }

    public boolean isDiscarded() {
        return discarded;
    }

    @Override
    public @Nullable ByteBuf takeWhole(ByteBufAllocator allocator) {
        return null;
    }

    @Override
    public HttpHeaders trailers() {
        return EmptyHttpHeaders.INSTANCE;
    }

    @Override
    public void take(Taker taker) {
        this.taker = taker;
        onTaken.accept(this);
    }

    @Override
    public void want(boolean more) {
        wanted = more;
    }

    @Override
    public void discard() {
        discarded = true;
    }
}
