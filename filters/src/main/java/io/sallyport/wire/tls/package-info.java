// SPDX-License-Identifier: Apache-2.0
/**
 * Under which certificates is a port served, and what do its clients show? Certificates follow their files or the gateway's SVID;
 * each new connection gets those of that moment. What clients show is verified in the handshake.
 *
 * <p>Fails closed: files that do not belong together are refused as a whole, and without an SVID every handshake fails. What is
 * refused here has not become a request: it is counted, not recorded.
 *
 * <p>RFC 8446 (TLS 1.3), RFC 9325 (recommendations for TLS), SPIFFE X509-SVID.
 */
@NullMarked
package io.sallyport.wire.tls;

import org.jspecify.annotations.NullMarked;
