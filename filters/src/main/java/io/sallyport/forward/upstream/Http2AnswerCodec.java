// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.util.AsciiString;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes frames of one request and messages of the frames of its answer, so that {@link UpstreamConnection} sees the same as on
 * HTTP/1.1. Refuses the answers that RFC 9113 section 8.1.1 calls malformed; of these the codec of the connection knows some, and
 * leaves others to whoever knows the request.
 *
 * <p>An answer is at its end where the upstream says so, and the connection's end or a reset never is.
 */
@SuppressWarnings("FutureReturnValueIgnored") // promises are handed on, and their owners watch them
final class Http2AnswerCodec extends ChannelDuplexHandler implements AnswerReader {
    private static final FieldNames OF_CONNECTIONS =
            FieldNames.of("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade");

    private static final FieldNames NOT_SENT =
            FieldNames.of("connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade");

    private static final long UNKNOWN = -1;

    private final Http2Carrier carrier;
    private boolean toHead;
    private boolean begun;
    private boolean headRead;
    private boolean bodiless;
    private boolean over;
    private long length = UNKNOWN;
    private long received;
    private @Nullable Http2Error reset;

    Http2AnswerCodec(Http2Carrier carrier) {
        this.carrier = carrier;
    }

    @Override
    public void expectAnswerToHead(boolean toHead) {
        this.toHead = toHead;
    }

    @Override
    public boolean hasBegun() {
        // A reset is an answer of sorts: the upstream has seen the request.
        return begun || reset != null;
    }

    @Override
    public boolean hasBytesLeft() {
        // Frames tell where an answer ends, and the stream is its own.
        return false;
    }

    @Override
    public @Nullable String malformed() {
        // Is an exception here, whatever the place.
        return null;
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        switch (message) {
            case HttpRequest request ->
                context.write(
                        new DefaultHttp2HeadersFrame(headOf(request), request instanceof LastHttpContent), promise);
            case LastHttpContent _ -> context.write(new DefaultHttp2DataFrame(true), promise);
            case HttpContent part -> context.write(new DefaultHttp2DataFrame(part.content()), promise);
            default -> throw new IllegalStateException("to the upstream: " + message.getClass());
        }
    }

