// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import com.nimbusds.jwt.JWTClaimsSet;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import io.netty.util.NetUtil;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.RequestContext;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The tokens by which a route tells its upstream who called, compiled. They are about one request and are signed for it: none is
 * kept, so a token that leaks is of one request. None is valid for longer than the caller's own credential. Safe for use by every event
 * loop at once.
 *
 * @param audience the {@code aud} of assertions, one or several
 * @param assertion null for none
 * @param txnToken null for none
 * @param scopes those that the route requires: a transaction token has no others
 */
public record CallerTokens(
        List<String> audience,
        @Nullable AssertionConfig assertion,
        @Nullable TxnTokenConfig txnToken,
        List<String> scopes) {
    private static final AsciiString ASSERTION = AsciiString.cached("x-sallyport-assertion");
    private static final AsciiString TXN_TOKEN = AsciiString.cached("txn-token");
    private static final String ASSERTION_TYPE = "sallyport-assertion+jwt";
    private static final String TXN_TOKEN_TYPE = "txntoken+jwt";

    private static final Denial TOO_LARGE = new Denial.Forbidden(Reason.FORWARD_IDENTITY_TOO_LARGE);
    private static final Denial NO_IDENTITY =
            new Denial.Unavailable(Reason.FORWARD_SVID_MISSING, Duration.ofSeconds(5));

    public CallerTokens {
        audience = List.copyOf(audience);
        scopes = List.copyOf(scopes);
    }

    /** Who the caller is, in the words of both tokens. */
    private record Caller(String subject, Instant expiresAt, Principal.@Nullable Subject token) {
        static @Nullable Caller of(Principal principal) {
            return switch (principal) {
                case Principal.Anonymous _ -> null;
                case Principal.Workload workload ->
                    new Caller(workload.spiffeId().toString(), workload.expiresAt(), null);
                case Principal.Subject token -> new Caller(token.subject(), token.expiresAt(), token);
            };
        }

        Date until(Instant now, Duration lifetime) {
            var end = now.plus(lifetime);
            return Date.from(expiresAt.isBefore(end) ? expiresAt : end);
        }
    }

    /**
     * Writes the tokens of one request. Takes tens of microseconds for each.
     *
     * @return why the request cannot be forwarded, or null
     */
    public @Nullable Denial write(RequestContext context, TokenIssuer issuer, HttpHeaders out) {
        var caller = Caller.of(context.principal());
        if (caller == null) {
            // Let in by an observed denial: there is nobody to speak of.
            return null;
        }
        var keys = issuer.keys();
        var name = issuer.name();
        if (keys == null || name == null) {
            return NO_IDENTITY;
        }
        var now = context.receivedAt();
        var key = keys.signer(now);
        if (assertion != null) {
            var token = key.sign(ASSERTION_TYPE, assertionOf(context, caller, name, assertion));
            if (token.length() > IdentityFields.MOST_BYTES) {
                return TOO_LARGE.with(
                        Evidence.Key.DETAIL,
                        "assertion: %d bytes (at most %d)".formatted(token.length(), IdentityFields.MOST_BYTES));
            }
            out.set(ASSERTION, token);
        }
        if (txnToken != null) {
            var identity = issuer.identity();
            if (identity == null) {
                return NO_IDENTITY;
            }
            var claims = transactionOf(context, caller, txnToken)
                    .audience(identity.id().getTrustDomain().getName())
                    .claim("req_wl", identity.id().toString())
                    .build();
            out.set(TXN_TOKEN, key.sign(TXN_TOKEN_TYPE, claims));
        }
        return null;
    }

    private JWTClaimsSet assertionOf(RequestContext context, Caller caller, String name, AssertionConfig config) {
        var now = context.receivedAt();
        var claims = new JWTClaimsSet.Builder()
                .issuer(name)
                .subject(caller.subject())
                .audience(audience)
                .issueTime(Date.from(now))
                .expirationTime(caller.until(now, config.lifetime()))
                .jwtID(context.requestId().toString())
                .claim("route", context.requireRoute().name());
        var token = caller.token();
        if (token != null) {
            claims.claim("origin_iss", token.issuer());
            if (token.clientId() != null) {
                claims.claim("client_id", token.clientId());
            }
            if (!token.scopes().isEmpty()) {
                claims.claim("scope", String.join(" ", new TreeSet<>(token.scopes())));
            }
            for (var claim : config.claims()) {
                var value = token.claims().get(claim);
                if (value != null) {
                    claims.claim(claim, value);
                }
            }
        }
        return claims.build();
    }

    private JWTClaimsSet.Builder transactionOf(RequestContext context, Caller caller, TxnTokenConfig config) {
        var now = context.receivedAt();
        var requester = new LinkedHashMap<String, Object>();
        var client = context.client();
        if (client != null) {
            requester.put("req_ip", NetUtil.toAddressString(client.address()));
        }
        var token = caller.token();
        requester.put("authn", token == null ? "x509-svid" : token.acr() == null ? "bearer" : token.acr());
        var transaction = new LinkedHashMap<String, Object>();
        transaction.put("route", context.requireRoute().name());
        transaction.put("method", context.head().method().name());
        if (!context.pathVariables().isEmpty()) {
            transaction.put("resource", new LinkedHashMap<>(context.pathVariables()));
        }
        var claims = new JWTClaimsSet.Builder()
                .subject(caller.subject())
                .issueTime(Date.from(now))
                .expirationTime(caller.until(now, config.lifetime()))
                .claim("txn", context.requestId().toString())
                .claim("rctx", requester)
                .claim("tctx", transaction);
        return scopes.isEmpty() ? claims : claims.claim("scope", String.join(" ", scopes));
    }
}
