// SPDX-License-Identifier: Apache-2.0
/**
 * Who is calling? Verifies the one credential that decides, and sets {@link
 * io.sallyport.pipeline.RequestContext#principal()}. On a public route it removes every credential unread instead.
 *
 * <p>Which one decides is the route's to say. One that accepts tokens alone looks at {@code Authorization}, one that accepts
 * workloads alone at the connection's certificate. On a route for both, a request with {@code Authorization} is judged by that,
 * good or bad, and one without by its certificate. What does not decide proves nothing to anybody.
 *
 * <p>Reads: {@code Authorization}, the client's certificate, the matched route and its {@link
 * io.sallyport.authenticate.AcceptedTokens}, the key sets, the trust bundles. Sets: the principal, only to a {@link
 * io.sallyport.identity.Principal.Subject} all of whose claims passed, or to a {@link
 * io.sallyport.identity.Principal.Workload} whose SVID did. Reasons: {@code authenticate.*}.
 *
 * <p>A certificate was verified in the handshake. For each request it is asked again whether it has expired, and whether the
 * trust bundles of that moment still vouch for it.
 *
 * <p>A token is of the issuer that its {@code iss} names; if that is none of the route's, of the trust domain that its {@code sub}
 * is a workload of. It is verified under the keys of that one alone.
 *
 * <p>A token that has not the form of a JWS is opaque. Where one of the route's issuers has {@code introspection}, that one is asked
 * about it (RFC 7662), and its answer is judged as a JWT's claims are, from {@code iss} on; elsewhere it is malformed. A JWT is never
 * asked about. What the issuer cannot be asked is {@code authenticate.introspection_unavailable}, and denies with 503.
 *
 * <p>The order in which a token is judged is fixed: one credential, size, structure, algorithm, key of the token's own issuer,
 * signature, type, audience, {@code exp}, {@code nbf}, {@code iat}, age, lifetime, required claims, binding. What comes before
 * the signature buys an attacker nothing but the parse; what comes after is judged again on each use of a remembered token.
 *
 * <p>Cannot decide when no key set of the issuer could be had, when the last one is too old, or when the one fetch that an
 * unknown key is worth failed: that is {@code authenticate.jwks_unavailable} and always denies, with 503, so that a client does
 * not discard a good token. Without trust bundles it is {@code authenticate.bundle_unavailable}, likewise.
 *
 * <p>RFC 6750 (bearer tokens), RFC 7515, 7517, 7518 and 8037 (JOSE), RFC 7519 and 8725 (JWT and its best practice), RFC 9068
 * (access tokens), RFC 9728 (protected resource metadata), SPIFFE X509-SVID
 * and JWT-SVID.
 */
@NullMarked
package io.sallyport.authenticate;

import org.jspecify.annotations.NullMarked;
