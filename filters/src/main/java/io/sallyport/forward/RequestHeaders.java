// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.util.AsciiString;
import io.netty.util.NetUtil;
import io.sallyport.forward.upstream.FieldNames;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.RequestHead;
import org.jspecify.annotations.Nullable;

/**
 * The last edit of a request's head before the wire, after every filter. Pinning an identity is always a write, and absence is
 * a removal: whatever a client sent or a filter added under a name that this class owns is gone, and what stands there instead
 * comes from the permit.
 */
public final class RequestHeaders {
    private static final AsciiString X_REQUEST_ID = AsciiString.cached("x-request-id");
    private static final AsciiString X_FORWARDED_FOR = AsciiString.cached("x-forwarded-for");
    private static final AsciiString X_FORWARDED_PROTO = AsciiString.cached("x-forwarded-proto");
    private static final AsciiString X_FORWARDED_HOST = AsciiString.cached("x-forwarded-host");
    private static final AsciiString X_FORWARDED_PREFIX = AsciiString.cached("x-forwarded-prefix");
    private static final int MAX_FORWARDS_DIGITS = 9;
    private static final String HTTP2_EXTENSION = "x-http2-";

    /** Written anew for each request, or true of the client's connection alone. */
    private static final FieldNames REPLACED =
            FieldNames.of("host", "x-request-id", "content-length", "transfer-encoding", "expect", "trailer");

    /** By which a client proves who it is. */
    private static final FieldNames CREDENTIALS = FieldNames.of("authorization", "cookie", "dpop");

    private RequestHeaders() {}

    /**
     * What the filters of a route get to see and change: the client's fields without those that never reach an upstream, and
     * with the client's own {@code Host}.
     */
    public static HttpHeaders admitted(Permit permit) {
        var from = permit.context().head().headers();
        var admitted =
                DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
        copy(permit, from, admitted);
        var host = from.get(HttpHeaderNames.HOST);
        if (host != null) {
            admitted.set(HttpHeaderNames.HOST, host);
        }
        var length = from.get(HttpHeaderNames.CONTENT_LENGTH);
        if (length != null) {
            // To be read by filters that judge sizes; the body's framing is not theirs to change.
            admitted.set(HttpHeaderNames.CONTENT_LENGTH, length);
        }
        return admitted;
    }

    /**
     * Whether no filter may write that field, because it would be removed or written over here.
     *
     * @param removed the identity headers that nobody else may write on the route
     */
    public static boolean owns(CharSequence name, IdentityHeaders removed) {
        return HopByHop.NAMES.contains(name)
                || REPLACED.contains(name)
                || CREDENTIALS.contains(name)
                || removed.contains(name);
    }

    /**
     * Writes the head.
     *
     * @param head what the filters have left, or the client's own fields
     * @param identity what tells the upstream who called; null for nothing
     * @param requestTarget path and query as they are sent
     */
    static void write(
            Permit permit, HttpHeaders head, @Nullable HttpHeaders identity, String requestTarget, HttpHeaders out) {
        var plan = ForwardPlan.of(permit.route());
        var target = plan.target();
        var disclosure = plan.disclosure();
        copy(permit, head, out);
        var context = permit.context();
        var received = context.head();
        // Never the client's port, which would be the port of links that the upstream makes.
        out.set(HttpHeaderNames.HOST, target.preserveHost() ? disclosure.forwardedHost() : target.authority());
        out.set(X_REQUEST_ID, permit.requestId().toString());
        var client = context.client();
        if (client != null) {
            out.set(X_FORWARDED_FOR, NetUtil.toAddressString(client.address()));
        }
        out.set(X_FORWARDED_PROTO, received.tls() == null ? "http" : "https");
        out.set(X_FORWARDED_HOST, disclosure.forwardedHost());
        if (!plan.filters().isEmpty()) {
            writePrefix(permit, disclosure, requestTarget, out);
        }
        if (identity != null) {
            out.setAll(identity);
        }
        if (received.headers().containsValue(HttpHeaderNames.TE, HttpHeaderValues.TRAILERS, true)) {
            // RFC 9110 section 10.1.4: the only coding worth passing on, with the option that says so.
            out.set(HttpHeaderNames.TE, HttpHeaderValues.TRAILERS);
            out.set(HttpHeaderNames.CONNECTION, HttpHeaderNames.TE);
        }
        Via.write(received, out);
        if (received.method().equals(HttpMethod.OPTIONS)) {
            countDown(out);
        }
        writeFraming(received.headers(), out);
    }

