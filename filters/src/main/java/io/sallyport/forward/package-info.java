// SPDX-License-Identifier: Apache-2.0
/**
 * Redeems permits: makes the last edit of the heads in both directions, and hands a request to a connection to its upstream and the
 * answer to the client. {@link io.sallyport.forward.UpstreamClient} is one request there and back.
 *
 * <p>Parts of it know nothing of the whole: {@code svid} (who is the gateway?), {@code upstream} (is that the workload which the
 * route names?) and {@code spiffe} (where SVIDs and bundles come from).
 *
 * <p>Reasons: {@code forward.*}. Fails closed: without an own X509-SVID, without the peer's bundle, or with any other peer
 * than the expected, not one byte of the request is sent.
 *
 * <p>SPIFFE X509-SVID and Workload API; RFC 9110 section 7.6 (forwarding); RFC 6455 (WebSocket).
 */
@NullMarked
package io.sallyport.forward;

import org.jspecify.annotations.NullMarked;
