// SPDX-License-Identifier: Apache-2.0
/**
 * Was the proof withdrawn? Looks the verified token up in the deny-list, by {@code jti}, by {@code sid}, by {@code sub} and by client.
 *
 * <p>Reads: principal, and {@link io.sallyport.revocation.denylist.DenyList} for as long as the process lives. Sets nothing. Only a {@link
 * io.sallyport.identity.Principal.Subject} can be revoked here: an SVID lives for minutes and is withdrawn at its issuer. Reasons:
 * {@code revocation.*}. Cannot decide when the deny-list could not be read back at start and what there is of it does not name the
 * token; that is {@code revocation.unavailable} and follows {@code on-undecided}.
 *
 * <p>Entries name claims, never the hash of a token: the same token can be written in more than one way (other signature bytes, other
 * base64), and would then have another hash.
 *
 * <p>{@link io.sallyport.revocation.RevocationApi} is how an operator changes the list; {@code journal} keeps it over a restart. RFC
 * 6750 section 3.1 ({@code invalid_token}).
 */
@NullMarked
package io.sallyport.revocation;

import org.jspecify.annotations.NullMarked;
