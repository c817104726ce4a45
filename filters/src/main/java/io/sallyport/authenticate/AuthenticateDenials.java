// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Every refusal that {@code authenticate} can answer with on one route, made when the route is compiled.
 *
 * <p>What a client reads is one of five fixed texts: whether its token is malformed, too long, one of several, expired, or just not valid.
 * Which of the other checks failed is for the operator's record; the text is never a parser's, let alone a token's.
 */
final class AuthenticateDenials {
    private static final Duration RETRY_AFTER = Duration.ofSeconds(5);

    private static final Map<Reason, Verdict.Deny> OF_CONNECTION = ofConnection();

    private final Map<Reason, Verdict.Deny> byReason = new EnumMap<>(Reason.class);

    /**
     * @param tokens whether the route accepts any
     * @param certificates likewise
     */
    AuthenticateDenials(boolean tokens, boolean certificates, URI resourceMetadata, String realm) {
        var terms = new Terms(resourceMetadata, realm);
        // RFC 6750 section 3.1: no error code for a request that lacks authentication information.
        var either = new ArrayList<Challenge>(2);
        if (tokens) {
            either.add(terms.challenge(null, null));
        }
        if (certificates) {
            either.add(Challenge.clientCertificate(realm));
            addCertificates(either);
        }
        if (tokens) {
            deny(new Denial.Unauthenticated(Reason.AUTHENTICATE_JWT_MISSING, either));
            addTokens(terms);
        }
    }

    private static Map<Reason, Verdict.Deny> ofConnection() {
        var listener = new AuthenticateDenials();
        listener.addCertificates(List.of(Challenge.clientCertificate("listener")));
        return listener.byReason;
    }

    /** Of no route, but of a listener. */
    private AuthenticateDenials() {}

    /** Refuses a request for what is wrong with its connection's certificate, on a listener that takes nobody without one. */
    static Verdict.Deny ofConnection(Reason reason) {
        return Objects.requireNonNull(OF_CONNECTION.get(reason), reason.code());
    }

    private void addCertificates(List<Challenge> either) {
        for (var reason : List.of(
                Reason.AUTHENTICATE_CERTIFICATE_MISSING,
                Reason.AUTHENTICATE_CERTIFICATE_EXPIRED,
                Reason.AUTHENTICATE_CERTIFICATE_UNTRUSTED,
                Reason.AUTHENTICATE_CERTIFICATE_ID_DENIED)) {
            deny(new Denial.Unauthenticated(reason, either));
        }
        deny(new Denial.Unavailable(Reason.AUTHENTICATE_BUNDLE_UNAVAILABLE, RETRY_AFTER));
    }

    private void addTokens(Terms terms) {
        // RFC 6750 section 3.1 calls a malformed token invalid: clients ask for another one on 401 alone.
        deny401(Reason.AUTHENTICATE_JWT_MALFORMED, terms.challenge("invalid_token", "The access token is malformed"));
        deny401(Reason.AUTHENTICATE_JWT_TOO_LONG, terms.challenge("invalid_token", "The access token is too long"));
        deny400(
                Reason.AUTHENTICATE_JWT_AMBIGUOUS,
                terms.challenge("invalid_request", "There is more than one credential"));
        var expired = terms.challenge("invalid_token", "The access token expired");
        deny401(Reason.AUTHENTICATE_JWT_EXPIRED, expired);
        deny401(Reason.AUTHENTICATE_JWT_TOO_OLD, expired);
        var invalid = terms.challenge("invalid_token", "The access token is not valid here");
        for (var reason : List.of(
                Reason.AUTHENTICATE_JWT_ENCRYPTED,
                Reason.AUTHENTICATE_JWT_CLAIMS_MALFORMED,
                Reason.AUTHENTICATE_JWT_HEADER_DENIED,
                Reason.AUTHENTICATE_JWT_ALG_DENIED,
                Reason.AUTHENTICATE_JWT_TYP_DENIED,
                Reason.AUTHENTICATE_JWT_KID_UNKNOWN,
                Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID,
                Reason.AUTHENTICATE_JWT_ISS_UNKNOWN,
                Reason.AUTHENTICATE_JWT_AUD_MISMATCH,
                Reason.AUTHENTICATE_JWT_CLIENT_DENIED,
                Reason.AUTHENTICATE_JWT_EXP_MISSING,
                Reason.AUTHENTICATE_JWT_NOT_YET_VALID,
                Reason.AUTHENTICATE_JWT_LIFETIME_EXCEEDED,
                Reason.AUTHENTICATE_JWT_CLAIM_MISSING,
                Reason.AUTHENTICATE_TOKEN_INACTIVE,
                Reason.AUTHENTICATE_BINDING_UNSUPPORTED)) {
            deny401(reason, invalid);
        }
        deny(new Denial.Unavailable(Reason.AUTHENTICATE_JWKS_UNAVAILABLE, RETRY_AFTER));
        deny(new Denial.Unavailable(Reason.AUTHENTICATE_INTROSPECTION_UNAVAILABLE, RETRY_AFTER));
    }

    private void deny401(Reason reason, Challenge challenge) {
        deny(new Denial.Unauthenticated(reason, List.of(challenge)));
    }

    private void deny400(Reason reason, Challenge challenge) {
        deny(new Denial.Rejected(reason, challenge));
    }

    private void deny(Denial denial) {
        byReason.put(denial.reason(), new Verdict.Deny(denial));
    }

    Verdict.Deny of(Reason reason) {
        var denial = byReason.get(reason);
        if (denial == null) {
            throw new IllegalArgumentException("%s is not a reason of authenticate on this route".formatted(reason));
        }
        return denial;
    }

    /** What all challenges of a route have in common. */
    private record Terms(URI resourceMetadata, String realm) {
        Challenge challenge(@Nullable String error, @Nullable String description) {
            var parameters = new LinkedHashMap<String, String>();
            parameters.put("realm", realm);
            if (error != null && description != null) {
                parameters.put("error", error);
                parameters.put("error_description", description);
            }
            parameters.put("resource_metadata", resourceMetadata.toASCIIString());
            return Challenge.bearer(parameters);
        }
    }
}
