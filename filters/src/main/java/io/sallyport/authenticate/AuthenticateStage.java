// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.micrometer.core.instrument.MeterRegistry;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.authenticate.keys.VerificationKey;
import io.sallyport.authenticate.token.OpaqueTokenSource;
import io.sallyport.authenticate.token.TokenClaims;
import io.sallyport.authenticate.token.TokenDigest;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.Principal;
import io.sallyport.identity.TrustBundleSource;
import io.sallyport.identity.TrustBundles;
import io.sallyport.pipeline.PeerCertificate;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Proves who is calling. Answers from memory, or with some 60 microseconds of arithmetic for a token that it has not seen; waits
 * only for a key that no set in memory has.
 */
public final class AuthenticateStage implements Stage {
    private final TrustBundleSource bundles;
    private final TokenMemory memory;

    /**
     * @param config for the size of the memory, which outlives a reload
     * @param bundles what certificates of callers are judged by
     */
    public AuthenticateStage(AuthenticateConfig config, TrustBundleSource bundles, MeterRegistry meters) {
        this.bundles = bundles;
        this.memory = new TokenMemory(config.tokenCacheSize(), meters);
    }

    @Override
    public StageName name() {
        return StageName.AUTHENTICATE;
    }

    @Override
    public Verdict evaluate(RequestContext context) {
        var tls = context.head().tls();
        if (tls != null && tls.peerRequired()) {
            var lapsed = lapsed(tls.peer(), context);
            if (lapsed != null) {
                return lapsed;
            }
        }
        var route = context.requireRoute();
        var headers = context.head().headers();
        if (route.isPublic()) {
            return passAnonymous(headers, route, context);
        }
        var accepted = route.requireSettings(StageName.AUTHENTICATE, AcceptedTokens.class);
        if (!accepted.takesTokens()) {
            // Nobody would verify it, so nobody behind us may see it.
            removeCredentials(headers);
            return byCertificate(context, accepted, Reason.AUTHENTICATE_CERTIFICATE_MISSING);
        }
        var fields = headers.valueCharSequenceIterator(HttpHeaderNames.AUTHORIZATION);
        if (!fields.hasNext()) {
            return accepted.takesCertificates()
                    ? byCertificate(context, accepted, Reason.AUTHENTICATE_JWT_MISSING)
                    : accepted.deny(Reason.AUTHENTICATE_JWT_MISSING);
        }
        // What the request says for itself outranks what its connection showed: no certificate rescues a bad token.
        var authorization = fields.next().toString();
        if (fields.hasNext()) {
            return accepted.deny(Reason.AUTHENTICATE_JWT_AMBIGUOUS);
        }
        // Another scheme may be right for somebody else; here it is no credential.
        if (!BearerCredential.hasScheme(authorization)) {
            return accepted.deny(Reason.AUTHENTICATE_JWT_MISSING);
        }
        int start = BearerCredential.tokenStart(authorization);
        if (start < 0) {
            return accepted.deny(Reason.AUTHENTICATE_JWT_MALFORMED);
        }
        var opaque = accepted.opaque();
        return opaque == null || BearerCredential.isJws(authorization, start)
                ? new Judgement(context, accepted, authorization, start).fromMemory()
                : new Inquiry(context, accepted, opaque, authorization, start).verdict();
    }

    /**
     * What is wrong with a connection that was let in by its certificate alone, whatever the route asks for: it is as old as its
     * handshake, and the trust bundles are not.
     */
    private Verdict.@Nullable Deny lapsed(@Nullable PeerCertificate peer, RequestContext context) {
        var current = bundles.bundles();
        if (current == null) {
            return AuthenticateDenials.ofConnection(Reason.AUTHENTICATE_BUNDLE_UNAVAILABLE);
        }
        if (peer == null) {
            return AuthenticateDenials.ofConnection(Reason.AUTHENTICATE_CERTIFICATE_MISSING);
        }
        return switch (peer.judgedBy(current, context.receivedAt())) {
            case TrustBundles.Untrusted untrusted ->
                AuthenticateDenials.ofConnection(Reason.AUTHENTICATE_CERTIFICATE_UNTRUSTED)
                        .with(Evidence.Key.CAUSE, untrusted.why());
            case TrustBundles.Proven proven ->
                context.receivedAt().isAfter(proven.expiresAt())
                        ? AuthenticateDenials.ofConnection(Reason.AUTHENTICATE_CERTIFICATE_EXPIRED)
                        : null;
        };
    }

