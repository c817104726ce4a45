// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.util.AsciiString;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import java.time.Duration;
import java.util.Collection;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/**
 * Answers a refused request: status, {@code application/problem+json}, and the fields that the status obliges us to send; to a
 * client of gRPC a status of its own ({@link GrpcRefusal}). The only place where a denial becomes bytes.
 *
 * <p>A refused body is not read. On HTTP/1.1 its connection then ends with the answer, since where the next request begins
 * would be the client's word; on HTTP/2 the stream is reset without error, so that the client stops sending (RFC 9113 section
 * 8.1). A 400 ends an HTTP/1.1 connection too: what follows a message that could be misread could be part of it. So does any refusal
 * of who asked for another protocol: it may have sent on in that one.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write fails with its connection, whose end is noticed elsewhere
final class DenialWriter {
    static final AsciiString X_REQUEST_ID = AsciiString.cached("x-request-id");
    private static final AsciiString RATE_LIMIT = AsciiString.cached("ratelimit");
    private static final AsciiString RATE_LIMIT_POLICY = AsciiString.cached("ratelimit-policy");

    private static final AsciiString WEBSOCKET_VERSION = AsciiString.cached("13");

    private static final byte[] VERSION = {'H', 'T', 'T', 'P', '/', '1', '.', '1', ' '};
    private static final byte[] CRLF = {'\r', '\n'};
    private static final byte[] COLON = {':', ' '};

    private DenialWriter() {}

    /**
     * Writes the answer when subscribed to; nothing of another may have been sent. On the request's event loop.
     *
     * @return completes when the answer was handed to the channel
     */
    static Publisher<Void> answer(
            Denial denial, RequestContext context, HttpServerRequest request, HttpServerResponse response) {
        var document = ProblemDocument.of(denial);
        var requestId = context.requestId().toString();
        var headers = response.responseHeaders();
        // A forwarder may have prepared an answer before it failed.
        headers.clear();
        addHead(headers, denial, document, context, requestId);
        response.status(document.status());
        if (endsConnection(context, document.status())) {
            response.keepAlive(false);
            LingeringClose.arm(Wire.channelOf(request));
        } else if (Wire.announcesBody(request.requestHeaders())) {
            stopSendingAfterwards(request);
        }
        if (GrpcRefusal.isFor(context)) {
            GrpcRefusal.write(denial, headers);
            response.status(HttpResponseStatus.OK);
            // With the end of the stream in the same frame, unlike send().
            return response.sendObject(Unpooled.EMPTY_BUFFER);
        }
        return request.method().equals(HttpMethod.HEAD)
                ? response.send()
                : response.sendObject(document.render(response.alloc(), denial, requestId));
    }

    /**
     * The answer to a refused request of HTTP/1.1.
     *
     * @return whole; the caller ends the connection behind it if that {@link #endsConnection}
     */
    static FullHttpResponse message(Denial denial, RequestContext context, ByteBufAllocator allocator) {
        var document = ProblemDocument.of(denial);
        var requestId = context.requestId().toString();
        var headers = DefaultHttpHeadersFactory.headersFactory().newHeaders();
        addHead(headers, denial, document, context, requestId);
        var body = context.head().method().equals(HttpMethod.HEAD)
                ? Unpooled.EMPTY_BUFFER
                : document.render(allocator, denial, requestId);
        return new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, document.status(), body, headers, EmptyHttpHeaders.INSTANCE);
    }

    /** Whether a refusal ends its connection: where the next request begins would be the client's word. */
    static boolean endsConnection(RequestContext context, HttpResponseStatus status) {
        var head = context.head();
        return !head.isHttp2()
                && (status.equals(HttpResponseStatus.BAD_REQUEST)
                        || Wire.announcesBody(head.headers())
                        || head.headers().contains(HttpHeaderNames.UPGRADE));
    }

    // After the answer has been written: a reset overtakes data that flow control still holds back.
    private static void stopSendingAfterwards(HttpServerRequest request) {
        var channel = Wire.channelOf(request);
        Wire.connectionOf(request).onTerminate().subscribe(null, null, () -> stopSending(channel));
    }

    private static void stopSending(Channel channel) {
        // Not with the void promise: the stream may have ended meanwhile, and that would be logged as an error.
        channel.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.NO_ERROR));
    }

    /**
     * Answers bytes that are no message: writes past every handler between {@code here} and the head of the pipeline, TLS excepted,
     * and closes. HTTP/1.1 only, and nothing of another answer may be under way; on the channel's event loop.
     */
    static void answerRaw(ChannelHandlerContext here, Denial denial, RequestContext context) {
        var document = ProblemDocument.of(denial);
        var requestId = context.requestId().toString();
        var headers = DefaultHttpHeadersFactory.headersFactory().newHeaders();
        addHead(headers, denial, document, context, requestId);
        headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        LingeringClose.arm(here.channel());
        here.write(renderHead(here.alloc(), document, headers), here.voidPromise());
        here.writeAndFlush(document.render(here.alloc(), denial, requestId)).addListener(ChannelFutureListener.CLOSE);
    }

    private static ByteBuf renderHead(ByteBufAllocator allocator, ProblemDocument document, HttpHeaders headers) {
        var head = allocator.buffer(512).writeBytes(VERSION);
        ByteBufUtil.writeAscii(head, document.status().toString());
        head.writeBytes(CRLF);
        for (var fields = headers.iteratorCharSequence(); fields.hasNext(); ) {
            var field = fields.next();
            ByteBufUtil.writeAscii(head, field.getKey());
            head.writeBytes(COLON);
            ByteBufUtil.writeAscii(head, field.getValue());
            head.writeBytes(CRLF);
        }
        return head.writeBytes(CRLF);
    }

    private static void addHead(
            HttpHeaders headers, Denial denial, ProblemDocument document, RequestContext context, String requestId) {
        headers.add(HttpHeaderNames.DATE, HttpDate.of(context.receivedAt()))
                .add(HttpHeaderNames.CONTENT_TYPE, ProblemDocument.MEDIA_TYPE)
                .add(HttpHeaderNames.CONTENT_LENGTH, document.length(denial))
                .add(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE)
                .add(X_REQUEST_ID, requestId);
        switch (denial) {
            case Denial.Rejected rejected -> addChallenge(headers, rejected.challenge());
            case Denial.MethodNotAllowed notAllowed -> headers.add(HttpHeaderNames.ALLOW, list(notAllowed.allow()));
            case Denial.UpgradeRequired _ ->
                headers.add(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET)
                        .add(HttpHeaderNames.SEC_WEBSOCKET_VERSION, WEBSOCKET_VERSION);
            case Denial.Unauthenticated unauthenticated ->
                unauthenticated.challenges().forEach(challenge -> addChallenge(headers, challenge));
            case Denial.Forbidden forbidden -> addChallenge(headers, forbidden.challenge());
            case Denial.Throttled throttled -> addRetryAfter(headers, throttled.retryAfter());
            case Denial.Unavailable unavailable -> addRetryAfter(headers, unavailable.retryAfter());
            case Denial.UpstreamFailed _ -> {}
        }
        var rateLimits = context.rateLimitState();
        if (rateLimits != null) {
            headers.add(RATE_LIMIT_POLICY, rateLimits.policyField()).add(RATE_LIMIT, rateLimits.stateField());
        }
        addCors(headers, context);
    }

    /** A page that may read the route's answers may read why it got none: the challenge tells it to sign in again. */
    private static void addCors(HttpHeaders headers, RequestContext context) {
        var route = context.route();
        if (route == null || route.kind() != Route.Kind.UPSTREAM) {
            return;
        }
        var plan = route.settings(StageName.FORWARD, ForwardPlan.class);
        if (plan != null && plan.cors() != null) {
            plan.cors().writeTo(context.head().headers(), headers);
        }
    }

    private static void addChallenge(HttpHeaders headers, @Nullable Challenge challenge) {
        if (challenge != null) {
            headers.add(HttpHeaderNames.WWW_AUTHENTICATE, challenge.headerValue());
        }
    }

    private static void addRetryAfter(HttpHeaders headers, Duration retryAfter) {
        // Rounded up: who comes back a moment too early is refused again.
        long seconds = retryAfter.plusNanos(999_999_999L).toSeconds();
        headers.add(HttpHeaderNames.RETRY_AFTER, Long.toString(seconds));
    }

    private static String list(Collection<HttpMethod> methods) {
        return methods.stream().map(HttpMethod::name).sorted().collect(Collectors.joining(", "));
    }
}
