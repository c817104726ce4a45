// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize;

import io.sallyport.authorize.cel.CelRules;
import io.sallyport.authorize.pdp.PolicyDecisionPoint;
import io.sallyport.config.Findings;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.Principal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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

    /**
     * Compiles the rules of a route that is not public.
     *
     * @param pathVariables the names of the {@code {var}} segments of the route's path; a rule that reads another is wrong
     * @param at the route's {@code authorize} section; each rule that is wrong gets a finding of its own
     * @return null if any rule is wrong
     */
    public static @Nullable RouteRules compile(
            RouteAuthorization section, Set<String> pathVariables, Findings.Place at) {
        if (section.isPublic()) {
            throw new IllegalArgumentException(
                    "authorize: public (expected: rules; a public route has none to compile)");
        }
        var rules = CelRules.compile(section.allow(), section.deny(), pathVariables, at);
        return rules == null ? null : new RouteRules(section.scopes(), rules);
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
