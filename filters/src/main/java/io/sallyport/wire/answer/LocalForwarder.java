// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.Body;
import io.sallyport.forward.ClientExchange;
import io.sallyport.forward.Forwarder;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.StageName;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Answers what the gateway answers itself, on built-in routes and through the same pipeline as everything else: CORS preflights,
 * protected-resource metadata, and the keys that it signs with.
 */
public final class LocalForwarder implements Forwarder {
    private static final Denial PREFLIGHT_REFUSED = new Denial.Forbidden(Reason.FORWARD_PREFLIGHT_REFUSED);
    private static final String FIVE_MINUTES = "public, max-age=300";
    private static final String ANY_ORIGIN = "*";

    private final Supplier<byte[]> signingKeys;

    /** @param signingKeys the key set of now, as JSON */
    public LocalForwarder(Supplier<byte[]> signingKeys) {
        this.signingKeys = signingKeys;
    }

    @Override
    public void forward(Permit permit, ClientExchange client) {
        permit.redeem();
        var context = permit.context();
        switch (permit.route().requireSettings(StageName.FORWARD, LocalAnswer.class)) {
            case LocalAnswer.Preflight preflight -> answer(preflight, context, client);
            case LocalAnswer.ProtectedResource metadata -> answer(metadata.json(), ANY_ORIGIN, context, client);
            case LocalAnswer.SigningKeySet _ -> answer(signingKeys.get(), null, context, client);
        }
    }

    private static void answer(LocalAnswer.Preflight preflight, RequestContext context, ClientExchange client) {
        var asked = context.head().headers();
        var method = asked.get(HttpHeaderNames.ACCESS_CONTROL_REQUEST_METHOD);
        var rules = method == null ? null : preflight.rules().get(method);
        var head = headOf(context);
        if (rules == null || !rules.answerPreflight(asked, head)) {
            client.refuse(PREFLIGHT_REFUSED);
        } else {
            client.answer(HttpResponseStatus.NO_CONTENT, head, Body.NONE);
        }
    }

    private static void answer(byte[] json, @Nullable String readers, RequestContext context, ClientExchange client) {
        var head = headOf(context)
                .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON)
                .set(HttpHeaderNames.CONTENT_LENGTH, json.length)
                .set(HttpHeaderNames.CACHE_CONTROL, FIVE_MINUTES);
        if (readers != null) {
            head.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, readers);
        }
        client.answer(
                HttpResponseStatus.OK,
                head,
                context.head().method().equals(HttpMethod.HEAD) ? Body.NONE : Body.of(json));
    }

    private static HttpHeaders headOf(RequestContext context) {
        return DefaultHttpHeadersFactory.headersFactory()
                .newHeaders()
                .set(HttpHeaderNames.DATE, HttpDate.of(context.receivedAt()))
                .set(DenialResponse.X_REQUEST_ID, context.requestId().toString());
    }
}
