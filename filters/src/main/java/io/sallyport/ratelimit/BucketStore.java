// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

/** Where buckets are kept. Called on event loops; must not block. */
@FunctionalInterface
public interface BucketStore {
    /**
     * The bucket of this key, with the policy's present limit; made full if there is none.
     *
     * @throws RuntimeException if it cannot be had; the request is then undecided
     */
    Partition partition(RatePolicy policy, PartitionKey key);

    /** Buckets in the memory of this process alone. */
    static BucketStore inMemory() {
        return new MemoryBuckets();
    }
}
