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
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Proves who is calling. Answers from memory, or with some 60 microseconds of arithmetic for a token that it has not seen; waits
 * only for a key that no set in memory has.
 */
public final class AuthenticateStage implements Stage {
    private static final Evidence NO_TOKEN =
            Evidence.NONE.with(Evidence.Key.DETAIL, "there is no blank and token after Bearer");
    private static final Evidence NO_B64TOKEN =
            Evidence.NONE.with(Evidence.Key.DETAIL, "the token has a character that RFC 6750 does not allow");

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
            return accepted.deny(Reason.AUTHENTICATE_JWT_MALFORMED).with(NO_TOKEN);
        }
        int length = authorization.length() - start;
        if (length > settings(context).maxTokenSize().toBytes()) {
            return accepted.deny(Reason.AUTHENTICATE_JWT_TOO_LONG).with(Evidence.Key.DETAIL, length + " characters");
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
                if (forgery != null && acceptance != null && areCurrent(forgery.keys(), acceptance.issuer())) {
                    return deny(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID, acceptance.issuer());
                }
            }
            return fromScratch();
        }

        private boolean stillHolds(VerifiedToken token, Issuer issuer) {
            // Algorithms, names and the client's claim may have changed by a reload since.
            return isCurrent(token.key(), issuer)
                    && issuer.allows(token.algorithm())
                    && issuer.reading().equals(token.claims().reading());
        }

        private boolean isCurrent(VerificationKey key, Issuer issuer) {
            var keys = issuer.keys().current(now);
            return keys != null && keys.holds(key);
        }

        private boolean areCurrent(List<VerificationKey> keys, Issuer issuer) {
            var current = issuer.keys().current(now);
            // The very list: whether it says the same as another one is not worth finding out for a forged token.
            return current != null && isSame(current.keys(), keys);
        }

        private Verdict fromScratch() {
            return switch (UnverifiedToken.parseUnverified(authorization.substring(start))) {
                case UnverifiedToken.Refused(var reason, var evidence) ->
                    refuseUnread(reason, evidence, accepted, authorization, start);
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
                return accepted.deny(Reason.AUTHENTICATE_JWT_ALG_DENIED).with(Difference.ofAlgorithm(token, null));
            }
            var acceptance = claimed(token);
            if (acceptance == null) {
                return accepted.deny(Reason.AUTHENTICATE_JWT_ISS_UNKNOWN).with(Difference.ofIssuer(token, accepted));
            }
            if (!acceptance.issuer().allows(algorithm)) {
                return accepted.deny(Reason.AUTHENTICATE_JWT_ALG_DENIED)
                        .with(Difference.ofAlgorithm(token, acceptance.issuer()));
            }
            if (acceptance.issuer().trustDomain() != null) {
                if (!token.plain()) {
                    return deny(Reason.AUTHENTICATE_JWT_HEADER_DENIED, acceptance.issuer());
                }
                if (token.kid() == null) {
                    return accepted.deny(Reason.AUTHENTICATE_JWT_KID_UNKNOWN)
                            .with(Difference.ofKey(token, acceptance.issuer()));
                }
            }
            var verified = verify(token, algorithm, acceptance, null);
            return verified != null ? verified : askForKey(token, algorithm, acceptance);
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

        private Verdict askForKey(
                UnverifiedToken.Jws token, SignatureAlgorithm algorithm, AcceptedTokens.Acceptance acceptance) {
            var tried = tried(token, algorithm, acceptance.issuer());
            return switch (acceptance.issuer().keys().refresh(token.kid(), now)) {
                case JwkSetSource.Refresh.Done done -> afterRefresh(done, token, algorithm, acceptance, tried);
                case JwkSetSource.Refresh.UnderWay(var done) ->
                    new Verdict.Pending<>(done, settled -> afterRefresh(settled, token, algorithm, acceptance, tried));
            };
        }

        /** All keys of the issuer, where some of them did not verify a token without kid; else null. */
        private @Nullable List<VerificationKey> tried(
                UnverifiedToken.Jws token, SignatureAlgorithm algorithm, Issuer issuer) {
            var keys = issuer.keys().current(now);
            return token.kid() != null
                            || keys == null
                            || keys.find(null, algorithm).isEmpty()
                    ? null
                    : keys.keys();
        }

        private Verdict.Settled afterRefresh(
                JwkSetSource.Refresh.Done done,
                UnverifiedToken.Jws token,
                SignatureAlgorithm algorithm,
                AcceptedTokens.Acceptance acceptance,
                @Nullable List<VerificationKey> tried) {
            var verified = verify(token, algorithm, acceptance, tried);
            if (verified != null) {
                return verified;
            }
            return switch (done) {
                case FRESH ->
                    tried != null
                            ? deny(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID, acceptance.issuer())
                            : accepted.deny(Reason.AUTHENTICATE_JWT_KID_UNKNOWN)
                                    .with(Difference.ofKey(token, acceptance.issuer()));
                case UNAVAILABLE -> deny(Reason.AUTHENTICATE_JWKS_UNAVAILABLE, acceptance.issuer());
            };
        }

        /**
         * Tries each key that the signature may be of. Null if there is none, or if the token does not name its key and may be of one
         * that is not here yet: then the issuer may be asked.
         *
         * @param tried the set whose keys did not verify it before, or null
         */
        private Verdict.@Nullable Settled verify(
                UnverifiedToken.Jws token,
                SignatureAlgorithm algorithm,
                AcceptedTokens.Acceptance acceptance,
                @Nullable List<VerificationKey> tried) {
            var issuer = acceptance.issuer();
            var keys = issuer.keys().current(now);
            var candidates = keys == null ? List.<VerificationKey>of() : keys.find(token.kid(), algorithm);
            if (keys == null || candidates.isEmpty() || (tried != null && isSame(tried, keys.keys()))) {
                return null;
            }
            for (var key : candidates) {
                if (key.verifies(algorithm, token.compact())) {
                    var verified = VerifiedToken.of(token, issuer, key, algorithm);
                    memory.remember(digest, issuer.issuer(), verified, now.toEpochMilli());
                    return judgeClaims(verified, acceptance);
                }
            }
            if (token.kid() == null) {
                return null;
            }
            memory.rememberForged(digest, issuer.issuer(), keys.keys());
            return deny(Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID, issuer);
        }

        private Verdict.Settled judgeClaims(VerifiedToken token, AcceptedTokens.Acceptance acceptance) {
            var wrong = ClaimRules.judge(token, acceptance, now.toEpochMilli(), clockSkew(context));
            return conclude(wrong, token.claims(), token.type(), acceptance, context, accepted);
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
                return refuseUnread(Reason.AUTHENTICATE_JWT_MALFORMED, NO_B64TOKEN, accepted, authorization, start);
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
                    yield conclude(wrong, claims, null, acceptance, context, accepted);
                }
            };
        }

        private Verdict.Settled deny(Reason reason) {
            return AuthenticateStage.deny(reason, acceptance.issuer(), accepted);
        }
    }

    private static AuthenticateConfig settings(RequestContext context) {
        return context.snapshot().settings(StageName.AUTHENTICATE, AuthenticateConfig.class);
    }

    private static long clockSkew(RequestContext context) {
        return settings(context).clockSkew().toMillis();
    }

    private static Verdict.Settled refuseUnread(
            Reason reason, Evidence evidence, AcceptedTokens accepted, String authorization, int start) {
        return reason == Reason.AUTHENTICATE_JWT_MALFORMED && BearerCredential.isList(authorization, start)
                ? accepted.deny(Reason.AUTHENTICATE_JWT_AMBIGUOUS)
                : accepted.deny(reason).with(evidence);
    }

    @SuppressWarnings("ReferenceEquality") // a list that is replaced as a whole is another one when anything of it is
    private static boolean isSame(List<VerificationKey> one, List<VerificationKey> other) {
        return one == other;
    }

    private static Verdict.Settled conclude(
            @Nullable Reason wrong,
            TokenClaims claims,
            @Nullable String type,
            AcceptedTokens.Acceptance acceptance,
            RequestContext context,
            AcceptedTokens accepted) {
        var principal = claims.principal();
        if (wrong != null || principal == null) {
            var reason = wrong == null ? Reason.AUTHENTICATE_JWT_CLAIM_MISSING : wrong;
            return accepted.deny(reason).with(Difference.ofClaims(reason, claims, type, acceptance));
        }
        context.principal(principal);
        return Verdict.Pass.PASS;
    }

    private static Verdict.Settled deny(Reason reason, Issuer issuer, AcceptedTokens accepted) {
        return accepted.deny(reason).with(issuer.evidence());
    }
}
