// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.AsciiString;
import io.sallyport.forward.upstream.FieldNames;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.RequestContext;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The last edit of an answer's head before the wire, after every filter. What the gateway says of itself replaces what an
 * upstream says under the same names: the request id, rate limits, other origins, and other doors ({@code Alt-Svc}).
 */
public final class ResponseHeaders {
    private static final AsciiString X_REQUEST_ID = AsciiString.cached("x-request-id");
    private static final AsciiString RATE_LIMIT = AsciiString.cached("ratelimit");
    private static final AsciiString RATE_LIMIT_POLICY = AsciiString.cached("ratelimit-policy");
    private static final AsciiString LINK = AsciiString.cached("link");
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final String ACCESS_CONTROL = "access-control-";

    private static final FieldNames REPLACED = FieldNames.of("alt-svc", "content-length", "x-request-id");
    private static final FieldNames RATE_LIMITS = FieldNames.of(
            "ratelimit",
            "ratelimit-limit",
            "ratelimit-policy",
            "ratelimit-remaining",
            "ratelimit-reset",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset");

    /**
     * What decides about a whole answer is not said after it (RFC 9110 section 6.5.1): whoever joins trailer fields to the head
     * would act on it. Of the fields that frame or route a message the rest is dropped anywhere.
     */
    private static final FieldNames NOT_IN_TRAILERS = FieldNames.of(
            "age",
            "authentication-info",
            "authorization",
            "cache-control",
            "clear-site-data",
            "content-encoding",
            "content-range",
            "content-security-policy",
            "content-type",
            "cookie",
            "date",
            "expires",
            "host",
            "location",
            "refresh",
            "retry-after",
            "set-cookie",
            "strict-transport-security",
            "vary",
            "www-authenticate");

    private ResponseHeaders() {}

    /** Whether an answer with that status to that method has no body, whatever its head says (RFC 9110 section 6.4.1). */
    public static boolean isBodiless(HttpMethod method, HttpResponseStatus status) {
        return method.equals(HttpMethod.HEAD)
                || status.code() == HttpResponseStatus.NO_CONTENT.code()
                || status.code() == HttpResponseStatus.RESET_CONTENT.code()
                || status.code() == HttpResponseStatus.NOT_MODIFIED.code();
    }

    /** Whether no filter may write that field, because it would be removed or written over here. */
    public static boolean owns(CharSequence name) {
        return isDropped(name, true);
    }

    /**
     * Writes the head.
     *
     * @param head what the filters have left of the upstream's
     * @param contentLength the upstream's, or null if its answer has none
     */
    static void write(Permit permit, HttpHeaders head, @Nullable String contentLength, HttpHeaders out) {
        var context = permit.context();
        var limits = context.rateLimitState();
        var cors = ForwardPlan.of(permit.route()).cors();
        var nominated = HopByHop.nominatedBy(head);
        for (var fields = head.iteratorCharSequence(); fields.hasNext(); ) {
            var field = fields.next();
            var name = field.getKey();
            if (!isDropped(name, limits != null) && (nominated.isEmpty() || !HopByHop.isNominated(nominated, name))) {
                out.add(name, field.getValue());
            } else if (cors == null && isAccessControl(name)) {
                RemovedCors.of(permit.route().name());
            }
        }
        if (contentLength != null) {
            out.set(HttpHeaderNames.CONTENT_LENGTH, contentLength);
        }
        if (!out.contains(HttpHeaderNames.DATE)) {
            out.set(HttpHeaderNames.DATE, now(context));
        }
        out.set(X_REQUEST_ID, permit.requestId().toString());
        if (limits != null) {
            out.set(RATE_LIMIT, limits.stateField());
            out.set(RATE_LIMIT_POLICY, limits.policyField());
        }
        if (cors != null) {
            cors.writeTo(context.head().headers(), out);
        }
    }

    // RFC 9110 section 6.6.1: when the answer came, where the upstream does not say.
    private static AsciiString now(RequestContext context) {
        var began = context.receivedAt();
        long passed = began.getNano() + System.nanoTime() - context.startedNanos();
        return HttpDate.ofSecond(began.getEpochSecond() + passed / SECOND);
    }

    /**
     * The fields of an interim answer. Filters do not see it; so that nothing gets past them that they would remove, only {@code
     * Link} is passed on where a route has any.
     */
    static HttpHeaders interim(Permit permit, HttpHeaders head) {
        var out =
                DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
        var filtered = !ForwardPlan.of(permit.route()).filters().isEmpty();
        var nominated = HopByHop.nominatedBy(head);
        for (var fields = head.iteratorCharSequence(); fields.hasNext(); ) {
            var field = fields.next();
            var name = field.getKey();
            if (!isDropped(name, true)
                    && !HopByHop.isNominated(nominated, name)
                    && (!filtered || LINK.contentEqualsIgnoreCase(name))) {
                out.add(name, field.getValue());
            }
        }
        return out;
    }

    /** The trailer fields that may follow the answer. */
    static HttpHeaders trailers(HttpHeaders trailers) {
        var out = DefaultHttpHeadersFactory.trailersFactory()
                .withValidation(false)
                .newHeaders();
        for (var fields = trailers.iteratorCharSequence(); fields.hasNext(); ) {
            var field = fields.next();
            var name = field.getKey();
            if (!isDropped(name, true) && !NOT_IN_TRAILERS.contains(name) && !IdentityHeaders.STANDARD.contains(name)) {
                out.add(name, field.getValue());
            }
        }
        return out;
    }

    private static boolean isDropped(CharSequence name, boolean limits) {
        return HopByHop.NAMES.contains(name)
                || REPLACED.contains(name)
                || (limits && RATE_LIMITS.contains(name))
                || isAccessControl(name);
    }

    private static boolean isAccessControl(CharSequence name) {
        return AsciiString.regionMatchesAscii(name, true, 0, ACCESS_CONTROL, 0, ACCESS_CONTROL.length());
    }
}
