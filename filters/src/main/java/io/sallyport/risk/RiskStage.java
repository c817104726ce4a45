// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RiskScore;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import java.time.Duration;

/** Scores the request, and applies the route's ladder to the score. */
public final class RiskStage implements Stage {
    private static final Denial.Unavailable UNAVAILABLE =
            new Denial.Unavailable(Reason.RISK_UNAVAILABLE, Duration.ofSeconds(5));

    @Override
    public StageName name() {
        return StageName.RISK;
    }

    @Override
    public Verdict evaluate(RequestContext context) {
        var scoring = context.snapshot().settings(StageName.RISK, RiskScoring.class);
        RiskScore score;
        try {
            score = scoring.score(context);
        } catch (RuntimeException e) {
            return new Verdict.Undecided(UNAVAILABLE, e);
        }
        context.riskScore(score);
        var ladder = context.requireRoute().settings(StageName.RISK, RiskLadder.class);
        return ladder == null ? Verdict.Pass.PASS : ladder.judge(score.value(), context);
    }
}
