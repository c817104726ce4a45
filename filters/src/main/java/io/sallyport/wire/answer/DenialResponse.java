// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
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
import io.netty.util.AsciiString;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.HttpDate;
import io.sallyport.forward.RequestHeaders;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import java.time.Duration;
import java.util.Collection;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The response to a refused request: status, {@code application/problem+json}, and the fields that the status obliges us to send; to a
 * client of gRPC a status of its own ({@link GrpcRefusal}). The only place where a denial becomes a message.
 *
 * <p>A refused body is not read. On HTTP/1.1 its connection then ends with the answer, since where the next request begins
 * would be the client's word; on HTTP/2 the stream is reset without error, so that the client stops sending (RFC 9113 section
 * 8.1). A 400 ends an HTTP/1.1 connection too: what follows a message that could be misread could be part of it. So does any refusal
 * of who asked for another protocol: it may have sent on in that one.
 */
public final class DenialResponse {
    static final AsciiString X_REQUEST_ID = AsciiString.cached("x-request-id");
    private static final AsciiString RATE_LIMIT = AsciiString.cached("ratelimit");
    private static final AsciiString RATE_LIMIT_POLICY = AsciiString.cached("ratelimit-policy");

    private static final AsciiString WEBSOCKET_VERSION = AsciiString.cached("13");

    private DenialResponse() {}

    /** The whole response; the caller ends an HTTP/1.1 connection behind it if the refusal {@link #endsConnection}. */
    public static FullHttpResponse of(Denial denial, RequestContext context, ByteBufAllocator allocator) {
        var document = ProblemDocument.of(denial);
        var requestId = context.requestId().toString();
        var headers = DefaultHttpHeadersFactory.headersFactory().newHeaders();
        addHead(headers, denial, document, context, requestId);
        if (GrpcRefusal.isFor(context)) {
            GrpcRefusal.write(denial, headers);
            return new DefaultFullHttpResponse(
                    HttpVersion.HTTP_1_1,
                    HttpResponseStatus.OK,
                    Unpooled.EMPTY_BUFFER,
                    headers,
                    EmptyHttpHeaders.INSTANCE);
        }
        var body = context.head().method().equals(HttpMethod.HEAD)
                ? Unpooled.EMPTY_BUFFER
                : document.render(allocator, denial, requestId);
        return new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, document.status(), body, headers, EmptyHttpHeaders.INSTANCE);
    }

    /** Whether a refusal ends its connection of HTTP/1.1: where the next request begins would be the client's word. */
    public static boolean endsConnection(RequestContext context, Denial denial) {
        var head = context.head().headers();
        return denial.status() == HttpResponseStatus.BAD_REQUEST.code()
                || RequestHeaders.announceBody(head)
                || head.contains(HttpHeaderNames.UPGRADE);
    }

    private static void addHead(
            HttpHeaders headers, Denial denial, ProblemDocument document, RequestContext context, String requestId) {
        headers.add(HttpHeaderNames.DATE, HttpDate.of(context.receivedAt()))
                .add(HttpHeaderNames.CONTENT_TYPE, ProblemDocument.MEDIA_TYPE)
                .add(HttpHeaderNames.CONTENT_LENGTH, document.length(denial))
                .add(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE)
                .add(X_REQUEST_ID, requestId);
        switch (denial) {
            case Denial.Rejected rejected -> addChallenge(headers, rejected.challenge(), context);
            case Denial.MethodNotAllowed notAllowed -> headers.add(HttpHeaderNames.ALLOW, list(notAllowed.allow()));
            case Denial.UpgradeRequired _ ->
                headers.add(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET)
                        .add(HttpHeaderNames.SEC_WEBSOCKET_VERSION, WEBSOCKET_VERSION);
            case Denial.Unauthenticated unauthenticated ->
                unauthenticated.challenges().forEach(challenge -> addChallenge(headers, challenge, context));
            case Denial.Forbidden forbidden -> addChallenge(headers, forbidden.challenge(), context);
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

    private static void addChallenge(HttpHeaders headers, @Nullable Challenge challenge, RequestContext context) {
        if (challenge == null) {
            return;
        }
        var route = context.route();
        var path = context.path();
        var resource = route == null ? null : route.resource();
        headers.add(
                HttpHeaderNames.WWW_AUTHENTICATE,
                resource == null || path == null
                        ? challenge.headerValue()
                        : challenge.headerValue(resource, path.value()));
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
