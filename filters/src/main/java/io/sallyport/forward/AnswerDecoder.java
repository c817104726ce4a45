// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpResponseDecoder;

/**
 * Reads the answers on one upstream connection. Does what the decoder inside Netty's {@code HttpClientCodec} does, and tells
 * what that one keeps to itself: whether bytes are left behind the end of an answer.
 */
final class AnswerDecoder extends HttpResponseDecoder {
    private static final int MAX_ANSWER_LINE = 8 * 1024;
    private static final int MAX_ANSWER_HEADERS = 64 * 1024;

    private boolean toHead;

    AnswerDecoder() {
        super(new HttpDecoderConfig()
                .setMaxInitialLineLength(MAX_ANSWER_LINE)
                .setMaxHeaderSize(MAX_ANSWER_HEADERS)
                .setValidateHeaders(true)
                .setAllowDuplicateContentLengths(false));
    }

    /** Whether the next answer is one to a HEAD, which has no body whatever its head says. */
    void expectAnswerToHead(boolean toHead) {
        this.toHead = toHead;
    }

    /** Whether there are bytes that belong to no message yet. */
    boolean hasBytesLeft() {
        return actualReadableBytes() > 0;
    }

    @Override
    protected boolean isContentAlwaysEmpty(HttpMessage message) {
        return toHead || super.isContentAlwaysEmpty(message);
    }
}
