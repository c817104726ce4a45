// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.issuer.Profile;
import io.sallyport.authenticate.jose.MediaType;
import io.sallyport.authenticate.token.TokenClaims;
import io.sallyport.decision.Reason;
import io.sallyport.identity.Principal;
import org.jspecify.annotations.Nullable;

/** What a token with a good signature has to say, in the order in which it is asked. Pure; allocates nothing. */
final class ClaimRules {
    private ClaimRules() {}

    /**
     * Judges a verified token.
     *
     * @param accepted what the route accepts of the token's issuer
     * @param now in milliseconds of the epoch
     * @param skew how far clocks may differ, in milliseconds
     * @return the first thing that is wrong, or null
     */
    static @Nullable Reason judge(VerifiedToken token, AcceptedTokens.Acceptance accepted, long now, long skew) {
        if (!typeFits(token.type(), accepted)) {
            return Reason.AUTHENTICATE_JWT_TYP_DENIED;
        }
        return judge(token.claims(), accepted, now, skew);
    }

    /** Whether a token of that normalized type, or of none, may be an access token of the issuer's on the route. */
    static boolean typeFits(@Nullable String type, AcceptedTokens.Acceptance accepted) {
        return accepted.profile() == Profile.RFC9068
                ? MediaType.ACCESS_TOKEN.equals(type)
                : accepted.issuer().allowsType(type);
    }

    /** Judges what an issuer has said of a token that only it can read: the same, but that it has no header. */
    static @Nullable Reason judgeOpaque(TokenClaims token, AcceptedTokens.Acceptance accepted, long now, long skew) {
        return accepted.issuer().issuer().equals(token.issuer())
                ? judge(token, accepted, now, skew)
                : Reason.AUTHENTICATE_JWT_ISS_UNKNOWN;
    }

    private static @Nullable Reason judge(TokenClaims token, AcceptedTokens.Acceptance accepted, long now, long skew) {
        var issuer = accepted.issuer();
        if (token.idTokenMember() != null && issuer.refusesIdTokens()) {
            return Reason.AUTHENTICATE_JWT_TYP_DENIED;
        }
        if (issuer.clients().isEmpty() ? !isForOneOf(accepted, token) : token.hasAudience()) {
            return Reason.AUTHENTICATE_JWT_AUD_MISMATCH;
        }
        if (!issuer.clients().isEmpty()
                && (token.client() == null || !issuer.clients().contains(token.client()))) {
            return Reason.AUTHENTICATE_JWT_CLIENT_DENIED;
        }
        var untimely = judgeTimes(token, issuer, now, skew);
        if (untimely != null) {
            return untimely;
        }
        var principal = token.principal();
        if (principal == null || (accepted.profile() == Profile.RFC9068 && !isComplete(principal))) {
            return Reason.AUTHENTICATE_JWT_CLAIM_MISSING;
        }
        // Accepting a bound token without its proof would turn it back into a bearer token.
        return token.bound() ? Reason.AUTHENTICATE_BINDING_UNSUPPORTED : null;
    }

    /** What of a token is missing that was refused for a claim that is. */
    static String missing(TokenClaims token, AcceptedTokens.Acceptance accepted) {
        if (token.expiresAt() == TokenClaims.UNUSABLE) {
            return "exp is no point in time";
        }
        if (token.notBefore() == TokenClaims.UNUSABLE) {
            return "nbf is no point in time";
        }
        if (token.notBefore() == TokenClaims.ABSENT && accepted.issuer().requiresNotBefore()) {
            return "nbf is absent";
        }
        if (token.issuedAt() == TokenClaims.UNUSABLE) {
            return "iat is no point in time";
        }
        if (token.issuedAt() == TokenClaims.ABSENT && accepted.issuer().requiresIssuedAt()) {
            return "iat is absent";
        }
        if (token.principal() instanceof Principal.Subject subject) {
            return hasClient(subject) ? "jti is absent" : "client_id is absent";
        }
        return token.fault() == null ? "sub is absent" : token.fault();
    }

    private static boolean isForOneOf(AcceptedTokens.Acceptance accepted, TokenClaims token) {
        for (int i = 0; i < token.audiences().size(); i++) {
            if (accepted.audiences().contains(token.audiences().get(i))) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable Reason judgeTimes(TokenClaims token, Issuer issuer, long now, long skew) {
        long expiresAt = token.expiresAt();
        if (expiresAt == TokenClaims.ABSENT) {
            return Reason.AUTHENTICATE_JWT_EXP_MISSING;
        }
        if (expiresAt == TokenClaims.UNUSABLE) {
            return Reason.AUTHENTICATE_JWT_CLAIM_MISSING;
        }
        if (now >= expiresAt + skew) {
            return Reason.AUTHENTICATE_JWT_EXPIRED;
        }
        long notBefore = token.notBefore();
        if (notBefore == TokenClaims.UNUSABLE || (notBefore == TokenClaims.ABSENT && issuer.requiresNotBefore())) {
            return Reason.AUTHENTICATE_JWT_CLAIM_MISSING;
        }
        if (notBefore != TokenClaims.ABSENT && notBefore > now + skew) {
            return Reason.AUTHENTICATE_JWT_NOT_YET_VALID;
        }
        long issuedAt = token.issuedAt();
        if (issuedAt == TokenClaims.UNUSABLE || (issuedAt == TokenClaims.ABSENT && issuer.requiresIssuedAt())) {
            return Reason.AUTHENTICATE_JWT_CLAIM_MISSING;
        }
        if (issuedAt == TokenClaims.ABSENT) {
            return expiresAt - now > issuer.maxLifetimeMillis() ? Reason.AUTHENTICATE_JWT_LIFETIME_EXCEEDED : null;
        }
        if (issuedAt > now + skew) {
            return Reason.AUTHENTICATE_JWT_NOT_YET_VALID;
        }
        if (now - issuedAt > issuer.maxAgeMillis()) {
            return Reason.AUTHENTICATE_JWT_TOO_OLD;
        }
        return expiresAt - issuedAt > issuer.maxLifetimeMillis() ? Reason.AUTHENTICATE_JWT_LIFETIME_EXCEEDED : null;
    }

    private static boolean isComplete(Principal principal) {
        if (!(principal instanceof Principal.Subject subject)) {
            return false;
        }
        var tokenId = subject.tokenId();
        return hasClient(subject) && tokenId != null && !tokenId.isEmpty();
    }

    /** client_id itself: azp does for a client's name elsewhere, but RFC 9068 section 2.2 requires this claim. */
    private static boolean hasClient(Principal.Subject subject) {
        return subject.claims().get("client_id") instanceof String client && !client.isEmpty();
    }
}
