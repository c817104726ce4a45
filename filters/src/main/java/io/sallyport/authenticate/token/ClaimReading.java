// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.token;

import io.spiffe.spiffeid.TrustDomain;
import org.jspecify.annotations.Nullable;

/**
 * How the claims of one issuer's tokens are read.
 *
 * @param issuerName the issuer's name in the configuration
 * @param issuer the exact {@code iss}, or the SPIFFE ID of the trust domain
 * @param trustDomain whose workloads' JWT-SVIDs the tokens are, or null if they are access tokens
 * @param clientClaim which claim names the client, or null for {@code client_id}, else {@code azp}
 */
public record ClaimReading(
        String issuerName,
        String issuer,
        @Nullable TrustDomain trustDomain,
        @Nullable String clientClaim) {}
