// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.StageName;
import reactor.core.publisher.Mono;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/**
 * Answers what the gateway answers itself, on built-in routes and through the same pipeline as everything else: CORS preflights
 * and protected-resource metadata.
 */
public final class LocalForwarder implements Forwarder {
    private static final Denial PREFLIGHT_REFUSED = new Denial.Forbidden(Reason.FORWARD_PREFLIGHT_REFUSED);
    private static final String FIVE_MINUTES = "public, max-age=300";
    private static final String ANY_ORIGIN = "*";

    @Override
    public Mono<Void> forward(Permit permit, HttpServerRequest request, HttpServerResponse response) {
        permit.redeem();
        var context = permit.context();
        return switch (permit.route().requireSettings(StageName.FORWARD, LocalAnswer.class)) {
            case LocalAnswer.Preflight preflight -> answer(preflight, context, response);
            case LocalAnswer.ProtectedResource metadata -> answer(metadata, context, response);
        };
    }

    private static Mono<Void> answer(
            LocalAnswer.Preflight preflight, RequestContext context, HttpServerResponse response) {
        var asked = context.head().headers();
        var method = asked.get(HttpHeaderNames.ACCESS_CONTROL_REQUEST_METHOD);
        var rules = method == null ? null : preflight.rules().get(method);
        begin(context, response, HttpResponseStatus.NO_CONTENT);
        if (rules == null || !rules.answerPreflight(asked, response.responseHeaders())) {
            return Mono.error(new ForwardFailure(PREFLIGHT_REFUSED, null));
        }
        return response.send();
    }

    private static Mono<Void> answer(
            LocalAnswer.ProtectedResource metadata, RequestContext context, HttpServerResponse response) {
        begin(context, response, HttpResponseStatus.OK);
        response.responseHeaders()
                .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON)
                .set(HttpHeaderNames.CONTENT_LENGTH, metadata.length())
                .set(HttpHeaderNames.CACHE_CONTROL, FIVE_MINUTES)
                .set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
        return context.head().method().equals(HttpMethod.HEAD)
                ? response.send()
                : response.sendObject(Unpooled.wrappedBuffer(metadata.json())).then();
    }

    private static void begin(RequestContext context, HttpServerResponse response, HttpResponseStatus status) {
        response.status(status);
        response.responseHeaders()
                .clear()
                .set(HttpHeaderNames.DATE, HttpDate.of(context.receivedAt()))
                .set(DenialWriter.X_REQUEST_ID, context.requestId().toString());
    }
}
