// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import org.jspecify.annotations.Nullable;

/**
 * The head of an upstream's answer, its body still to come. Whoever has it writes it or discards it, once; a connection is
 * held until then. On the request's event loop.
 */
public final class UpstreamAnswer {
    private final Attempt attempt;
    private final HttpResponse head;
    private final AnswerBody body;

    UpstreamAnswer(Attempt attempt, HttpResponse head, AnswerBody body) {
        this.attempt = attempt;
        this.head = head;
        this.body = body;
    }

    public HttpResponseStatus status() {
        return head.status();
    }

    /** As received. */
    public HttpHeaders headers() {
        return head.headers();
    }

    /** Answers the client with it as it is. */
    public void write() {
        write(status(), headers());
    }

    /**
     * Answers the client with it.
     *
     * @param status as filters have left it
     * @param head as filters have left it; the last edit follows
     */
    public void write(HttpResponseStatus status, HttpHeaders head) {
        var permit = attempt.permit();
        // The upstream's fields have been checked by its codec, and ours need not be.
        var out =
                DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
        ResponseHeaders.write(permit, head, contentLength(status), out);
        var plan = ForwardPlan.of(permit.route());
        if (plan.rewrite() != null) {
            plan.rewrite()
                    .edit(out, permit.route().host(), plan.target(), permit.forwardedPath(), attempt.requestPath());
        }
        if (attempt.hasSwitched()) {
            attempt.switchClient(headers(), out);
        } else if (ResponseHeaders.isBodiless(permit.context().head().method(), status)) {
            // The upstream may have sent one all the same, where a filter made it a status without.
            attempt.settle();
            discard();
            attempt.client().answer(status, out, Body.NONE);
        } else {
            attempt.client().answer(status, out, body);
        }
    }

    // RFC 9110 section 8.6: none in a 204, and a 205 has no content.
    private @Nullable String contentLength(HttpResponseStatus status) {
        return status.code() == HttpResponseStatus.NO_CONTENT.code()
                        || status.code() == HttpResponseStatus.RESET_CONTENT.code()
                ? null
                : headers().get(HttpHeaderNames.CONTENT_LENGTH);
    }

    /** Gives the answer up: closes its connection unless all of it has arrived already. */
    public void discard() {
        attempt.clientLeft();
    }
}
