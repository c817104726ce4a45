// SPDX-License-Identifier: Apache-2.0
/**
 * The seam with Spring Cloud Gateway: hands a permitted request to Spring's own handler, replaces the library's route look-up by
 * "the route that the permit names", and ends in the same {@code UpstreamClient} as every other way forward. Which of the
 * library's filters a route may list is decided here, in {@link io.sallyport.gateway.FilterDefinitions}.
 *
 * <p>Without a permit there is no route: 404. Whatever filters did, the upstream is the permit's and what the gateway says of
 * the caller's identity is written after them.
 */
@NullMarked
package io.sallyport.gateway;

import org.jspecify.annotations.NullMarked;
