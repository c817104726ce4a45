// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.forward.Body;
import io.sallyport.forward.ClientExchange;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.HttpDate;
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
    /** Behind which the path of a resource stands in the path of its metadata (RFC 9728 section 3.1). */
    public static final String METADATA_PATH = "/.well-known/oauth-protected-resource";

    private static final String FIVE_MINUTES = "public, max-age=300";
    private static final String ANY_ORIGIN = "*";

    private final Supplier<byte[]> signingKeys;

    /** @param signingKeys the key set of now, as JSON */
    public LocalForwarder(Supplier<byte[]> signingKeys) {
        this.signingKeys = signingKeys;
    }

    /** Whether that path, or pattern of paths, is of the metadata of a host. */
    public static boolean isMetadata(String path) {
        return path.equals(METADATA_PATH) || path.startsWith(METADATA_PATH + "/");
    }

    @Override
    public void forward(Permit permit, ClientExchange client) {
        permit.redeem();
        var context = permit.context();
        switch (permit.route().requireSettings(StageName.FORWARD, LocalAnswer.class)) {
            case LocalAnswer.Preflight preflight -> answer(preflight, context, client);
            case LocalAnswer.ProtectedResource metadata ->
                answer(
                        metadata.json(permit.path().value().substring(METADATA_PATH.length())),
                        ANY_ORIGIN,
                        context,
                        client);
            case LocalAnswer.SigningKeySet _ -> answer(signingKeys.get(), null, context, client);
        }
    }

    private static void answer(LocalAnswer.Preflight preflight, RequestContext context, ClientExchange client) {
        var asked = context.head().headers();
        var method = asked.get(HttpHeaderNames.ACCESS_CONTROL_REQUEST_METHOD);
        var rules = method == null ? null : preflight.rules().get(method);
        var head = headOf(context);
        var problem = rules == null
                ? (method == null ? "no method" : "method: " + method)
                : rules.answerPreflight(asked, head);
        if (problem != null) {
            client.refuse(PREFLIGHT_REFUSED.with(Evidence.Key.DETAIL, problem));
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

    /** Answers a request that may be forwarded no further (RFC 9110 section 7.6.2). */
    public static void answerLast(Permit permit, ClientExchange client) {
        permit.redeem();
        client.answer(HttpResponseStatus.NO_CONTENT, headOf(permit.context()), Body.NONE);
    }

    private static HttpHeaders headOf(RequestContext context) {
        return DefaultHttpHeadersFactory.headersFactory()
                .newHeaders()
                .set(HttpHeaderNames.DATE, HttpDate.of(context.receivedAt()))
                .set(DenialResponse.X_REQUEST_ID, context.requestId().toString());
    }
}
