// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;

/** The rest of an answer that nobody waits for: read and forgotten, as long as it is short and there soon. */
final class UnwantedAnswer extends UpstreamCall {
    /** How long it is read for, and how much of it: with either, closing costs less. */
    static final Duration WITHIN = Duration.ofMillis(250);

    private static final int BYTES = 64 * 1024;

    private final UpstreamConnection connection;
    private int bytesLeft = BYTES;

    UnwantedAnswer(UpstreamConnection connection) {
        super(WITHIN, WITHIN);
        this.connection = connection;
    }

    @Override
    protected void writabilityChanged() {
        // All of the request has been sent.
    }

    @Override
    protected void head(HttpResponse head) {
        ReferenceCountUtil.release(head);
        if (HttpUtil.getContentLength(head, 0L) > bytesLeft) {
            bytesLeft = -1;
        }
    }

    @Override
    protected void part(ByteBuf content) {
        bytesLeft -= content.readableBytes();
        content.release();
    }

    @Override
    protected void readComplete() {
        if (bytesLeft < 0) {
            connection.abandon(this);
        }
    }

    @Override
    protected void end(HttpHeaders trailers) {}

    @Override
    protected void failed(Throwable why) {
        // Nobody wants to know.
    }
}
