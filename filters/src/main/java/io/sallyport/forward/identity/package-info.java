// SPDX-License-Identifier: Apache-2.0
/**
 * What an upstream is told of the caller: header fields whose values expressions say, and tokens that the gateway signs.
 *
 * <p>A name that is written here is removed from every request of every client first (see {@link
 * io.sallyport.identity.IdentityHeaders}), so an upstream may believe it. Reasons: {@code forward.identity_too_large},
 * {@code forward.identity_undetermined}. Fails closed: what cannot be said is refused, before there is a connection.
 *
 * <p>RFC 8187 (ext-value), RFC 7515 (JWS), the OAuth drafts on transaction tokens.
 */
@NullMarked
package io.sallyport.forward.identity;

import org.jspecify.annotations.NullMarked;
