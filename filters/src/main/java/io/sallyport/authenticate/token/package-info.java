// SPDX-License-Identifier: Apache-2.0
/**
 * What a token says, and the port {@link io.sallyport.authenticate.token.OpaqueTokenSource} by which an issuer says it of those
 * that only it can read. In memory, without I/O; the adapter that asks is beside this package. What is here judges no token.
 *
 * <p>RFC 7519 (JWT), RFC 7662 (introspection).
 */
@NullMarked
package io.sallyport.authenticate.token;

import org.jspecify.annotations.NullMarked;