    /** A public route's upstream must not see credentials that nobody looked at, unless it is the one that looks at them. */
    private static Verdict passAnonymous(HttpHeaders headers, Route route, RequestContext context) {
        var open = route.settings(StageName.AUTHENTICATE, OpenCredentials.class);
        if (open == null) {
            removeCredentials(headers);
        } else {
            open.leaveOnlyThese(headers);
        }
        context.principal(Principal.Anonymous.ANONYMOUS);
        return Verdict.Pass.PASS;
    }

    private static void removeCredentials(HttpHeaders headers) {
        headers.remove(HttpHeaderNames.AUTHORIZATION);
        headers.remove(HttpHeaderNames.PROXY_AUTHORIZATION);
        headers.remove("DPoP");
    }

    /** @param ifMissing what is wrong if the connection showed no certificate */
    private Verdict byCertificate(RequestContext context, AcceptedTokens accepted, Reason ifMissing) {
        var tls = context.head().tls();
        var peer = tls == null ? null : tls.peer();
        if (peer == null) {
            return accepted.deny(ifMissing);
        }
        var current = bundles.bundles();
        if (current == null) {
            return accepted.deny(Reason.AUTHENTICATE_BUNDLE_UNAVAILABLE);
        }
        return switch (peer.judgedBy(current, context.receivedAt())) {
            case TrustBundles.Untrusted untrusted ->
                accepted.deny(Reason.AUTHENTICATE_CERTIFICATE_UNTRUSTED).with(Evidence.Key.CAUSE, untrusted.why());
            case TrustBundles.Proven proven -> byWorkload(proven, accepted, context);
        };
    }

    private static Verdict byWorkload(TrustBundles.Proven proven, AcceptedTokens accepted, RequestContext context) {
        if (context.receivedAt().isAfter(proven.expiresAt())) {
            return accepted.deny(Reason.AUTHENTICATE_CERTIFICATE_EXPIRED);
        }
        if (!accepted.workloads().match(proven.id())) {
            return accepted.deny(Reason.AUTHENTICATE_CERTIFICATE_ID_DENIED)
                    .with(Evidence.Key.DETAIL, proven.id().toString());
        }
        context.principal(new Principal.Workload(proven.id(), proven.expiresAt()));
        return Verdict.Pass.PASS;
    }

    /** One token on one request. */
    private final class Judgement {
        private final RequestContext context;
        private final AcceptedTokens accepted;
        private final String authorization;
        private final int start;
        private final TokenDigest digest;
        private final Instant now;

        Judgement(RequestContext context, AcceptedTokens accepted, String authorization, int start) {
            this.context = context;
            this.accepted = accepted;
            this.authorization = authorization;
            this.start = start;
            this.digest = TokenDigest.of(authorization, start);
            this.now = context.receivedAt();
        }

        /** What is known of the token holds as long as the key that it was found out with is one of its issuer's. */
        Verdict fromMemory() {
            var known = memory.verified(digest);
            if (known != null) {
                var acceptance = accepted.of(known.issuer());
                if (acceptance != null && stillHolds(known.token(), acceptance.issuer())) {
                    return judgeClaims(known.token(), acceptance);
                }
            } else {
                var forgery = memory.forged(digest);
                var acceptance = forgery == null ? null : accepted.of(forgery.issuer());
                if (forgery != null && acceptance != null && isCurrent(forgery.key(), acceptance.issuer())) {
                    return deny(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID, acceptance.issuer());
                }
            }
            return fromScratch();
        }

        private boolean stillHolds(VerifiedToken token, Issuer issuer) {
            // Algorithms and names may have changed by a reload since.
            return isCurrent(token.key(), issuer)
                    && issuer.allows(token.algorithm())
                    && issuer.name().equals(token.claims().issuerName());
        }

