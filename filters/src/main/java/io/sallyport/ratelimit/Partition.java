// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import io.github.bucket4j.Bucket;

/**
 * The units of one key under one policy.
 *
 * @param policy what the bucket was last made or changed for
 * @param bucket where they are counted
 * @param label what a client sees of the key: base64 of a keyed hash, so that equal keys can be told and nothing else
 * @param policyItem this partition's whole item of {@code RateLimit-Policy}, made once
 */
public record Partition(RatePolicy policy, Bucket bucket, String label, String policyItem) {
    public Partition(RatePolicy policy, Bucket bucket, String label) {
        this(policy, bucket, label, policy.policyItem() + label + ':');
    }
}
