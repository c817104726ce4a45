// SPDX-License-Identifier: Apache-2.0
/**
 * Connections of HTTP/1.1 and HTTP/1.0. {@link io.sallyport.wire.http1.Http1Connection} alone knows whose turn a connection is: a
 * request begins when the one before it has been answered and read.
 *
 * <p>RFC 9112.
 */
@NullMarked
package io.sallyport.wire.http1;

import org.jspecify.annotations.NullMarked;
