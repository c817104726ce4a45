// SPDX-License-Identifier: Apache-2.0
/**
 * Connections of HTTP/2, and a {@link io.sallyport.wire.exchange.ClientConnection} for each of their streams.
 *
 * <p>RFC 9113.
 */
@NullMarked
package io.sallyport.wire.http2;

import org.jspecify.annotations.NullMarked;
