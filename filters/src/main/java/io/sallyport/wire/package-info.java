// SPDX-License-Identifier: Apache-2.0
/**
 * The seam with Reactor Netty, on the ingress port: bytes become a {@link io.sallyport.pipeline.RequestHead}, the pipeline's
 * verdict becomes an answer. {@link io.sallyport.wire.exchange.IngressHandler} is the port's only request handler; no Spring web object
 * exists before it has a permit.
 *
 * <p>Reads: the connection (TLS facts, peer) and the request. Sets: the request id, the one clock reading, and, for what ends
 * before {@code edge} could say better, the client's address. Reasons: those of {@code edge} that only the wire can see (a body
 * too large, too late or broken; a message that the codec refuses; an answer that nobody reads), {@code pipeline.not_ready}, and
 * {@code forward.failed} for whatever nobody foresaw. Every request ends here in exactly one outcome. Where it cannot decide it
 * refuses: never a 500, never a stack trace, never an answer that looks complete and is not.
 *
 * <p>Parts of it know nothing of the whole: {@code tls} (certificates, ours and clients'), {@code framing} (what stands before the
 * codecs) and {@code shedding} (what is too much for the event loops). {@link io.sallyport.wire.listener.IngressServerCustomizer} puts them
 * together.
 *
 * <p>HAProxy's PROXY protocol, RFC 9110, RFC 9112, RFC 9113 (HTTP), RFC 9457 (problem details), RFC 9728 (protected-resource metadata), Fetch (CORS).
 */
@NullMarked
package io.sallyport.wire;

import org.jspecify.annotations.NullMarked;
