// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

/** What becomes of a request about which {@code revocation}, {@code ratelimit} or {@code risk} could not decide. */
public enum FaultPolicy {
    /** Fail closed: answered with the 503 that the stage names. */
    DENY,
    /** Fail open, by the operator's written word: recorded, and the request goes on. */
    PASS
}
