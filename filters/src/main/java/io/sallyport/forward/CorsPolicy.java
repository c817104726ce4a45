// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.http.HttpHeaders;

/**
 * What answers on a route say to pages of other origins (Fetch standard, CORS protocol). The upstream has no say in it: its
 * own {@code Access-Control-*} fields are removed before this is asked.
 */
@FunctionalInterface
public interface CorsPolicy {
    /**
     * Writes what the route allows.
     *
     * @param request the request's head as it came
     * @param answer the head that is about to be sent; no {@code Access-Control-*} in it
     */
    void writeTo(HttpHeaders request, HttpHeaders answer);
}
