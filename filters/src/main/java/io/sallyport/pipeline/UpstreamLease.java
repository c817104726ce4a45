// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

/** A place at an upstream, taken by {@code route} and given back exactly once, when the exchange has ended. */
public interface UpstreamLease {
    /** The upstream answered; whether the status counts as failure is the breaker's to say. */
    void answered(int status);

    /** The upstream could not be reached, did not prove its identity, broke off or was too late. */
    void failed(Throwable cause);

    /**
     * The upstream answered, and the exchange goes on for as long as both sides like. The place is kept until one of the others is
     * called, but the breaker does not wait for that: it may have let this one through to see whether the upstream is well again.
     */
    void lasting();

    /** The request ended without a word about the upstream: the client went away, or nothing was sent. */
    void abandoned();
}
