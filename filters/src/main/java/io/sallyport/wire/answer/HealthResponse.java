// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.sallyport.forward.HttpDate;
import io.sallyport.pipeline.RequestContext;
import java.nio.charset.StandardCharsets;

/** The response to a health check: whether requests may be sent here. Says nothing else, for anybody may ask. */
public final class HealthResponse {
    private static final byte[] SERVING = "ok\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DRAINING = "draining\n".getBytes(StandardCharsets.US_ASCII);

    private HealthResponse() {}

    /**
     * The whole response.
     *
     * @param draining whether the gateway stops
     */
    public static FullHttpResponse of(boolean draining, RequestContext context) {
        var body = draining ? DRAINING : SERVING;
        var headers = DefaultHttpHeadersFactory.headersFactory()
                .newHeaders()
                .set(HttpHeaderNames.DATE, HttpDate.of(context.receivedAt()))
                .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.TEXT_PLAIN)
                .set(HttpHeaderNames.CONTENT_LENGTH, body.length)
                .set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
        return new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1,
                draining ? HttpResponseStatus.SERVICE_UNAVAILABLE : HttpResponseStatus.OK,
                context.head().method().equals(HttpMethod.HEAD) ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(body),
                headers,
                EmptyHttpHeaders.INSTANCE);
    }
}
