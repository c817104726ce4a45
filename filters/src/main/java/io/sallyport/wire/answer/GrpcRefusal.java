// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import io.sallyport.decision.Denial;
import io.sallyport.pipeline.RequestContext;

/**
 * What a refusal is to a client of gRPC: it looks for a status of its own, and shows its user nothing of a document. Such an answer
 * has trailers only, in the words of the gRPC protocol: one block of fields, HTTP status 200, and nothing behind it.
 */
public final class GrpcRefusal {
    private static final String MEDIA_TYPE = "application/grpc";

    private static final AsciiString STATUS = AsciiString.cached("grpc-status");
    private static final AsciiString MESSAGE = AsciiString.cached("grpc-message");

    private static final int UNKNOWN = 2;
    private static final int PERMISSION_DENIED = 7;
    private static final int RESOURCE_EXHAUSTED = 8;
    private static final int UNIMPLEMENTED = 12;
    private static final int INTERNAL = 13;
    private static final int UNAVAILABLE = 14;
    private static final int UNAUTHENTICATED = 16;

    private GrpcRefusal() {}

    /** Whether that request is one of gRPC. */
    public static boolean isFor(RequestContext context) {
        var head = context.head();
        return head.isHttp2() && isGrpc(head.headers());
    }

    /** By the media type, {@code application/grpc} with or without the name of a message format. */
    public static boolean isGrpc(HttpHeaders request) {
        var type = request.get(HttpHeaderNames.CONTENT_TYPE);
        return type != null
                && type.regionMatches(true, 0, MEDIA_TYPE, 0, MEDIA_TYPE.length())
                && (type.length() == MEDIA_TYPE.length() || "+; ".indexOf(type.charAt(MEDIA_TYPE.length())) >= 0);
    }

    /** Makes the head of a refusal one of gRPC; whatever else the refusal obliges us to say stays. */
    static void write(Denial denial, HttpHeaders head) {
        var reason = denial.reason();
        head.set(HttpHeaderNames.CONTENT_TYPE, MEDIA_TYPE)
                .remove(HttpHeaderNames.CONTENT_LENGTH)
                .setInt(STATUS, statusOf(reason.status()))
                .set(MESSAGE, reason.publicCode().code());
    }

    /**
     * The trailer fields of a call that the gateway ends.
     *
     * @param expired whether the caller's credential holds no longer
     */
    public static HttpHeaders trailers(Denial denial, boolean expired) {
        return DefaultHttpHeadersFactory.trailersFactory()
                .newHeaders()
                .setInt(STATUS, expired ? UNAUTHENTICATED : statusOf(denial.status()))
                .set(MESSAGE, denial.reason().publicCode().code());
    }

    /** As clients of gRPC translate statuses themselves, but for 429, which they would take for an outage, and 413, of which they know nothing. */
    private static int statusOf(int http) {
        return switch (http) {
            case 400 -> INTERNAL;
            case 401 -> UNAUTHENTICATED;
            case 403 -> PERMISSION_DENIED;
            case 404 -> UNIMPLEMENTED;
            case 413, 429 -> RESOURCE_EXHAUSTED;
            case 502, 503, 504 -> UNAVAILABLE;
            default -> UNKNOWN;
        };
    }
}