    private Http2Headers headOf(HttpRequest request) {
        var from = request.headers();
        var head = new DefaultHttp2Headers(false, from.size() + 4);
        head.method(request.method().asciiName())
                .scheme(carrier.scheme())
                .authority(Objects.requireNonNull(from.get(HttpHeaderNames.HOST), "Host"))
                .path(request.uri());
        for (var fields = from.iteratorCharSequence(); fields.hasNext(); ) {
            var field = fields.next();
            if (!NOT_SENT.contains(field.getKey())) {
                head.add(AsciiString.of(field.getKey()).toLowerCase(), field.getValue());
            }
        }
        return head;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        begun = true;
        try {
            switch (message) {
                case Http2HeadersFrame _ when over -> {}
                case Http2DataFrame _ when over -> {}
                case Http2HeadersFrame frame when headRead -> readTrailers(context, frame);
                case Http2HeadersFrame frame -> readHead(context, frame);
                case Http2DataFrame frame -> readData(context, frame);
                default -> {}
            }
        } catch (UpstreamProtocolError e) {
            over = true;
            context.fireExceptionCaught(e);
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void readHead(ChannelHandlerContext context, Http2HeadersFrame frame) throws UpstreamProtocolError {
        var status = statusOf(frame.headers());
        var interim = status.code() < HttpResponseStatus.OK.code();
        if (interim && frame.isEndStream()) {
            throw new UpstreamProtocolError("nothing but an interim answer");
        }
        var fields = DefaultHttpHeadersFactory.headersFactory().newHeaders();
        copy(frame.headers(), fields, true);
        headRead = !interim;
        if (headRead) {
            bodiless = toHead
                    || status.code() == HttpResponseStatus.NO_CONTENT.code()
                    || status.code() == HttpResponseStatus.NOT_MODIFIED.code();
            length = lengthOf(fields);
        }
        context.fireChannelRead(new DefaultHttpResponse(HttpVersion.HTTP_1_1, status, fields));
        if (interim) {
            context.fireChannelRead(LastHttpContent.EMPTY_LAST_CONTENT);
        } else if (frame.isEndStream()) {
            end(context, LastHttpContent.EMPTY_LAST_CONTENT);
        }
    }

    private static HttpResponseStatus statusOf(Http2Headers head) throws UpstreamProtocolError {
        var all = head.getAll(Http2Headers.PseudoHeaderName.STATUS.value());
        var status = all.size() == 1 ? all.getFirst() : "";
        if (status.length() != 3) {
            throw new UpstreamProtocolError("no status, or more than one");
        }
        int code = 0;
        for (int i = 0; i < status.length(); i++) {
            char digit = status.charAt(i);
            if (digit < '0' || digit > '9') {
                throw new UpstreamProtocolError("a status that is none");
            }
            code = code * 10 + digit - '0';
        }
        return HttpResponseStatus.valueOf(code);
    }

    /** @param head whether these are a head's, which has a status among them */
    private static void copy(Http2Headers from, HttpHeaders to, boolean head) throws UpstreamProtocolError {
        for (var field : from) {
            var name = field.getKey();
            if (!name.isEmpty() && name.charAt(0) == ':') {
                if (head && Http2Headers.PseudoHeaderName.STATUS.value().contentEquals(name)) {
                    continue;
                }
                throw new UpstreamProtocolError("a pseudo-header field where there is none");
            }
            if (OF_CONNECTIONS.contains(name)) {
                throw new UpstreamProtocolError("a field that belongs to a connection");
            }
            try {
                to.add(name, field.getValue());
            } catch (IllegalArgumentException e) {
                throw new UpstreamProtocolError("a malformed field");
            }
        }
    }

    private static long lengthOf(HttpHeaders fields) throws UpstreamProtocolError {
        var all = fields.getAll(HttpHeaderNames.CONTENT_LENGTH);
        if (all.isEmpty()) {
            return UNKNOWN;
        }
        var length = all.getFirst();
        if (all.size() > 1
                || length.isEmpty()
                || length.length() > 18
                || !length.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new UpstreamProtocolError("a malformed length");
        }
        return Long.parseLong(length);
    }

    private void readData(ChannelHandlerContext context, Http2DataFrame frame) throws UpstreamProtocolError {
        if (!headRead) {
            throw new UpstreamProtocolError("a body without a head");
        }
        var content = frame.content();
        received += content.readableBytes();
        if (received > 0 && bodiless) {
            throw new UpstreamProtocolError("a body where there is none");
        }
        if (length != UNKNOWN && received > length) {
            throw new UpstreamProtocolError("a body longer than its length");
        }
        if (content.isReadable()) {
            context.fireChannelRead(new DefaultHttpContent(content.retain()));
        }
        if (frame.isEndStream()) {
            end(context, LastHttpContent.EMPTY_LAST_CONTENT);
        }
    }

    private void readTrailers(ChannelHandlerContext context, Http2HeadersFrame frame) throws UpstreamProtocolError {
        if (!frame.isEndStream()) {
            throw new UpstreamProtocolError("a second head");
        }
        var end = new DefaultLastHttpContent();
        copy(frame.headers(), end.trailingHeaders(), false);
        end(context, end);
    }

    private void end(ChannelHandlerContext context, LastHttpContent end) throws UpstreamProtocolError {
        if (!bodiless && length != UNKNOWN && received != length) {
            throw new UpstreamProtocolError("a body shorter than its length");
        }
        over = true;
        context.fireChannelRead(end);
        // Now, and not when all has been read that came with it: nothing can follow but a reset, for a request that
        // is not wanted to its end, and by that the answer must not seem to have broken off.
        context.fireChannelReadComplete();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof Http2ResetFrame frame) {
            // What came before may still wait to be read.
            reset = Http2Error.valueOf(frame.errorCode());
        }
        context.fireUserEventTriggered(event);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (!over) {
            over = true;
            var why = carrier.cause();
            if (why != null) {
                context.fireExceptionCaught(why);
            } else if (reset != null) {
                context.fireExceptionCaught(new IOException("reset by the upstream: " + reset));
            }
        }
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        over = true;
        context.fireExceptionCaught(cause instanceof Http2Exception ? UpstreamProtocolError.of(cause) : cause);
    }
}
