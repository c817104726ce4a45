// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation;

import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Evidence;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import io.sallyport.revocation.denylist.DenyList;
import io.sallyport.revocation.denylist.DenyListKey;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Refuses a verified token that the deny-list names. */
public final class RevocationStage implements Stage {
    private static final Challenge CHALLENGE = challenge();
    private static final Verdict TOKEN = revoked(Reason.REVOCATION_TOKEN_REVOKED);
    private static final Verdict SESSION = revoked(Reason.REVOCATION_SESSION_REVOKED);
    private static final Verdict SUBJECT = revoked(Reason.REVOCATION_SUBJECT_REVOKED);
    private static final Verdict CLIENT = revoked(Reason.REVOCATION_CLIENT_REVOKED);
    private static final Verdict UNAVAILABLE =
            new Verdict.Undecided(new Denial.Unavailable(Reason.REVOCATION_UNAVAILABLE, Duration.ofSeconds(30)), null);

    private final DenyList denyList;

    public RevocationStage(DenyList denyList) {
        this.denyList = denyList;
    }

    // The same text for all four: a client learns that the token is of no use, not what about it was noticed.
    private static Challenge challenge() {
        var parameters = new LinkedHashMap<String, String>();
        parameters.put("error", "invalid_token");
        parameters.put("error_description", "The access token was revoked");
        return Challenge.bearer(parameters);
    }

    private static Verdict revoked(Reason reason) {
        return new Verdict.Deny(new Denial.Unauthenticated(reason, List.of(CHALLENGE)));
    }

    @Override
    public StageName name() {
        return StageName.REVOCATION;
    }

    @Override
    public Verdict evaluate(RequestContext context) {
        if (!(context.principal() instanceof Principal.Subject subject)) {
            return Verdict.Pass.PASS;
        }
        // What is known to be revoked is refused even while other entries may be missing.
        if (denies(DenyListKey.Kind.JTI, subject.tokenId(), subject, context)) {
            return TOKEN;
        }
        if (denies(DenyListKey.Kind.SID, subject.sessionId(), subject, context)) {
            return SESSION;
        }
        if (denies(DenyListKey.Kind.SUB, subject.subject(), subject, context)) {
            return SUBJECT;
        }
        if (denies(DenyListKey.Kind.CLIENT_ID, subject.clientId(), subject, context)) {
            return CLIENT;
        }
        return denyList.isComplete() ? Verdict.Pass.PASS : UNAVAILABLE;
    }

    private boolean denies(
            DenyListKey.Kind kind, @Nullable String value, Principal.Subject subject, RequestContext context) {
        if (value == null) {
            return false;
        }
        Instant now = context.receivedAt();
        var entry = denyList.find(kind, subject.issuer(), value, subject.issuedAt(), now);
        if (entry == null) {
            return false;
        }
        context.evidence(Evidence.DETAIL, entry.reason());
        return true;
    }
}
