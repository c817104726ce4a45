// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

/** What an enforced, observed or switched-off stage may do to a request. Applied in one place: the pipeline. */
public enum Mode {
    /** The stage does not run. Only {@code revocation}, {@code ratelimit} and {@code risk} know this mode. */
    OFF,
    /** The stage runs fully; a denial is recorded as one that would have been, and the request goes on. */
    OBSERVE,
    /** A denial stops the request. */
    ENFORCE
}