        private boolean isCurrent(VerificationKey key, Issuer issuer) {
            var keys = issuer.keys().current(now);
            return keys != null && keys.holds(key);
        }

        private Verdict fromScratch() {
            return switch (UnverifiedToken.parseUnverified(authorization.substring(start))) {
                case UnverifiedToken.Refused.MALFORMED -> accepted.deny(Reason.AUTHENTICATE_JWT_MALFORMED);
                case UnverifiedToken.Refused.CLAIMS_MALFORMED ->
                    accepted.deny(Reason.AUTHENTICATE_JWT_CLAIMS_MALFORMED);
                case UnverifiedToken.Refused.HEADER_DENIED -> accepted.deny(Reason.AUTHENTICATE_JWT_HEADER_DENIED);
                case UnverifiedToken.Jws token -> choose(token);
            };
        }

        /** Finds out by what the token says of itself who would have to have signed it, and how. */
        private Verdict choose(UnverifiedToken.Jws token) {
            var opaque = accepted.opaque();
            if (opaque != null && opaque.isAskedAboutJwtsOf(token.issuer())) {
                return new Inquiry(context, accepted, opaque, authorization, start).verdict();
            }
            var algorithm = SignatureAlgorithm.named(token.algorithm());
            if (algorithm == null || !accepted.allows(algorithm)) {
                return accepted.deny(Reason.AUTHENTICATE_JWT_ALG_DENIED);
            }
            var acceptance = claimed(token);
            if (acceptance == null) {
                return accepted.deny(Reason.AUTHENTICATE_JWT_ISS_UNKNOWN);
            }
            if (!acceptance.issuer().allows(algorithm)) {
                return deny(Reason.AUTHENTICATE_JWT_ALG_DENIED, acceptance.issuer());
            }
            if (acceptance.issuer().trustDomain() != null) {
                if (!token.plain()) {
                    return deny(Reason.AUTHENTICATE_JWT_HEADER_DENIED, acceptance.issuer());
                }
                if (token.kid() == null) {
                    return deny(Reason.AUTHENTICATE_JWT_KID_UNKNOWN, acceptance.issuer());
                }
            }
            var key = find(token, algorithm, acceptance.issuer());
            return key != null ? verify(token, algorithm, key, acceptance) : askForKey(token, algorithm, acceptance);
        }

        /** An {@code iss} that the route accepts decides; a JWT-SVID need not have one, and is its trust domain's by its {@code sub}. */
        private AcceptedTokens.@Nullable Acceptance claimed(UnverifiedToken.Jws token) {
            var iss = token.issuer();
            var acceptance = iss == null ? null : accepted.of(iss);
            if (acceptance != null || !accepted.takesSvids()) {
                return acceptance;
            }
            var trustDomain = token.trustDomain();
            return trustDomain == null ? null : accepted.of(trustDomain);
        }

        private @Nullable VerificationKey find(UnverifiedToken.Jws token, SignatureAlgorithm algorithm, Issuer issuer) {
            var keys = issuer.keys().current(now);
            return keys == null ? null : keys.find(token.kid(), algorithm);
        }

        private Verdict askForKey(
                UnverifiedToken.Jws token, SignatureAlgorithm algorithm, AcceptedTokens.Acceptance acceptance) {
            return switch (acceptance.issuer().keys().refresh(token.kid(), now)) {
                case JwkSetSource.Refresh.Done done -> afterRefresh(done, token, algorithm, acceptance);
                case JwkSetSource.Refresh.UnderWay(var done) ->
                    new Verdict.Pending<>(done, settled -> afterRefresh(settled, token, algorithm, acceptance));
            };
        }

        private Verdict.Settled afterRefresh(
                JwkSetSource.Refresh.Done done,
                UnverifiedToken.Jws token,
                SignatureAlgorithm algorithm,
                AcceptedTokens.Acceptance acceptance) {
            var key = find(token, algorithm, acceptance.issuer());
            if (key != null) {
                return verify(token, algorithm, key, acceptance);
            }
            return switch (done) {
                case FRESH -> deny(Reason.AUTHENTICATE_JWT_KID_UNKNOWN, acceptance.issuer());
                case UNAVAILABLE -> deny(Reason.AUTHENTICATE_JWKS_UNAVAILABLE, acceptance.issuer());
            };
        }