    private static void writePrefix(Permit permit, Disclosure disclosure, String requestTarget, HttpHeaders out) {
        var stripped = disclosure.strippedFrom(permit.forwardedPath(), pathOf(requestTarget));
        if (stripped != null) {
            out.set(X_FORWARDED_PREFIX, stripped);
        }
    }

    /** A request target without its query. */
    static String pathOf(String requestTarget) {
        int query = requestTarget.indexOf('?');
        return query < 0 ? requestTarget : requestTarget.substring(0, query);
    }

    /** RFC 9110 section 7.6.2; zero does not come here. What is no number is nobody's limit. */
    private static void countDown(HttpHeaders out) {
        var left = maxForwards(out);
        if (left > 0) {
            out.set(HttpHeaderNames.MAX_FORWARDS, left - 1);
        } else {
            out.remove(HttpHeaderNames.MAX_FORWARDS);
        }
    }

    /** Whether no further recipient is to see that request. */
    public static boolean isForUs(RequestHead received) {
        return received.method().equals(HttpMethod.OPTIONS) && maxForwards(received.headers()) == 0;
    }

    private static int maxForwards(HttpHeaders head) {
        var value = head.get(HttpHeaderNames.MAX_FORWARDS);
        return value == null
                        || value.isEmpty()
                        || value.length() > MAX_FORWARDS_DIGITS
                        || !value.chars().allMatch(c -> c >= '0' && c <= '9')
                ? -1
                : Integer.parseInt(value);
    }

    private static void writeFraming(HttpHeaders received, HttpHeaders out) {
        var length = received.get(HttpHeaderNames.CONTENT_LENGTH);
        if (length != null) {
            out.set(HttpHeaderNames.CONTENT_LENGTH, length);
        } else if (received.contains(HttpHeaderNames.TRANSFER_ENCODING)) {
            out.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
    }

    /** Whether a body follows the head; on HTTP/2 the codec adds {@code Transfer-Encoding} to a head that has no length. */
    public static boolean announceBody(HttpHeaders received) {
        var length = received.get(HttpHeaderNames.CONTENT_LENGTH);
        return length == null ? received.contains(HttpHeaderNames.TRANSFER_ENCODING) : !length.equals("0");
    }

    private static void copy(Permit permit, HttpHeaders from, HttpHeaders to) {
        var nominated = HopByHop.nominatedBy(from);
        var plan = ForwardPlan.of(permit.route());
        var removed = plan.disclosure().removed();
        var credentials = mayHaveCredentials(permit, plan);
        for (var fields = from.iteratorCharSequence(); fields.hasNext(); ) {
            var field = fields.next();
            var name = field.getKey();
            if (!isDropped(name, credentials, removed)
                    && (nominated.isEmpty() || !HopByHop.isNominated(nominated, name))) {
                to.add(name, field.getValue());
            }
        }
    }

    private static boolean isDropped(CharSequence name, boolean credentials, IdentityHeaders removed) {
        return HopByHop.NAMES.contains(name)
                || REPLACED.contains(name)
                || (!credentials && CREDENTIALS.contains(name))
                || removed.contains(name)
                || AsciiString.regionMatchesAscii(name, true, 0, HTTP2_EXTENSION, 0, HTTP2_EXTENSION.length());
    }

    // An anonymous caller's credential was never verified. On a public route authenticate leaves what the upstream may
    // have.
    private static boolean mayHaveCredentials(Permit permit, ForwardPlan plan) {
        return permit.principal() instanceof Principal.Anonymous
                ? plan.disclosure().openCredentials()
                : plan.target().forwardToken();
    }
}
