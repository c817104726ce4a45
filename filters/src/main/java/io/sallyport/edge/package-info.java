// SPDX-License-Identifier: Apache-2.0
/**
 * Is this request unambiguous, and which route does it name? Refuses what two readers could understand differently, removes
 * what a client must not be able to say, and reads host, method and path once for everybody after it.
 *
 * <p>Reads: the request's head and the peer's address. Sets: {@link io.sallyport.pipeline.RequestContext#client}, before
 * anything here can refuse; {@link io.sallyport.pipeline.RequestContext#matched}, with the route, the canonical path, the query
 * and the path variables; {@link io.sallyport.pipeline.RequestContext#allowedMethods} where a path has routes but none
 * for the method. Removes from the head, on public routes too, every field by which a gateway says who a caller is or where
 * a request came from ({@link io.sallyport.identity.IdentityHeaders}).
 *
 * <p>Reasons: {@code edge.*}, for whole messages; those for bytes that are none are given by {@code wire.framing.FramingGuard}, which
 * stands in front of the codec. Always decides. An unknown host is refused here; an unknown path, or one that does not take
 * the method, passes on the host's unmatched route, so that {@code authorize} can answer 404 or 405 to those who may know.
 *
 * <p>Which route goes before another: literal segments before {@code {name}} and {@code *}, these before {@code **}, from the
 * left and with backtracking; then the method, among the routes of that one pattern. {@link io.sallyport.edge.RouteTable} holds
 * it, {@code docs/routing.md} explains it to operators.
 *
 * <p>RFC 9110 and RFC 9112 (HTTP), RFC 9113 section 8.3 ({@code :authority}), RFC 3986 section 6.2.2 (normalization), RFC 6750
 * section 5.3 (no tokens in URLs), W3C Trace Context section 7.
 */
@NullMarked
package io.sallyport.edge;

import org.jspecify.annotations.NullMarked;
