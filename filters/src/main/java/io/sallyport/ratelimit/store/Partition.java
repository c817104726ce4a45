// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit.store;

/**
 * The units of one key under one policy, as a client sees them.
 *
 * @param label what a client sees of the key: base64 of a keyed hash, so that equal keys can be told and nothing else
 * @param policyItem this partition's whole item of {@code RateLimit-Policy}, made once
 */
public record Partition(RatePolicy policy, String label, String policyItem) {
    public Partition(RatePolicy policy, String label) {
        this(policy, label, policy.policyItem() + label + ':');
    }

    /** This partition's whole item of {@code RateLimit}. */
    public String stateItem(long remaining, int reset) {
        return policy.stateItem() + remaining + ";t=" + reset + ";pk=:" + label + ':';
    }
}
