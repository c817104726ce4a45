// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.jose.ShownText;
import io.sallyport.authenticate.token.TokenClaims;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.identity.Principal;
import org.jspecify.annotations.Nullable;

/**
 * What of a refused token differed from what is accepted, for the operator's record: a claim or a member of its header, cut and
 * in printable characters, and never the subject or the token. Made for refusals alone.
 */
final class Difference {
    private Difference() {}

    /** Of a token whose {@code iss} is none that the route accepts. Nothing of such a token was verified. */
    static Evidence ofIssuer(UnverifiedToken.Jws token, AcceptedTokens accepted) {
        var iss = token.issuer();
        if (iss == null) {
            return detail(token.claims().get("iss") == null ? "iss is absent" : "iss is not a string");
        }
        var near = accepted.nearlyNamed(iss);
        var shown = "iss is " + ShownText.of(iss);
        return detail(
                near == null
                        ? shown
                        : "%s, and differs from issuer %s only in %s"
                                .formatted(
                                        shown,
                                        near.name(),
                                        withoutSlash(iss).equals(withoutSlash(near.issuer()))
                                                ? "the slash at the end"
                                                : "the case of letters"));
    }

    private static String withoutSlash(String iss) {
        return iss.endsWith("/") ? iss.substring(0, iss.length() - 1) : iss;
    }

    /** Whether two of them are the same but for what people get wrong: a slash at the end, and the case of letters. */
    static boolean isNear(String iss, String other) {
        return withoutSlash(iss).equalsIgnoreCase(withoutSlash(other));
    }

    /** Of a token that no key can be looked for, or found, for. Its header is not verified. */
    static Evidence ofKey(UnverifiedToken.Jws token, Issuer issuer) {
        return detail("%s: %s for alg %s"
                .formatted(
                        issuer.name(),
                        token.kid() == null ? "no kid" : "kid " + ShownText.of(token.kid()),
                        ShownText.of(token.algorithm())));
    }

    /** Of a token with an algorithm that is not allowed, to whatever issuer. */
    static Evidence ofAlgorithm(UnverifiedToken.Jws token, @Nullable Issuer issuer) {
        var shown = "alg is " + ShownText.of(token.algorithm());
        return detail(issuer == null ? shown : issuer.name() + ": " + shown);
    }

    /** Of a token that the issuer has vouched for, and whose claims were refused all the same. */
    static Evidence ofClaims(
            Reason reason, TokenClaims claims, @Nullable String type, AcceptedTokens.Acceptance acceptance) {
        var issuer = acceptance.issuer();
        var what = switch (reason) {
            case AUTHENTICATE_JWT_TYP_DENIED -> ofType(claims, type, acceptance);
            case AUTHENTICATE_JWT_ISS_UNKNOWN ->
                claims.issuer() == null ? "iss is absent" : "iss is " + ShownText.of(claims.issuer());
            case AUTHENTICATE_JWT_AUD_MISMATCH -> ofAudience(claims, issuer);
            case AUTHENTICATE_JWT_CLIENT_DENIED -> ofClient(claims);
            case AUTHENTICATE_JWT_CLAIM_MISSING -> ClaimRules.missing(claims, acceptance);
            default -> null;
        };
        return what == null ? issuer.evidence() : detail(issuer.name() + ": " + what);
    }

    private static String ofType(TokenClaims claims, @Nullable String type, AcceptedTokens.Acceptance acceptance) {
        // An opaque token has no type that could fit.
        if (claims.idTokenMember() != null
                && acceptance.issuer().refusesIdTokens()
                && (type == null || ClaimRules.typeFits(type, acceptance))) {
            return "an ID token by its claim " + claims.idTokenMember();
        }
        return type == null ? "typ is absent" : "typ is " + ShownText.of(type);
    }

    private static String ofAudience(TokenClaims claims, Issuer issuer) {
        if (!claims.hasAudience()) {
            return "aud is absent";
        }
        var shown = claims.audiences().isEmpty()
                ? "aud is not a string or a list of strings"
                : "aud is " + ShownText.of(String.join(", ", claims.audiences()));
        return issuer.clients().isEmpty() ? shown : shown + ", and only tokens without aud are accepted";
    }

    private static String ofClient(TokenClaims claims) {
        var claim = claims.reading().clientClaim();
        if (claims.client() == null) {
            return claim + " is absent or not a string";
        }
        // Records show subjects as pseudonyms alone, also where a client acts for itself.
        var isSubject = claims.principal() instanceof Principal.Subject subject
                && subject.subject().equals(claims.client());
        return claim + " is " + (isSubject ? "the subject, and not listed" : ShownText.of(claims.client()));
    }

    private static Evidence detail(String what) {
        return Evidence.NONE.with(Evidence.Key.DETAIL, what);
    }
}
