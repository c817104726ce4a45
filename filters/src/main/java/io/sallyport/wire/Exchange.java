// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.ingress.Ingress;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.RequestContext;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.netty.channel.AbortedException;
import reactor.util.context.Context;

/**
 * A request that was not refused at once, until its end: waits for the pipeline if it must, hands the permit to the forwarder,
 * and ends exactly once, whoever comes first: the answer, a denial, a failure, the client going away, or the wire itself when
 * the body turns out too large, too late or broken ({@link #fail}).
 *
 * <p>Confined to the request's event loop.
 */
abstract sealed class Exchange permits DirectExchange, ServerExchange {
    private static final Denial ANSWER_TIMEOUT = new Denial.Rejected(Reason.EDGE_ANSWER_TIMEOUT);

    final Ingress ingress;
    final RequestContext context;

    /** The connection's own on HTTP/1.1, the stream's on HTTP/2. */
    final Channel channel;

    final EventLoop eventLoop;

    /** What a cancel cancels: the stage that is asking, then the forwarder. */
    private @Nullable Subscription underWay;

    private boolean ended;

    Exchange(Ingress ingress, RequestContext context, Channel channel) {
        this.ingress = ingress;
        this.context = context;
        this.channel = channel;
        this.eventLoop = channel.eventLoop();
    }

    /** The status that the client has been sent, or is being sent; 0 if none has. */
    abstract int status();

    /** Whether the client's connection or stream has ended before its answer. */
    abstract boolean isCut();

    /** Hands the permit to its forwarder, which is told of with {@link #proceed}. */
    abstract void forward(Permit permit);

    /** Sends a denial, where nothing has been sent yet, and completes. */
    abstract void refuse(Denial denial);

    /** The client has had its answer, or has gone: whatever is next on its connection may begin. */
    abstract void complete();

    /** Ends an answer so that nobody takes it for complete. */
    abstract void abort();

    final boolean hasEnded() {
        return ended;
    }

    /** @param admission any but a refusal */
    final void settle(Admission admission) {
        switch (admission) {
            case Admission.Settled settled -> settled(settled);
            case Admission.Awaited(var awaited) -> {
                try {
                    awaited.subscribe(new AdmissionSubscriber());
                } catch (Throwable e) {
                    failed(e);
                }
            }
        }
    }

    private void settled(Admission.Settled settled) {
        if (ended) {
            return;
        }
        try {
            switch (settled) {
                case Admission.Permitted(var permit) -> forward(permit);
                case Admission.Refused(var denial) -> end(denial);
            }
        } catch (Throwable e) {
            failed(e);
        }
    }

    /**
     * Ends this exchange for a reason that only the wire sees, upstream first: it never gets a request that looks complete. Does
     * nothing once the exchange has ended.
     */
    final void fail(Denial denial) {
        if (ended) {
            return;
        }
        cancelUnderWay();
        end(denial);
    }

    /**
     * Ends this exchange because its stream was reset for what came on it: nothing can be answered any more. Does nothing once
     * the exchange has ended.
     */
    final void breakOff(Denial.Rejected denial) {
        if (ended) {
            return;
        }
        cancelUnderWay();
        int status = status();
        conclude(status == 0 ? new Outcome.Refused(denial) : new Outcome.Aborted(status, denial));
    }

    final void answered() {
        if (ended) {
            return;
        }
        conclude(isCut() ? cancelled() : new Outcome.Answered(status()));
        complete();
    }

    final void failed(Throwable error) {
        if (ended) {
            return;
        }
        if (!(error instanceof ForwardFailure) && (isCut() || AbortedException.isConnectionReset(error))) {
            conclude(cancelled());
            complete();
            return;
        }
        end(Unforeseen.failure(error, context).denial());
    }

    private void end(Denial denial) {
        if (ended) {
            return;
        }
        int status = status();
        if (status != 0) {
            conclude(new Outcome.Aborted(status, denial));
            // Completing it would complete the answer.
            abort();
            return;
        }
        conclude(new Outcome.Refused(denial));
        try {
            refuse(denial);
        } catch (RuntimeException _) {
            // A forwarder began to answer at this very moment, on another thread: whatever it sends is not an answer.
            abort();
        }
    }

    /** The client is gone. */
    final void clientGone() {
        if (ended) {
            return;
        }
        cancelUnderWay();
        conclude(cancelled());
    }

    /** The client went away, or we from it because it did not take its answer. */
    private Outcome cancelled() {
        int status = status();
        return status != 0 && AnswerDeadline.hasPassed(channel)
                ? new Outcome.Aborted(status, ANSWER_TIMEOUT)
                : new Outcome.Cancelled(status);
    }

    /** Records what came of it. */
    void conclude(Outcome outcome) {
        ended = true;
        ingress.conclude(context, outcome);
    }

    private void cancelUnderWay() {
        if (underWay != null) {
            underWay.cancel();
        }
    }

    /** Asks for what somebody was asked for, unless nobody wants it any more. */
    final void proceed(Subscription subscription, long demand) {
        underWay = subscription;
        if (ended) {
            subscription.cancel();
        } else {
            subscription.request(demand);
        }
    }

    /** What the client's side wants to be known upstream. */
    Context clientContext() {
        return Context.empty();
    }

    /** The pipeline answers on the request's event loop, exactly once, and never fails. */
    private final class AdmissionSubscriber implements CoreSubscriber<Admission.Settled> {
        @Override
        public void onSubscribe(Subscription subscription) {
            proceed(subscription, 1);
        }

        @Override
        public void onNext(Admission.Settled settled) {
            settled(settled);
        }

        @Override
        public void onError(Throwable error) {
            failed(error);
        }

        @Override
        public void onComplete() {}

        @Override
        public Context currentContext() {
            return clientContext();
        }
    }
}
