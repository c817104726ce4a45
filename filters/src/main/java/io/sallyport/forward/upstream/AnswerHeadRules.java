// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import org.jspecify.annotations.Nullable;

/** What the head of an answer may say: what has one reading only, for us and for the client (RFC 9110, RFC 9112). */
final class AnswerHeadRules {
    private AnswerHeadRules() {}

    /** What is wrong with the head of a final answer; null if nothing is. */
    static @Nullable String problemOfFinal(HttpResponse head) {
        var length = head.headers().get(HttpHeaderNames.CONTENT_LENGTH);
        if (length != null && length.length() > 1 && length.charAt(0) == '0') {
            // The codec reads it as a decimal number, and the client would get it as it is.
            return "a length with leading zeros";
        }
        var codings = head.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
        if (codings.isEmpty()
                || (codings.size() == 1 && HttpHeaderValues.CHUNKED.contentEqualsIgnoreCase(codings.getFirst()))) {
            return null;
        }
        return "transfer coding other than chunked";
    }

    /** What is wrong with the head of an interim answer; null if nothing is. */
    static @Nullable String problemOfInterim(HttpResponse head) {
        // RFC 9110 section 8.6 and RFC 9112 section 6.1: neither is ever sent with one.
        return head.headers().contains(HttpHeaderNames.CONTENT_LENGTH)
                        || head.headers().contains(HttpHeaderNames.TRANSFER_ENCODING)
                ? "an interim answer with a body"
                : null;
    }

    /** Whether the head announces a body that an answer to that method with this status does not have. */
    static boolean announcesBodyThatCannotBe(HttpMethod method, HttpResponse head) {
        int status = head.status().code();
        return (method.equals(HttpMethod.HEAD)
                        || status == HttpResponseStatus.NO_CONTENT.code()
                        || status == HttpResponseStatus.NOT_MODIFIED.code())
                && (HttpUtil.getContentLength(head, 0L) > 0
                        || head.headers().contains(HttpHeaderNames.TRANSFER_ENCODING));
    }
}
