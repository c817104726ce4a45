// SPDX-License-Identifier: Apache-2.0
/**
 * Is it too much? Charges each request to the limits of its route, by subject, client, address, claim or route. A {@link
 * io.sallyport.ratelimit.store.LimitStore} counts them, in memory today.
 *
 * <p>Reads: principal, client address, the route's {@link io.sallyport.ratelimit.RouteLimits}. Sets {@link
 * io.sallyport.pipeline.RequestContext#rateLimitState}, on requests that pass as well. Reasons: {@code ratelimit.*}. Cannot
 * decide when the store cannot be asked or does not answer; that is {@code ratelimit.unavailable} and follows {@code on-undecided}.
 *
 * <p>The limits of a request are charged in their order, all or none. The stage gives charges back when a later one is refused or fails, and
 * when the client goes away meanwhile. A charge of which nobody knows whether it was made is not given back.
 *
 * <p>RFC 6585 section 4 (429), draft-ietf-httpapi-ratelimit-headers-10 ({@code RateLimit}, {@code RateLimit-Policy}).
 */
@NullMarked
package io.sallyport.ratelimit;

import org.jspecify.annotations.NullMarked;
