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
 * @param tenant whose tokens alone these are, or null if the issuer has no tenants
 */
public record ClaimReading(
        String issuerName,
        String issuer,
        @Nullable TrustDomain trustDomain,
        @Nullable String clientClaim,
        @Nullable Tenant tenant) {
    /** A tenant of the issuer, and the claim that has to say the same. */
    public record Tenant(String claim, String id) {}

    /** The same for the tokens of one tenant. */
    public ClaimReading ofTenant(String claim, String id) {
        return new ClaimReading(issuerName, issuer, trustDomain, clientClaim, new Tenant(claim, id));
    }
}
