// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import io.spiffe.spiffeid.SpiffeId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Who is calling, proven. Only the {@code authenticate} stage sets one that is not {@link Anonymous}. */
public sealed interface Principal {

    /** Nobody in particular: a public route, or a credential that was not verified. */
    enum Anonymous implements Principal {
        ANONYMOUS
    }

    /**
     * A workload that proved its SPIFFE ID.
     *
     * @param expiresAt end of validity of the SVID that proved it
     */
    record Workload(SpiffeId spiffeId, Instant expiresAt) implements Principal {}

    /**
     * The subject of a verified access token (RFC 9068 section 2.2), with its claims as verified.
     *
     * @param issuerName the issuer's name in the configuration, for rules, metrics and records
     * @param issuer the exact {@code iss}
     * @param subject {@code sub}
     * @param clientId {@code client_id}, else {@code azp}, unless the issuer's section names another claim
     * @param sessionId {@code sid}
     * @param tokenId {@code jti}
     * @param scopes the granted scopes, each one token
     * @param acr {@code acr} (OpenID Connect Core section 2)
     * @param authenticatedAt {@code auth_time}
     * @param claims every claim of the token: strings, booleans, longs, doubles, lists and maps of these; immutable
     */
    record Subject(
            String issuerName,
            String issuer,
            String subject,
            @Nullable String clientId,
            @Nullable String sessionId,
            @Nullable String tokenId,
            Instant issuedAt,
            Instant expiresAt,
            Set<String> scopes,
            @Nullable String acr,
            List<String> amr,
            @Nullable Instant authenticatedAt,
            Map<String, Object> claims)
            implements Principal {}
}
