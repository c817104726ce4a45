// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2Error;
import reactor.netty.Connection;
import reactor.netty.channel.ChannelOperations;
import reactor.netty.http.server.HttpServerRequest;

/** What this package asks of a connection and Reactor Netty does not offer by name. */
@SuppressWarnings("FutureReturnValueIgnored") // there is nothing left to do for a connection that will not close
final class Wire {
    private static final String NO_BODY = "0";

    private Wire() {}

    // Every request of Reactor Netty's server is its own connection; withConnection() would say the same through a
    // callback.
    static Connection connectionOf(HttpServerRequest request) {
        return (Connection) request;
    }

    /** The channel of the request: the connection's own on HTTP/1.1, the stream's on HTTP/2. */
    static Channel channelOf(HttpServerRequest request) {
        return connectionOf(request).channel();
    }

    /** Whether the whole answer has been handed to the channel. */
    static boolean isFinished(HttpServerRequest request) {
        return ((ChannelOperations<?, ?>) request).isSubscriptionDisposed();
    }

    /** Whether a body follows the head; on HTTP/2 the codec adds {@code Transfer-Encoding} to a head that has no length. */
    static boolean announcesBody(HttpHeaders headers) {
        var length = headers.get(HttpHeaderNames.CONTENT_LENGTH);
        return length == null ? headers.contains(HttpHeaderNames.TRANSFER_ENCODING) : !length.equals(NO_BODY);
    }

    /**
     * Ends an answer so that nobody can take it for complete: HTTP/2 resets the stream, HTTP/1.1 the TCP connection. Without a
     * TLS close_notify, which would end an answer without a length as if that were all of it. On the channel's event loop.
     */
    static void abort(Channel channel, boolean http2) {
        if (!channel.isActive()) {
            return;
        }
        if (http2) {
            channel.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.INTERNAL_ERROR), channel.voidPromise());
            channel.close();
            return;
        }
        channel.config().setOption(ChannelOption.SO_LINGER, 0);
        // From the head of the pipeline, past the TLS handler.
        channel.pipeline().firstContext().close();
    }
}