        private Verdict.Settled verify(
                UnverifiedToken.Jws token,
                SignatureAlgorithm algorithm,
                VerificationKey key,
                AcceptedTokens.Acceptance acceptance) {
            var issuer = acceptance.issuer();
            if (!key.verifies(algorithm, token.compact())) {
                memory.rememberForged(digest, issuer.issuer(), key);
                return deny(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID, issuer);
            }
            var verified = VerifiedToken.of(token, issuer, key, algorithm);
            memory.remember(digest, issuer.issuer(), verified, now.toEpochMilli());
            return judgeClaims(verified, acceptance);
        }

        private Verdict.Settled judgeClaims(VerifiedToken token, AcceptedTokens.Acceptance acceptance) {
            var wrong = ClaimRules.judge(token, acceptance, now.toEpochMilli(), clockSkew(context));
            return conclude(wrong, token.claims(), acceptance.issuer(), context, accepted);
        }

        private Verdict.Settled deny(Reason reason, Issuer issuer) {
            return AuthenticateStage.deny(reason, issuer, accepted);
        }
    }

    /** One token on one request that only its issuer can read. */
    private static final class Inquiry {
        private final RequestContext context;
        private final AcceptedTokens accepted;
        private final AcceptedTokens.Acceptance acceptance;
        private final String authorization;
        private final int start;

        Inquiry(
                RequestContext context,
                AcceptedTokens accepted,
                AcceptedTokens.Acceptance acceptance,
                String authorization,
                int start) {
            this.context = context;
            this.accepted = accepted;
            this.acceptance = acceptance;
            this.authorization = authorization;
            this.start = start;
        }

        Verdict verdict() {
            var source = acceptance.issuer().opaqueTokens();
            if (source == null || !BearerCredential.isToken(authorization, start)) {
                return accepted.deny(Reason.AUTHENTICATE_JWT_MALFORMED);
            }
            var digest = TokenDigest.of(authorization, start);
            var known = source.known(digest, context.receivedAt());
            return known != null
                    ? judge(known)
                    : new Verdict.Pending<>(source.ask(digest, authorization.substring(start)), this::judge);
        }

        private Verdict.Settled judge(OpaqueTokenSource.Introspected introspected) {
            return switch (introspected) {
                case OpaqueTokenSource.Introspected.Word.INACTIVE -> deny(Reason.AUTHENTICATE_TOKEN_INACTIVE);
                case OpaqueTokenSource.Introspected.Word.UNAVAILABLE ->
                    deny(Reason.AUTHENTICATE_INTROSPECTION_UNAVAILABLE);
                case OpaqueTokenSource.Introspected.Active(var claims) -> {
                    long now = context.receivedAt().toEpochMilli();
                    var wrong = ClaimRules.judgeOpaque(claims, acceptance, now, clockSkew(context));
                    yield conclude(wrong, claims, acceptance.issuer(), context, accepted);
                }
            };
        }

        private Verdict.Settled deny(Reason reason) {
            return AuthenticateStage.deny(reason, acceptance.issuer(), accepted);
        }
    }

    private static long clockSkew(RequestContext context) {
        return context.snapshot()
                .settings(StageName.AUTHENTICATE, AuthenticateConfig.class)
                .clockSkew()
                .toMillis();
    }

    private static Verdict.Settled conclude(
            @Nullable Reason wrong,
            TokenClaims claims,
            Issuer issuer,
            RequestContext context,
            AcceptedTokens accepted) {
        var principal = claims.principal();
        if (wrong != null || principal == null) {
            return deny(wrong == null ? Reason.AUTHENTICATE_JWT_CLAIM_MISSING : wrong, issuer, accepted);
        }
        context.principal(principal);
        return Verdict.Pass.PASS;
    }

    private static Verdict.Settled deny(Reason reason, Issuer issuer, AcceptedTokens accepted) {
        return accepted.deny(reason).with(issuer.evidence());
    }
}
