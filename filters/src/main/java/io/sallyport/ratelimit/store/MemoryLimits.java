// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit.store;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.TokensInheritanceStrategy;
import io.sallyport.pipeline.Answer;
import java.util.concurrent.TimeUnit;

/**
 * Buckets of this process alone. They outlive reloads: a bucket belongs to its route's and policy's names and to its key, and keeps
 * what was spent. When the policy's limit or window has changed, what is left is kept in proportion.
 *
 * <p>Bounded: a bucket that was not asked for during its own window is full and is forgotten without loss, and beyond the
 * capacity the least used one is forgotten, which gives its key a fresh window.
 */
public final class MemoryLimits implements LimitStore {
    private static final int DEFAULT_CAPACITY = 131_072;

    private final Cache<PartitionKey, Counted> buckets;
    private final PartitionLabels labels;
    private final TimeMeter clock;

    MemoryLimits() {
        // Monotonic: a wall clock that is set back would stop every refill for as long.
        this(DEFAULT_CAPACITY, TimeMeter.SYSTEM_NANOTIME, PartitionLabels.random());
    }

    /** @param capacity how many buckets are kept at most */
    public MemoryLimits(int capacity, TimeMeter clock, PartitionLabels labels) {
        this.labels = labels;
        this.clock = clock;
        this.buckets = Caffeine.newBuilder()
                .maximumSize(capacity)
                .ticker(clock::currentTimeNanos)
                .expireAfter(Expiry.accessing((PartitionKey _, Counted counted) ->
                        counted.partition().policy().window()))
                // Evicts on the thread that adds: whoever brings new keys pays for them.
                .executor(Runnable::run)
                .build();
    }

    @Override
    public Answer<Charge> charge(RatePolicy policy, PartitionKey key) {
        var counted = counted(policy, key);
        return new Answer.Now<>(
                new Taken(policy, counted, counted.bucket().tryConsumeAndReturnRemaining(policy.cost())));
    }

    private Counted counted(RatePolicy policy, PartitionKey key) {
        var counted = buckets.getIfPresent(key);
        if (counted == null) {
            counted = buckets.get(key, missing -> open(policy, missing));
        }
        var made = counted.partition().policy();
        return made == policy || made.bucket().equals(policy.bucket()) ? counted : carryOver(counted, policy, key);
    }

    private Counted open(RatePolicy policy, PartitionKey key) {
        var bucket = Bucket.builder()
                .addLimit(policy.bucket().getBandwidths()[0])
                .withCustomTimePrecision(clock)
                .build();
        return new Counted(new Partition(policy, labels.labelOf(key)), bucket);
    }

    /** The first use of a bucket after its limit changed. A request of the generation before may still bring the old one back once. */
    private Counted carryOver(Counted counted, RatePolicy policy, PartitionKey key) {
        counted.bucket().replaceConfiguration(policy.bucket(), TokensInheritanceStrategy.PROPORTIONALLY);
        var carried = new Counted(new Partition(policy, counted.partition().label()), counted.bucket());
        buckets.put(key, carried);
        return carried;
    }

    /** A partition and the bucket that was last made or changed for its policy. */
    private record Counted(Partition partition, Bucket bucket) {}

    private record Taken(RatePolicy policy, Counted counted, ConsumptionProbe probe) implements Charge {
        @Override
        public boolean granted() {
            return probe.isConsumed();
        }

        @Override
        public long remaining() {
            return probe.getRemainingTokens();
        }

        // Rounded up: whoever waits as long as that finds the window refilled.
        @Override
        public int reset() {
            return (int) Math.ceilDiv(probe.getNanosToWaitForReset(), TimeUnit.SECONDS.toNanos(1));
        }

        @Override
        public Partition partition() {
            return counted.partition();
        }

        @Override
        public void giveBack() {
            counted.bucket().addTokens(policy.cost());
        }
    }

    /** How many buckets are kept just now. */
    public long size() {
        buckets.cleanUp();
        return buckets.estimatedSize();
    }
}
