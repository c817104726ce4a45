// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit.store;

import io.sallyport.pipeline.Answer;

/**
 * Where limits are counted. The stage charges the limits of a request one after the other, and gives charges back if one is refused: a
 * store knows of one limit at a time.
 */
@FunctionalInterface
public interface LimitStore {
    /**
     * Takes the policy's cost from the units of this key, all of it or nothing. A key that is new has all units of its window, and a
     * changed limit takes effect with the next charge. Called on event loops; must not block.
     *
     * @return {@link Answer.Later} fails if the store did not answer; the request is then undecided. What the store may have taken
     *     nevertheless is not given back: a failure may charge too much, never too little
     * @throws RuntimeException if the store cannot be asked; the request is then undecided
     */
    Answer<Charge> charge(RatePolicy policy, PartitionKey key);

    /** Limits that are counted in the memory of this process alone. */
    static LimitStore inMemory() {
        return new MemoryLimits();
    }
}
