// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.PolicyName;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.pipeline.Answer;
import io.sallyport.pipeline.RateLimitState;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import io.sallyport.ratelimit.store.Charge;
import io.sallyport.ratelimit.store.LimitStore;
import io.sallyport.ratelimit.store.PartitionKey;
import io.sallyport.ratelimit.store.RatePolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Charges a request to every policy of its route, or to none: it passes only if all of them have room.
 *
 * <p>Policies are charged one after the other. If one has no room, what the others were charged is given back. Between the two a request
 * at the same moment may find a policy exhausted that is not: near a limit that errs towards refusing, never towards letting more pass
 * than the limit.
 */
public final class RateLimitStage implements Stage {
    private static final Denial.Unavailable UNAVAILABLE =
            new Denial.Unavailable(Reason.RATELIMIT_UNAVAILABLE, Duration.ofSeconds(5));

    private static final Verdict.Deny KEY_MISSING =
            new Verdict.Deny(new Denial.Forbidden(Reason.RATELIMIT_KEY_MISSING));

    private final LimitStore store;

    public RateLimitStage(LimitStore store) {
        this.store = store;
    }

    @Override
    public StageName name() {
        return StageName.RATELIMIT;
    }

    @Override
    public Verdict evaluate(RequestContext context) {
        var limits = context.requireRoute().settings(StageName.RATELIMIT, RouteLimits.class);
        return limits == null || limits.policies().length == 0
                ? Verdict.Pass.PASS
                : new Charging(limits.policies(), context).next();
    }

    /** The charges of one request. Confined to its event loop, so that a cancel and an answer never meet. */
    private final class Charging implements Verdict.Resumption<Charge> {
        private final RatePolicy[] policies;
        private final RequestContext context;
        private final Charge[] charges;
        private int charged;

        Charging(RatePolicy[] policies, RequestContext context) {
            this.policies = policies;
            this.context = context;
            this.charges = new Charge[policies.length];
        }

        /** Charges the policies that are left, until one has to wait. A refusal names every exceeded policy, so all are charged. */
        Verdict next() {
            try {
                while (charged < policies.length) {
                    var policy = policies[charged];
                    var key = PartitionKey.of(policy, context);
                    if (key == null) {
                        return keyMissing(policy);
                    }
                    switch (store.charge(policy, key)) {
                        case Answer.Now<Charge>(var charge) -> charges[charged++] = charge;
                        case Answer.Later<Charge>(var charge) -> {
                            return new Verdict.Pending<>(charge, this);
                        }
                    }
                }
            } catch (RuntimeException e) {
                return undecided(e);
            }
            return verdict();
        }

        @Override
        public Verdict answered(Charge charge) {
            charges[charged++] = charge;
            return next();
        }

        @Override
        public @Nullable Verdict unanswered(@Nullable Throwable cause) {
            if (cause == null) {
                giveBack();
                return null;
            }
            return undecided(cause);
        }

        @Override
        public void abandoned() {
            giveBack();
        }

        @Override
        public void answeredLate(Charge charge) {
            if (charge.granted()) {
                charge.giveBack();
            }
        }

        /** Nor is one that a limit cannot count. */
        private Verdict keyMissing(RatePolicy policy) {
            giveBack();
            return KEY_MISSING.with(Evidence.NONE
                    .with(Evidence.Key.RULE_NAME, policy.name().value())
                    .with(Evidence.Key.DETAIL, "no " + policy.key()));
        }

        /** An undecided request is charged to nobody. */
        private Verdict undecided(Throwable cause) {
            giveBack();
            return new Verdict.Undecided(UNAVAILABLE, cause);
        }

        private void giveBack() {
            for (int i = 0; i < charged; i++) {
                if (charges[i].granted()) {
                    charges[i].giveBack();
                }
            }
        }

        private Verdict verdict() {
            int retryAfter = 0;
            for (int i = 0; i < charged; i++) {
                if (!charges[i].granted()) {
                    retryAfter = Math.max(retryAfter, Math.max(1, charges[i].reset()));
                }
            }
            boolean refused = retryAfter > 0;
            context.rateLimitState(state(refused));
            if (!refused) {
                return Verdict.Pass.PASS;
            }
            giveBack();
            var exceeded = exceeded();
            return new Verdict.Deny(new Denial.Throttled(
                    Reason.RATELIMIT_EXCEEDED,
                    Duration.ofSeconds(retryAfter),
                    exceeded,
                    Evidence.NONE.with(Evidence.Key.RULE_NAME, join(exceeded))));
        }

        private List<PolicyName> exceeded() {
            if (charged == 1) {
                return policies[0].alone();
            }
            var exceeded = new ArrayList<PolicyName>(charged);
            for (int i = 0; i < charged; i++) {
                if (!charges[i].granted()) {
                    exceeded.add(policies[i].name());
                }
            }
            return exceeded;
        }

        private RateLimitState state(boolean givenBack) {
            var policy = "";
            var state = "";
            for (int i = 0; i < charged; i++) {
                var charge = charges[i];
                var partition = charge.partition();
                long returned = givenBack && charge.granted() ? policies[i].cost() : 0;
                var item = partition.stateItem(charge.remaining() + returned, charge.reset());
                policy = i == 0 ? partition.policyItem() : policy + ", " + partition.policyItem();
                state = i == 0 ? item : state + ", " + item;
            }
            return new RateLimitState(policy, state);
        }
    }

    private static String join(List<PolicyName> policies) {
        return policies.size() == 1
                ? policies.getFirst().value()
                : policies.stream().map(PolicyName::value).collect(Collectors.joining(","));
    }
}
