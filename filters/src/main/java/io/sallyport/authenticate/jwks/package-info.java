// SPDX-License-Identifier: Apache-2.0
/**
 * Where issuers' keys come from: fetched over HTTPS ahead of time, kept in memory, and kept on while the issuer cannot be reached.
 * The only place of {@code authenticate} with I/O; requests read {@link io.sallyport.authenticate.keys.JwkSetSource#current} and wait
 * here for nothing but the one fetch that an unknown key is worth.
 *
 * <p>What an issuer's endpoint answers is bounded in time, length, number of keys and redirects (there are none): one that hangs,
 * drips, or sends something else costs its own freshness and no request of anybody.
 *
 * <p>With {@code stages.authenticate.key-sets} the last good set of each issuer is on disk too ({@link
 * io.sallyport.authenticate.jwks.KeySetFile}), for a start while the issuer cannot be reached; what is read there is believed for the
 * rest of {@code max-stale}, and only until the first fetch.
 *
 * <p>RFC 7517 (JWK Set), OpenID Connect Discovery 1.0 section 4, RFC 9111 ({@code max-age}), RFC 9110 section 13 ({@code ETag}).
 */
@NullMarked
package io.sallyport.authenticate.jwks;

import org.jspecify.annotations.NullMarked;
