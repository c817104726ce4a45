// SPDX-License-Identifier: Apache-2.0
/**
 * Too much from there? Throttles a client's network before any signature is verified for it: too many failed authentications
 * within the last minute, or too many connections at once.
 *
 * <p>Reads: the client's address, the snapshot's {@link io.sallyport.flood.FloodConfig}. Sets nothing. Reasons: {@code flood.*},
 * both 429. It learns from outcomes: {@link io.sallyport.flood.AuthenticationFailures} says which of them is a failed
 * authentication. Always decides; what it forgets under memory pressure is in favour of the client.
 *
 * <p>RFC 6585 section 4 (429).
 */
@NullMarked
package io.sallyport.flood;

import org.jspecify.annotations.NullMarked;
