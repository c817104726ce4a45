// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.decision.Mode;
import io.sallyport.decision.Verdict;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * The admission of a request while one stage waits for an answer. Subscribes to the answer when it is requested itself.
 *
 * <p>This is the only place where an answer comes back into the pipeline. An adapter may answer on any thread, twice, late or after a
 * cancel. The first signal is moved to the request's event loop. The others are ignored.
 *
 * <p>The signals of the answer come on any thread. Everything else here is confined to the request's event loop.
 */
final class AwaitedAdmission<T> extends Mono<Admission.Settled> implements Subscription, CoreSubscriber<T>, Runnable {
    private static final Logger log = LoggerFactory.getLogger(AwaitedAdmission.class);

    private final Pipeline pipeline;
    private final RequestContext context;
    private final int stage;
    private final Mode mode;
    private final Verdict.Pending<T> pending;

    private final AtomicBoolean signalled = new AtomicBoolean();
    private @Nullable T answer;
    private @Nullable Throwable failure;
    private volatile @Nullable Subscription asking;
    private volatile boolean cancelled;

    private @Nullable CoreSubscriber<? super Admission.Settled> client;
    private boolean requested;
    private boolean resumed;
    private @Nullable AwaitedAdmission<?> following;

    /**
     * Creates the admission that waits.
     *
     * @param stage the index of the stage that waits
     * @param mode of that stage for this request
     */
    AwaitedAdmission(Pipeline pipeline, RequestContext context, int stage, Mode mode, Verdict.Pending<T> pending) {
        this.pipeline = pipeline;
        this.context = context;
        this.stage = stage;
        this.mode = mode;
        this.pending = pending;
    }

    @Override
    public void subscribe(CoreSubscriber<? super Admission.Settled> client) {
        if (this.client != null) {
            Operators.error(client, new IllegalStateException("an admission is awaited once"));
            return;
        }
        this.client = client;
        client.onSubscribe(this);
    }

    @Override
    public void request(long demand) {
        if (!requested && !cancelled) {
            requested = true;
            ask();
        }
    }

    private void ask() {
        try {
            pending.answer().subscribe(this);
        } catch (Throwable e) {
            onError(e);
        }
    }

    @Override
    public void cancel() {
        if (cancelled) {
            return;
        }
        cancelled = true;
        if (following != null) {
            following.cancel();
        }
        if (resumed) {
            return;
        }
        var subscription = asking;
        if (subscription != null) {
            release(subscription::cancel);
        }
        release(pending.resumption()::abandoned);
    }

    @Override
    public Context currentContext() {
        return Objects.requireNonNull(client).currentContext();
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        if (!Operators.validate(asking, subscription)) {
            return;
        }
        asking = subscription;
        if (cancelled) {
            subscription.cancel();
        } else {
            subscription.request(Long.MAX_VALUE);
        }
    }

    @Override
    public void onNext(T value) {
        signal(value, null);
    }

    @Override
    public void onError(Throwable error) {
        signal(null, error);
    }

    @Override
    public void onComplete() {
        signal(null, null);
    }

    private void signal(@Nullable T value, @Nullable Throwable error) {
        if (!signalled.compareAndSet(false, true)) {
            return;
        }
        answer = value;
        failure = error;
        try {
            context.eventLoop().execute(this);
        } catch (RejectedExecutionException e) {
            log.atDebug()
                    .addKeyValue("request_id", context.requestId())
                    .log("an answer came after the event loop of its request had ended");
        }
    }

    /** The first signal of the answer, on the request's event loop. */
    @Override
    public void run() {
        if (cancelled) {
            var late = answer;
            if (late != null) {
                release(() -> pending.resumption().answeredLate(late));
            }
            return;
        }
        resumed = true;
        proceed(pipeline.resume(stage, mode, pending.resumption(), answer, failure, context));
    }

    private void proceed(Admission admission) {
        switch (admission) {
            case Admission.Settled settled -> settle(settled);
            case Admission.Awaited(var next) -> {
                // Only the pipeline makes one, and of this class.
                var awaited = (AwaitedAdmission<?>) next;
                following = awaited;
                awaited.follow(this);
            }
        }
    }

    private void settle(Admission.Settled settled) {
        var waiting = Objects.requireNonNull(client);
        waiting.onNext(settled);
        waiting.onComplete();
    }

    /** Begins to wait for the client of another admission, which has been resumed. */
    private void follow(AwaitedAdmission<?> before) {
        client = before.client;
        request(1);
    }

    // The outcome of the request has to be recorded, whatever a stage or an adapter does.
    private void release(Runnable release) {
        try {
            release.run();
        } catch (Throwable e) {
            log.atError()
                    .addKeyValue("request_id", context.requestId())
                    .setCause(e)
                    .log("a stage or its adapter failed to let go of a request that was cancelled");
        }
    }
}
