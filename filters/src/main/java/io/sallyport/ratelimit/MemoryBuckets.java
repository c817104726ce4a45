// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.TokensInheritanceStrategy;

/**
 * Buckets of this process alone. They outlive reloads: a bucket belongs to its route's and policy's names and to its key, and keeps
 * what was spent. When the policy's limit or window has changed, what is left is kept in proportion.
 *
 * <p>Bounded: a bucket that was not asked for during its own window is full and is forgotten without loss, and beyond the
 * capacity the least used one is forgotten, which gives its key a fresh window.
 */
final class MemoryBuckets implements BucketStore {
    private static final int DEFAULT_CAPACITY = 131_072;

    private final Cache<PartitionKey, Partition> partitions;
    private final PartitionLabels labels;
    private final TimeMeter clock;

    MemoryBuckets() {
        // Monotonic: a wall clock that is set back would stop every refill for as long.
        this(DEFAULT_CAPACITY, TimeMeter.SYSTEM_NANOTIME, PartitionLabels.random());
    }

    /** @param capacity how many buckets are kept at most */
    MemoryBuckets(int capacity, TimeMeter clock, PartitionLabels labels) {
        this.labels = labels;
        this.clock = clock;
        this.partitions = Caffeine.newBuilder()
                .maximumSize(capacity)
                .ticker(clock::currentTimeNanos)
                .expireAfter(Expiry.accessing((PartitionKey _, Partition partition) ->
                        partition.policy().window()))
                // Evicts on the thread that adds: whoever brings new keys pays for them.
                .executor(Runnable::run)
                .build();
    }

    @Override
    public Partition partition(RatePolicy policy, PartitionKey key) {
        var partition = partitions.getIfPresent(key);
        if (partition == null) {
            partition = partitions.get(key, missing -> open(policy, missing));
        }
        return partition.policy() == policy || partition.policy().bucket().equals(policy.bucket())
                ? partition
                : carryOver(partition, policy, key);
    }

    private Partition open(RatePolicy policy, PartitionKey key) {
        var bucket = Bucket.builder()
                .addLimit(policy.bucket().getBandwidths()[0])
                .withCustomTimePrecision(clock)
                .build();
        return new Partition(policy, bucket, labels.labelOf(key));
    }

    /** The first use of a bucket after its limit changed. A request of the generation before may still bring the old one back once. */
    private Partition carryOver(Partition partition, RatePolicy policy, PartitionKey key) {
        partition.bucket().replaceConfiguration(policy.bucket(), TokensInheritanceStrategy.PROPORTIONALLY);
        var carried = new Partition(policy, partition.bucket(), partition.label());
        partitions.put(key, carried);
        return carried;
    }

    /** How many buckets are kept just now. */
    long size() {
        partitions.cleanUp();
        return partitions.estimatedSize();
    }
}
