// SPDX-License-Identifier: Apache-2.0
/**
 * Is it too much? Charges each request to the buckets of its route's policies, by subject, client, address, claim or route.
 *
 * <p>Reads: principal, client address, the route's {@link io.sallyport.ratelimit.RouteLimits}. Sets {@link
 * io.sallyport.pipeline.RequestContext#rateLimitState}, on requests that pass as well. Reasons: {@code ratelimit.*}. Cannot
 * decide when a bucket cannot be had; that is {@code ratelimit.unavailable} and follows {@code on-undecided}.
 *
 * <p>RFC 6585 section 4 (429), draft-ietf-httpapi-ratelimit-headers-10 ({@code RateLimit}, {@code RateLimit-Policy}).
 */
@NullMarked
package io.sallyport.ratelimit;

import org.jspecify.annotations.NullMarked;
