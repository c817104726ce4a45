// SPDX-License-Identifier: Apache-2.0
/**
 * Where issuers are asked about opaque tokens (RFC 7662). A request waits here for its own token's answer and for no other's; each
 * question has a deadline, only so many are under way at once, and however many requests carry a token, one asks about it. What
 * cannot be found out in time is {@code authenticate.introspection_unavailable}: 503, never a pass.
 *
 * <p>A token leaves this package in the body of a POST over TLS, to the one issuer of its route, and in no other way: it is
 * remembered by its digest, and neither logged nor part of an exception.
 */
@NullMarked
package io.sallyport.authenticate.introspection;

import org.jspecify.annotations.NullMarked;
