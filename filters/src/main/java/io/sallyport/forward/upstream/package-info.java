// SPDX-License-Identifier: Apache-2.0
/**
 * Is at the other end of this connection the workload that the route names? Connections to upstreams, over HTTP/1.1 and HTTP/2:
 * how one is made and whom it is pinned to, which are kept and for how long, and one request and its answer on one of them.
 *
 * <p>{@link io.sallyport.forward.upstream.UpstreamConnections} has the pools of all targets, and decides under which SVID and
 * towards which peer a connection is made. Fails closed: a handshake with any other peer ends before a byte of a request is sent,
 * and a connection made under an identity or an authority that has gone is used no more.
 *
 * <p>RFC 9112 (HTTP/1.1), RFC 9113 (HTTP/2), SPIFFE X509-SVID section 5 (validation).
 */
@NullMarked
package io.sallyport.forward.upstream;

import org.jspecify.annotations.NullMarked;
