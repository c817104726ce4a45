// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

/**
 * The {@code filters:} of a route, compiled by the seam that runs them. This package knows that they are there, and nothing
 * else of them.
 */
public interface RouteFilters {}
