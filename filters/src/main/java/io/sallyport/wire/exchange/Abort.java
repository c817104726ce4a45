// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2Error;

/** Ends connections and streams so that nobody can take a response for complete. Does nothing where they have ended. */
@SuppressWarnings("FutureReturnValueIgnored") // there is nothing left to do for a connection that will not close
public final class Abort {
    private Abort() {}

    /**
     * Resets the TCP connection. Without a TLS close_notify, which would end an answer without a length as if that were all of it. On its
     * event loop.
     */
    public static void connection(Channel channel) {
        if (channel.isActive()) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
            // From the head of the pipeline, past the TLS handler.
            channel.pipeline().firstContext().close();
        }
    }

    /** Resets the stream of HTTP/2 with {@code INTERNAL_ERROR}. On its event loop. */
    public static void stream(Channel stream) {
        if (stream.isActive()) {
            stream.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.INTERNAL_ERROR), stream.voidPromise());
            stream.close();
        }
    }
}
