// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import org.jspecify.annotations.Nullable;

/**
 * The body of a request or a response on its way: parts, then one end with trailer fields, or a failure instead.
 *
 * <p>It has one taker. The taker gets either {@link #takeWhole all of it at once} or {@link #take part by part}, and says when it
 * wants no more for now. Confined to the event loop of the exchange.
 */
public interface Body {
    /** A body without content. */
    Body NONE = of(new byte[0]);

    /** A body that is here. */
    static Body of(byte[] content) {
        return new Body() {
            @Override
            public ByteBuf takeWhole(ByteBufAllocator allocator) {
                return Unpooled.wrappedBuffer(content);
            }

            @Override
            public HttpHeaders trailers() {
                return EmptyHttpHeaders.INSTANCE;
            }

            @Override
            public void take(Taker taker) {
                taker.part(Unpooled.wrappedBuffer(content));
                taker.end(EmptyHttpHeaders.INSTANCE);
            }

            @Override
            public void want(boolean more) {}

            @Override
            public void discard() {}
        };
    }

    /**
     * Takes all of the body if all of it has arrived.
     *
     * @return the caller's from here on; null if some of it is still to come, and then nothing has been taken
     */
    @Nullable
    ByteBuf takeWhole(ByteBufAllocator allocator);

    /** The trailer fields of a body that has arrived completely; empty if there are none, or if they are still to come. */
    HttpHeaders trailers();

    /** Begins to pass the body to a taker, which wants all of it until it says otherwise. */
    void take(Taker taker);

    /** Says whether the taker wants more now. What has been read already may still be passed on. */
    void want(boolean more);

    /** Gives up the rest of the body. The taker gets nothing more. */
    void discard();

    /** Takes a body part by part. After the end or the failure it gets nothing more. */
    interface Taker {
        /**
         * Some of the body.
         *
         * @param content not empty; the callee's from here on
         */
        void part(ByteBuf content);

        /** All that arrived together has been passed on: time to flush. */
        void pause();

        /** The body is complete. */
        void end(HttpHeaders trailers);

        /** The rest of the body does not come. */
        void failed(Throwable why);
    }
}
