// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** What one stage says about one request. It knows nothing of modes: what a verdict may do is the pipeline's to apply. */
public sealed interface Verdict {

    /** A verdict that stands, as opposed to one that is still being asked for. */
    sealed interface Settled extends Verdict {}

    /** This stage has nothing against the request. One instance: passing allocates nothing. */
    enum Pass implements Settled {
        PASS
    }

    /** This stage refuses the request. */
    record Deny(Denial denial) implements Settled {
        /** The same refusal with this evidence and no other. */
        public Deny with(Evidence evidence) {
            return new Deny(denial.with(evidence));
        }

        /** The same refusal with one piece of evidence more. */
        public Deny with(Evidence.Key key, String value) {
            return new Deny(denial.with(key, value));
        }
    }

    /**
     * This stage could not decide. Only {@code revocation}, {@code ratelimit} and {@code risk} may say so; from every other
     * stage it denies. Their {@link FaultPolicy} chooses between {@code ifDenied} and going on.
     *
     * @param cause for the operator's log, never for the client
     */
    record Undecided(Denial.Unavailable ifDenied, @Nullable Throwable cause) implements Settled {}

    /**
     * The stage has to ask somebody. The {@link Mono} has a deadline and a bulkhead of its own in the adapter that made
     * it; completing empty denies, and so does an error. It is subscribed to once, a client's cancel cancels it, and the
     * pipeline goes on with the next stage on the request's event loop.
     */
    record Pending(Mono<Settled> verdict) implements Verdict {}
}
