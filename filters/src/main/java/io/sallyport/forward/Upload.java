// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.forward.upstream.UpstreamConnection;

/**
 * Sends a request's body to the upstream behind its head, at the upstream's pace. Trailer fields are dropped.
 *
 * <p>If the body breaks off, the exchange ends, and with it the upstream's connection: nothing is completed here.
 */
final class Upload implements Body.Taker {
    private final Body body;
    private final UpstreamConnection connection;
    private boolean over;

    Upload(Body body, UpstreamConnection connection) {
        this.body = body;
        this.connection = connection;
    }

    void begin() {
        body.take(this);
    }

    @Override
    public void part(ByteBuf content) {
        if (over) {
            content.release();
            return;
        }
        connection.sendPart(content);
        if (!connection.isWritable()) {
            body.want(false);
        }
    }

    @Override
    public void pause() {
        if (!over) {
            connection.flush();
        }
    }

    @Override
    public void end(HttpHeaders trailers) {
        if (!over) {
            over = true;
            connection.endRequest();
        }
    }

    @Override
    public void failed(Throwable why) {
        over = true;
    }

    void writabilityChanged() {
        if (!over) {
            body.want(connection.isWritable());
        }
    }

    /** The upstream takes no more of it. */
    void stop() {
        if (!over) {
            over = true;
            body.discard();
        }
    }
}
