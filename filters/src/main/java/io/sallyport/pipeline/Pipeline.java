// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the stages in order: one loop over an array, left only for a pending verdict. The only place where modes and fault
 * policies are applied, the only one that mints a {@link Permit}, and the one through which every request ends.
 */
public final class Pipeline {
    private static final Logger log = LoggerFactory.getLogger(Pipeline.class);

    private static final Denial STAGE_FAILED =
            new Denial.Unavailable(Reason.PIPELINE_STAGE_FAILED, Duration.ofSeconds(1));

    private final Stage[] stages;
    private final OutcomeListener listener;

    /** @param listener told once about each request's outcome, after the stages that saw it */
    public Pipeline(List<Stage> stages, OutcomeListener listener) {
        this.stages = stages.toArray(Stage[]::new);
        this.listener = listener;
    }

    /** Judges the request. Never throws: a stage that does denies. Call {@link #conclude} when the request has ended. */
    public Admission admit(RequestContext context) {
        return runFrom(0, context);
    }

    private Admission runFrom(int first, RequestContext context) {
        for (int i = first; i < stages.length; i++) {
            var stage = stages[i];
            var mode = modeOf(stage.name(), context);
            if (mode == Mode.OFF) {
                continue;
            }
            context.seenBy(stage.name());
            var stopped = stop(evaluate(stage, context), i, mode, context);
            if (stopped != null) {
                return stopped;
            }
        }
        return mint(context);
    }

    private static Admission.Settled mint(RequestContext context) {
        try {
            return new Admission.Permitted(new Permit(context));
        } catch (IllegalStateException e) {
            return new Admission.Refused(failed(StageName.EDGE, e, context));
        }
    }

    /** What the verdict of the stage at that index makes of the request, or null if the next stage is asked. */
    private @Nullable Admission stop(Verdict verdict, int index, Mode mode, RequestContext context) {
        if (verdict == Verdict.Pass.PASS) {
            return null;
        }
        return switch (verdict) {
            case Verdict.Pending<?> pending -> await(pending, index, mode, context);
            case Verdict.Settled settled -> {
                var denial = apply(stages[index].name(), mode, settled, context);
                yield denial == null ? null : new Admission.Refused(denial);
            }
        };
    }

    private <T> Admission await(Verdict.Pending<T> pending, int index, Mode mode, RequestContext context) {
        return new Admission.Awaited(new AwaitedAdmission<>(this, context, index, mode, pending));
    }

    /**
     * Goes on where the stage at that index has waited. On the request's event loop.
     *
     * @param answer null if there is none
     * @param failure why there is none, or null if the answer completed empty
     */
    <T> Admission resume(
            int index,
            Mode mode,
            Verdict.Resumption<T> resumption,
            @Nullable T answer,
            @Nullable Throwable failure,
            RequestContext context) {
        var stopped = stop(judge(index, resumption, answer, failure, context), index, mode, context);
        return stopped != null ? stopped : runFrom(index + 1, context);
    }

    private <T> Verdict judge(
            int index,
            Verdict.Resumption<T> resumption,
            @Nullable T answer,
            @Nullable Throwable failure,
            RequestContext context) {
        var stage = stages[index].name();
        try {
            var verdict = answer != null ? resumption.answered(answer) : resumption.unanswered(failure);
            if (verdict != null) {
                return verdict;
            }
            var cause = failure != null ? failure : new IllegalStateException("an answer completed empty");
            return new Verdict.Deny(failed(stage, cause, context));
        } catch (Throwable e) {
            return new Verdict.Deny(failed(stage, e, context));
        }
    }

    // Any Throwable: a stage that overflows the stack or cannot be linked must deny like one that has a bug.
    private static Verdict evaluate(Stage stage, RequestContext context) {
        try {
            return stage.evaluate(context);
        } catch (Throwable e) {
            return new Verdict.Deny(failed(stage.name(), e, context));
        }
    }

    private static Denial failed(StageName stage, Throwable cause, RequestContext context) {
        log.atError()
                .addKeyValue("stage", stage.code())
                .addKeyValue("request_id", context.requestId())
                .setCause(cause)
                .log("a stage failed; the request is denied");
        return STAGE_FAILED
                .with(Evidence.Key.DETAIL, stage.code())
                .with(Evidence.Key.CAUSE, cause.getClass().getName());
    }

    /** The only place where modes and fault policies are applied. Returns the denial that stops the request, or null. */
    private static @Nullable Denial apply(StageName stage, Mode mode, Verdict.Settled verdict, RequestContext context) {
        return switch (verdict) {
            case Verdict.Pass _ -> null;
            case Verdict.Deny(Denial denial) -> applyMode(stage, mode, denial, context);
            case Verdict.Undecided(Denial.Unavailable undecided, var cause) -> {
                Denial ifDenied = cause == null
                        ? undecided
                        : undecided.with(Evidence.Key.CAUSE, cause.getClass().getName());
                yield stage.mayBeUndecided() && context.requireRoute().onUndecided(stage) == FaultPolicy.PASS
                        ? letPass(stage, ifDenied, WouldDeny.Cause.UNDECIDED, context)
                        : applyMode(stage, mode, ifDenied, context);
            }
        };
    }

    @SuppressWarnings("ReferenceEquality") // the one instance, made here: no stage can return it
    private static @Nullable Denial applyMode(StageName stage, Mode mode, Denial denial, RequestContext context) {
        // A failed stage denies whatever its mode: it may have passed the request half-judged.
        return mode == Mode.OBSERVE && denial.reason() != Reason.PIPELINE_STAGE_FAILED
                ? letPass(stage, denial, WouldDeny.Cause.OBSERVED, context)
                : denial;
    }

    private static @Nullable Denial letPass(
            StageName stage, Denial denial, WouldDeny.Cause cause, RequestContext context) {
        context.addWouldDeny(new WouldDeny(stage, denial, cause));
        if (stage.observingIsInsecure()) {
            context.becomeAnonymous();
        }
        return null;
    }

    private static Mode modeOf(StageName stage, RequestContext context) {
        var route = context.route();
        return route == null ? Mode.ENFORCE : route.mode(stage);
    }

    /**
     * Ends the request: tells the stages that saw it, then the listener. Does nothing from the second call on, so that
     * racing ways out (an answer, a time-out, a client's cancel) leave one outcome.
     */
    public void conclude(RequestContext context, Outcome outcome) {
        if (!context.concludeOnce()) {
            return;
        }
        var lease = context.takeLease();
        if (lease != null) {
            lease.abandoned();
        }
        for (var stage : stages) {
            if (context.wasSeenBy(stage.name())) {
                try {
                    stage.onOutcome(context, outcome);
                } catch (RuntimeException e) {
                    log.atError()
                            .addKeyValue("stage", stage.name().code())
                            .setCause(e)
                            .log("a stage failed on an outcome");
                }
            }
        }
        listener.onOutcome(context, outcome);
    }
}
