// SPDX-License-Identifier: Apache-2.0
/**
 * The keys of issuers: the port {@link io.sallyport.authenticate.keys.JwkSetSource}, the key sets that it hands out, and how a
 * key verifies. In memory, without I/O; the adapters that fetch key sets are beside this package.
 *
 * <p>RFC 7517 (JWK Set), RFC 7518 and 8037 (its key types).
 */
@NullMarked
package io.sallyport.authenticate.keys;

import org.jspecify.annotations.NullMarked;
