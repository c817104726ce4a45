// SPDX-License-Identifier: Apache-2.0
/**
 * The seam with Reactor Netty, on the ingress port: bytes become a {@link io.sallyport.pipeline.RequestHead}, the pipeline's verdict
 * becomes an answer. The only code that writes bytes to clients. Of Reactor Netty's server it uses what accepts connections and speaks
 * TLS; none of its handlers, and no object of Spring's web framework, sees a request.
 *
 * <p>{@code listener} puts the parts together: {@code tls} (certificates, ours and clients'), {@code framing} (what stands before the
 * codecs), {@code http1} and {@code http2} (connections and streams), {@code exchange} (one request until its end), {@code answer} (what
 * the gateway says itself) and {@code shedding} (what is too much for the event loops). No part knows this package.
 */
@NullMarked
package io.sallyport.wire;

import org.jspecify.annotations.NullMarked;
