// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.RequestContext;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a score leads to on one route, compiled. A rung that was not written is above every score. */
public final class RiskLadder {
    private static final int NEVER = 101;
    private static final Set<HttpMethod> READING = Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);
    private static final Verdict DENIED = new Verdict.Deny(new Denial.Forbidden(Reason.RISK_DENIED));
    private static final Verdict READ_ONLY = new Verdict.Deny(new Denial.Forbidden(Reason.RISK_READ_ONLY));

    private final int stepUp;
    private final int readOnly;
    private final int deny;
    private final Set<String> acrValues;
    private final long maxAgeSeconds;
    private final Verdict stepUpRequired;

    private RiskLadder(RiskLadderConfig config) {
        this.stepUp = orNever(config.stepUp());
        this.readOnly = orNever(config.readOnly());
        this.deny = orNever(config.deny());
        this.acrValues = Set.copyOf(config.acrValues());
        this.maxAgeSeconds = config.maxAge().toSeconds();
        this.stepUpRequired =
                new Verdict.Deny(new Denial.Unauthenticated(Reason.RISK_STEP_UP_REQUIRED, List.of(challenge(config))));
    }

    /**
     * Compiles a route's rungs.
     *
     * @param isPublic whether callers of the route are anonymous
     * @return null, and findings at {@code at}, if the ladder cannot stand on this route
     */
    public static @Nullable RiskLadder compile(RiskLadderConfig config, boolean isPublic, Findings.Place at) {
        if (isPublic && config.stepUp() != null) {
            at.child("step-up")
                    .reject(config.stepUp(), "no step-up, because a public route reads no token that could satisfy it");
            return null;
        }
        return new RiskLadder(config);
    }

    private static int orNever(@Nullable Integer score) {
        return score == null ? NEVER : score;
    }

    private static Challenge challenge(RiskLadderConfig config) {
        var parameters = new LinkedHashMap<String, String>();
        parameters.put("error", "insufficient_user_authentication");
        parameters.put("error_description", "A different authentication level is required");
        if (!config.acrValues().isEmpty()) {
            parameters.put("acr_values", String.join(" ", config.acrValues()));
        }
        parameters.put("max_age", Long.toString(config.maxAge().toSeconds()));
        return Challenge.bearer(parameters);
    }

    /** Rungs add up: what is above {@code read-only} has to have stepped up as well, and {@code deny} asks for nothing any more. */
    Verdict judge(int score, RequestContext context) {
        if (score >= deny) {
            return DENIED;
        }
        if (score >= stepUp && !satisfiesStepUp(context.principal(), context.receivedAt())) {
            return stepUpRequired;
        }
        if (score >= readOnly && !READING.contains(context.head().method())) {
            return READ_ONLY;
        }
        return Verdict.Pass.PASS;
    }

    /** Only a user can authenticate again. A workload that looks this strange is refused like anybody who did not. */
    private boolean satisfiesStepUp(Principal principal, Instant now) {
        return switch (principal) {
            case Principal.Subject subject -> hasAcr(subject) && isFresh(subject, now);
            case Principal.Workload _, Principal.Anonymous _ -> false;
        };
    }

    private boolean hasAcr(Principal.Subject subject) {
        var acr = subject.acr();
        return acrValues.isEmpty() || (acr != null && acrValues.contains(acr));
    }

    private boolean isFresh(Principal.Subject subject, Instant now) {
        var authenticatedAt = subject.authenticatedAt();
        return authenticatedAt != null && now.getEpochSecond() - authenticatedAt.getEpochSecond() <= maxAgeSeconds;
    }
}
