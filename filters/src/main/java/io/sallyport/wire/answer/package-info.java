// SPDX-License-Identifier: Apache-2.0
/**
 * What the gateway itself says to a client: refusals, CORS preflights, protected-resource metadata.
 *
 * <p>RFC 9457 (problem details), RFC 9728 (protected-resource metadata), Fetch (CORS), the gRPC protocol over HTTP/2.
 */
@NullMarked
package io.sallyport.wire.answer;

import org.jspecify.annotations.NullMarked;
