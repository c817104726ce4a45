// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize;

import io.sallyport.authorize.pdp.PolicyDecisionPoint;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.Principal;
import java.util.LinkedHashMap;
import java.util.List;

/** What {@link AuthorizeStage} knows of a route: the scopes that its callers must hold, and who decides about the rest. */
public final class RouteRules {
    private final List<String> scopes;
    private final Verdict.Deny insufficientScope;
    private final PolicyDecisionPoint decisionPoint;

    /** @param scopes every one of which the caller's token must hold before the decision point is asked */
    public RouteRules(List<String> scopes, PolicyDecisionPoint decisionPoint) {
        this.scopes = List.copyOf(scopes);
        // As in RFC 6749 section 3.3.
        var scopeList = String.join(" ", scopes);
        this.insufficientScope =
                new Verdict.Deny(new Denial.Forbidden(Reason.AUTHORIZE_SCOPE_INSUFFICIENT, challenge(scopeList))
                        .with(Evidence.Key.DETAIL, scopeList));
        this.decisionPoint = decisionPoint;
    }

    private static Challenge challenge(String scopeList) {
        var parameters = new LinkedHashMap<String, String>();
        parameters.put("error", "insufficient_scope");
        parameters.put("scope", scopeList);
        return Challenge.bearer(parameters);
    }

    /** Whether the caller's token holds every scope that the route requires. Who shows no token holds none. */
    boolean scopesHeldBy(Principal principal) {
        return scopes.isEmpty()
                || (principal instanceof Principal.Subject subject
                        && subject.scopes().containsAll(scopes));
    }

    Verdict.Deny insufficientScope() {
        return insufficientScope;
    }

    PolicyDecisionPoint decisionPoint() {
        return decisionPoint;
    }
}
