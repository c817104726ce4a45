// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize;

import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.authorize.pdp.Decision;
import io.sallyport.authorize.pdp.PolicyDecisionPoint;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.pipeline.Answer;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The policy enforcement point: it holds the request until a {@link PolicyDecisionPoint} has decided, and turns the decision
 * into a verdict. It has no opinion of its own but two: scopes that a route requires, and that nobody is allowed where no
 * route is.
 */
public final class AuthorizeStage implements Stage {
    private static final Verdict.Deny ROUTE_UNMATCHED =
            new Verdict.Deny(new Denial.Rejected(Reason.AUTHORIZE_ROUTE_UNMATCHED));
    private static final Verdict.Deny DENY_RULE = new Verdict.Deny(new Denial.Forbidden(Reason.AUTHORIZE_DENY_RULE));
    private static final Verdict.Deny NO_RULE_ALLOWED =
            new Verdict.Deny(new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED));
    private static final Verdict.Deny PDP_UNAVAILABLE =
            new Verdict.Deny(new Denial.Unavailable(Reason.AUTHORIZE_PDP_UNAVAILABLE, Duration.ofSeconds(5)));

    private final MeterRegistry meters;

    /** @param meters where rules that cannot be evaluated are counted, by route and rule */
    public AuthorizeStage(MeterRegistry meters) {
        this.meters = meters;
    }

    @Override
    public StageName name() {
        return StageName.AUTHORIZE;
    }

    @Override
    public Verdict evaluate(RequestContext context) {
        var route = context.requireRoute();
        return switch (route.kind()) {
            case UNMATCHED -> unmatched(context);
            // What the gateway answers by itself discloses nothing that needs a rule: preflight, metadata.
            case LOCAL -> Verdict.Pass.PASS;
            case UPSTREAM -> route.isPublic() ? Verdict.Pass.PASS : judge(context, route);
        };
    }

    // Only here, after authenticate: a stranger is asked who they are before they are told which paths exist.
    private static Verdict unmatched(RequestContext context) {
        var allowed = context.allowedMethods();
        return allowed.isEmpty()
                ? ROUTE_UNMATCHED
                : new Verdict.Deny(new Denial.MethodNotAllowed(Reason.AUTHORIZE_METHOD_NOT_ALLOWED, allowed));
    }

    private Verdict judge(RequestContext context, Route route) {
        var rules = route.requireSettings(StageName.AUTHORIZE, RouteRules.class);
        if (!rules.scopesHeldBy(context.principal())) {
            return rules.insufficientScope();
        }
        return switch (rules.decisionPoint().decide(context)) {
            case Answer.Now<Decision>(var decision) -> verdict(decision, route);
            case Answer.Later<Decision>(var decision) -> new Verdict.Pending<>(decision, new Deciding(route));
        };
    }

    private Verdict verdict(Decision decision, Route route) {
        if (!decision.faults().isEmpty()) {
            count(decision.faults(), route);
        }
        return switch (decision) {
            case Decision.Allowed _ -> Verdict.Pass.PASS;
            case Decision.Denied denied -> deniedBy(denied.rules(), denied.faults(), DENY_RULE);
            case Decision.NothingAllowed nothing -> deniedBy(nothing.rules(), nothing.faults(), NO_RULE_ALLOWED);
        };
    }

    /** One request whose decision point has been asked. */
    private final class Deciding implements Verdict.Resumption<Decision> {
        private final Route route;

        Deciding(Route route) {
            this.route = route;
        }

        @Override
        public Verdict answered(Decision decision) {
            return verdict(decision, route);
        }

        // 503, not 403: a caller who may do this must not be told that they may not.
        @Override
        public @Nullable Verdict unanswered(@Nullable Throwable cause) {
            return cause == null
                    ? null
                    : PDP_UNAVAILABLE.with(Evidence.Key.CAUSE, cause.getClass().getName());
        }
    }

    private static Verdict deniedBy(List<String> rules, List<Decision.Fault> faults, Verdict.Deny verdict) {
        var denied = verdict.with(Evidence.Key.RULE_NAME, String.join(",", rules));
        return faults.isEmpty()
                ? denied
                : denied.with(
                        Evidence.Key.DETAIL,
                        faults.stream()
                                .map(fault -> fault.rule() + ": " + fault.kind())
                                .collect(Collectors.joining(", ")));
    }

    // Also when another rule allowed the request: a rule that cannot be evaluated is a mistake that waits for its day.
    private void count(List<Decision.Fault> faults, Route route) {
        for (var fault : faults) {
            meters.counter("sallyport.authorize.rule.faults", "route", route.name(), "rule", fault.rule())
                    .increment();
        }
    }
}
