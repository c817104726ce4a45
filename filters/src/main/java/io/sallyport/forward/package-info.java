// SPDX-License-Identifier: Apache-2.0
/**
 * Is the upstream really the workload that this route names? Redeems permits over mutual TLS with the upstream's SPIFFE ID
 * pinned per route, and makes the last edit of the heads in both directions.
 *
 * <p>Reasons: {@code forward.*}. Fails closed: without an own X509-SVID, without the peer's bundle, or with any other peer
 * than the expected, not one byte of the request is sent.
 *
 * <p>SPIFFE X509-SVID and Workload API; RFC 9110 section 7.6 (forwarding); RFC 6455 (WebSocket).
 */
@NullMarked
package io.sallyport.forward;

import org.jspecify.annotations.NullMarked;
