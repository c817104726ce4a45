// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import io.github.bucket4j.ConsumptionProbe;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.PolicyName;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.pipeline.RateLimitState;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Charges a request to every policy of its route, or to none: it passes only if all of them have room.
 *
 * <p>Policies are charged one after the other, and when one has no room, what the others were charged is given back. Between the two
 * a request at the same moment may find a policy exhausted that is not: near a limit that errs towards refusing, never towards
 * letting more pass than the limit.
 */
public final class RateLimitStage implements Stage {
    private static final Denial.Unavailable UNAVAILABLE =
            new Denial.Unavailable(Reason.RATELIMIT_UNAVAILABLE, Duration.ofSeconds(5));

    private final BucketStore buckets;

    public RateLimitStage(BucketStore buckets) {
        this.buckets = buckets;
    }

    @Override
    public StageName name() {
        return StageName.RATELIMIT;
    }

    @Override
    public Verdict evaluate(RequestContext context) {
        var limits = context.requireRoute().settings(StageName.RATELIMIT, RouteLimits.class);
        if (limits == null || limits.policies().length == 0) {
            return Verdict.Pass.PASS;
        }
        try {
            var policies = limits.policies();
            return policies.length == 1 ? chargeOne(policies[0], context) : chargeAll(policies, context);
        } catch (RuntimeException e) {
            return new Verdict.Undecided(UNAVAILABLE, e);
        }
    }

    private Verdict chargeOne(RatePolicy policy, RequestContext context) {
        var partition = buckets.partition(policy, PartitionKey.of(policy, context));
        var probe = partition.bucket().tryConsumeAndReturnRemaining(policy.cost());
        long reset = resetSeconds(probe);
        var state = new StringBuilder(64);
        appendState(state, partition, probe.getRemainingTokens(), reset);
        context.rateLimitState(new RateLimitState(partition.policyItem(), state.toString()));
        return probe.isConsumed() ? Verdict.Pass.PASS : exceeded(policy.alone(), reset);
    }

    private Verdict chargeAll(RatePolicy[] policies, RequestContext context) {
        var partitions = new Partition[policies.length];
        var probes = new ConsumptionProbe[policies.length];
        List<PolicyName> exceeded = null;
        long retryAfter = 0;
        int charged = 0;
        try {
            for (; charged < policies.length; charged++) {
                var policy = policies[charged];
                partitions[charged] = buckets.partition(policy, PartitionKey.of(policy, context));
                probes[charged] = partitions[charged].bucket().tryConsumeAndReturnRemaining(policy.cost());
                if (!probes[charged].isConsumed()) {
                    exceeded = exceeded == null ? new ArrayList<>(policies.length) : exceeded;
                    exceeded.add(policy.name());
                    retryAfter = Math.max(retryAfter, resetSeconds(probes[charged]));
                }
            }
        } finally {
            // Also when a later bucket could not be had: an undecided request is charged to nobody.
            if (exceeded != null || charged < policies.length) {
                giveBack(policies, partitions, probes, charged);
            }
        }
        context.rateLimitState(stateOf(policies, partitions, probes, exceeded != null));
        return exceeded == null ? Verdict.Pass.PASS : exceeded(exceeded, retryAfter);
    }

    private static void giveBack(
            RatePolicy[] policies, Partition[] partitions, ConsumptionProbe[] probes, int charged) {
        for (int i = 0; i < charged; i++) {
            if (probes[i].isConsumed()) {
                partitions[i].bucket().addTokens(policies[i].cost());
            }
        }
    }

    private static RateLimitState stateOf(
            RatePolicy[] policies, Partition[] partitions, ConsumptionProbe[] probes, boolean givenBack) {
        var policy = new StringBuilder(64 * partitions.length);
        var state = new StringBuilder(64 * partitions.length);
        for (int i = 0; i < partitions.length; i++) {
            if (i > 0) {
                policy.append(", ");
                state.append(", ");
            }
            var probe = probes[i];
            long returned = givenBack && probe.isConsumed() ? policies[i].cost() : 0;
            policy.append(partitions[i].policyItem());
            appendState(state, partitions[i], probe.getRemainingTokens() + returned, resetSeconds(probe));
        }
        return new RateLimitState(policy.toString(), state.toString());
    }

    private static void appendState(StringBuilder state, Partition partition, long remaining, long reset) {
        state.append(partition.policy().stateItem())
                .append(remaining)
                .append(";t=")
                .append(reset)
                .append(";pk=:")
                .append(partition.label())
                .append(':');
    }

    /** Until the window ends, rounded up: whoever waits as long as that finds it refilled. */
    private static long resetSeconds(ConsumptionProbe probe) {
        long second = TimeUnit.SECONDS.toNanos(1);
        return Math.ceilDiv(probe.getNanosToWaitForReset(), second);
    }

    private static Verdict exceeded(List<PolicyName> policies, long retryAfter) {
        return new Verdict.Deny(new Denial.Throttled(
                Reason.RATELIMIT_EXCEEDED,
                Duration.ofSeconds(Math.max(1, retryAfter)),
                policies,
                Evidence.NONE.with(Evidence.Key.RULE_NAME, join(policies))));
    }

    private static String join(List<PolicyName> policies) {
        return policies.size() == 1
                ? policies.getFirst().value()
                : policies.stream().map(PolicyName::value).collect(Collectors.joining(","));
    }
}
