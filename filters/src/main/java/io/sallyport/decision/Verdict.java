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
     * The stage has to wait for an answer. The pipeline subscribes to it once, and resumes on the request's event loop. The first signal
     * counts, later ones are ignored. A client's cancel cancels the subscription.
     *
     * @param answer has a deadline and a bulkhead of its own in the adapter that made it
     * @param resumption told once what came of it
     */
    record Pending<T>(Mono<T> answer, Resumption<T> resumption) implements Verdict {}

    /**
     * How a stage goes on when it has waited. The pipeline calls it on the request's event loop, and exactly one of {@link #answered},
     * {@link #unanswered} and {@link #abandoned}, once. Throwing denies.
     */
    @FunctionalInterface
    interface Resumption<T> {
        /** Judges the answer. The verdict may be pending again. */
        Verdict answered(T answer);

        /**
         * Judges that no answer comes. Returns null by default: the stage has failed, and that denies in every mode.
         *
         * @param cause null if the answer completed empty, which is a mistake of the adapter
         */
        default @Nullable Verdict unanswered(@Nullable Throwable cause) {
            return null;
        }

        /** The client has gone, and nobody waits any more. Releases what the stage took for this request; must not throw. */
        default void abandoned() {}

        /** The answer came after {@link #abandoned}. Releases what the answer took; must not throw. */
        default void answeredLate(T answer) {}
    }
}
