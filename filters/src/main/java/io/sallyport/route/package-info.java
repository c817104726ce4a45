// SPDX-License-Identifier: Apache-2.0
/**
 * Is the matched upstream able to take the request? The last question before a permit: leases a place at the upstream from its
 * circuit breaker and its bulkhead, and gives it to whoever ends the exchange as an {@link
 * io.sallyport.pipeline.UpstreamLease}.
 *
 * <p>Reads: the route. Sets: the lease. Reasons: {@code route.*}, each 503 with {@code Retry-After}. Always decides, from
 * memory. Breakers and bulkheads belong to the upstream, not to the route, and outlive a reload that does not change them.
 */
@NullMarked
package io.sallyport.route;

import org.jspecify.annotations.NullMarked;
