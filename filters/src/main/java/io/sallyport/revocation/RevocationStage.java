// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation;

import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.Principal;
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
    private static final Verdict.Deny TOKEN = revoked(Reason.REVOCATION_TOKEN_REVOKED);
    private static final Verdict.Deny SESSION = revoked(Reason.REVOCATION_SESSION_REVOKED);
    private static final Verdict.Deny SUBJECT = revoked(Reason.REVOCATION_SUBJECT_REVOKED);
    private static final Verdict.Deny CLIENT = revoked(Reason.REVOCATION_CLIENT_REVOKED);
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

    private static Verdict.Deny revoked(Reason reason) {
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
        var revoked = find(DenyListKey.Kind.JTI, subject.tokenId(), subject, context, TOKEN);
        if (revoked == null) {
            revoked = find(DenyListKey.Kind.SID, subject.sessionId(), subject, context, SESSION);
        }
        if (revoked == null) {
            revoked = find(DenyListKey.Kind.SUB, subject.subject(), subject, context, SUBJECT);
        }
        if (revoked == null) {
            revoked = find(DenyListKey.Kind.CLIENT_ID, subject.clientId(), subject, context, CLIENT);
        }
        if (revoked != null) {
            return revoked;
        }
        return denyList.isComplete() ? Verdict.Pass.PASS : UNAVAILABLE;
    }

    /** The refusal with the entry's own reason, or null if there is no entry. */
    private Verdict.@Nullable Deny find(
            DenyListKey.Kind kind,
            @Nullable String value,
            Principal.Subject subject,
            RequestContext context,
            Verdict.Deny refusal) {
        if (value == null) {
            return null;
        }
        Instant now = context.receivedAt();
        var entry = denyList.find(kind, subject.issuer(), value, subject.issuedAt(), now);
        return entry == null ? null : refusal.with(Evidence.Key.DETAIL, entry.reason());
    }
}
