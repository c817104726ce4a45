// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

/**
 * The {@code filters:} of a route, compiled by the seam that runs them. This package knows whether there are any, and nothing
 * else of them.
 */
@FunctionalInterface
public interface RouteFilters {
    /** Of a route that only forwards. */
    RouteFilters NONE = () -> true;

    boolean isEmpty();
}
