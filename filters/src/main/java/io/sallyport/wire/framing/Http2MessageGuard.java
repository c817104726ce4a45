// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpScheme;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameStream;
import io.netty.handler.codec.http2.Http2FrameStreamException;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.util.AsciiString;
import java.io.IOException;

/**
 * Resets a stream whose messages are malformed (RFC 9113 section 8.1.1), with the error that it has, before anybody takes them
 * for a request: by the codec's word, and by the rules for pseudo-header fields that the codec leaves to others. Between the
 * codec and what makes a channel of each stream.
 *
 * <p>Also the end of the codec's exceptions: they are the client's doing, recorded like any other refusal and logged nowhere.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write fails with its connection, whose end is noticed elsewhere
public final class Http2MessageGuard extends ChannelInboundHandlerAdapter {
    private static final AsciiString PROTOCOL = AsciiString.cached(":protocol");
    private static final AsciiString EVERYTHING = AsciiString.cached("*");
    private static final AsciiString NOTHING = AsciiString.cached("0");

    private final Http2FrameGuard frames;
    private int highestStream;

    /** @param frames the guard of the same connection */
    public Http2MessageGuard(Http2FrameGuard frames) {
        this.frames = frames;
    }

    /** Tells the channel of a stream that the stream is reset because what came on it is malformed. */
    public record Broken(Http2FrameStream stream, Http2Error error) implements Http2ResetFrame {
        @Override
        public long errorCode() {
            return error.code();
        }

        @Override
        public Broken stream(Http2FrameStream stream) {
            return new Broken(stream, error);
        }

        @Override
        public String name() {
            return "RST_STREAM";
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        // Streams begin in the order of their numbers; what comes on an earlier one are trailers.
        if (message instanceof Http2HeadersFrame head && head.stream().id() > highestStream) {
            highestStream = head.stream().id();
            if (!isWellFormed(head.headers())) {
                context.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.PROTOCOL_ERROR).stream(head.stream()));
                frames.refused(context);
                return;
            }
            awaitEnd(head);
        }
        context.fireChannelRead(message);
    }

    /** RFC 9113 sections 8.3.1 and 8.5; RFC 8441 is not offered, so there is no {@code :protocol}. */
    private static boolean isWellFormed(Http2Headers head) {
        var method = head.method();
        if (method == null || head.contains(PROTOCOL)) {
            return false;
        }
        var path = head.path();
        var target = HttpMethod.CONNECT.asciiName().contentEquals(method)
                ? head.scheme() == null && path == null && head.authority() != null
                : isScheme(head.scheme()) && path != null && isPath(path, method);
        return target && hasOneHost(head);
    }

    private static boolean isScheme(CharSequence scheme) {
        // What a proxy in front has heard is what it says.
        return HttpScheme.HTTPS.name().contentEqualsIgnoreCase(scheme)
                || HttpScheme.HTTP.name().contentEqualsIgnoreCase(scheme);
    }

    private static boolean isPath(CharSequence path, CharSequence method) {
        return (EVERYTHING.contentEquals(path) && HttpMethod.OPTIONS.asciiName().contentEquals(method))
                || (!path.isEmpty() && path.charAt(0) == '/');
    }

    /** {@code Host} beside {@code :authority} has to say the same, and then is said once. */
    private static boolean hasOneHost(Http2Headers head) {
        if (!head.contains(HttpHeaderNames.HOST)) {
            return true;
        }
        var hosts = head.getAll(HttpHeaderNames.HOST);
        if (hosts.size() > 1) {
            return false;
        }
        var authority = head.authority();
        if (authority == null) {
            return true;
        }
        head.remove(HttpHeaderNames.HOST);
        return AsciiString.contentEqualsIgnoreCase(hosts.getFirst(), authority);
    }

    /** An empty body is complete when its stream says so, and not before: the codec would not wait. */
    private static void awaitEnd(Http2HeadersFrame head) {
        if (!head.isEndStream()) {
            var length = head.headers().get(HttpHeaderNames.CONTENT_LENGTH);
            if (length != null && NOTHING.contentEquals(length)) {
                head.headers().remove(HttpHeaderNames.CONTENT_LENGTH);
            }
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        switch (cause) {
            case Http2FrameStreamException malformed -> {
                // First, so that no other reset comes before it; and unsent while whoever reads the stream hears of it.
                context.write(new DefaultHttp2ResetFrame(malformed.error()).stream(malformed.stream()));
                context.fireChannelRead(new Broken(malformed.stream(), malformed.error()));
                context.flush();
                frames.countMalformed(context);
            }
            case Http2Exception _ -> frames.recordEnd(context);
            // The client went away.
            case IOException _ -> context.close();
            default -> context.fireExceptionCaught(cause);
        }
    }
}
