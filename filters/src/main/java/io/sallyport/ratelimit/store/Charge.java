// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit.store;

/** What a {@link LimitStore} did about one limit of one request: it took the policy's cost, or it found too few units left. */
public interface Charge {
    /** Whether the units were there, and have been taken. */
    boolean granted();

    /** The units that are left, {@code r} of {@code RateLimit}. */
    long remaining();

    /** The seconds until the window ends, rounded up: {@code t} of {@code RateLimit}. */
    int reset();

    /** Whose units these are. */
    Partition partition();

    /** Gives back what was taken. For a granted charge only, once, on any thread; neither waits nor throws. */
    void giveBack();
}
