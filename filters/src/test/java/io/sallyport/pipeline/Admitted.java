// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;

/** Waits for the admission of one request as the wire does, with an event loop that runs when the test says so. */
public final class Admitted implements Executor, CoreSubscriber<Admission.Settled> {
    private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
    private final List<Admission.Settled> settled = new ArrayList<>();
    private @Nullable Subscription waiting;

    /** Waits for what the pipeline says of the request, whose event loop this is. */
    public Admitted await(Pipeline pipeline, RequestContext context) {
        switch (pipeline.admit(context)) {
            case Admission.Settled now -> settled.add(now);
            case Admission.Awaited(Mono<Admission.Settled> later) -> later.subscribe(this);
        }
        return this;
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        waiting = subscription;
        subscription.request(1);
    }

    @Override
    public void onNext(Admission.Settled admission) {
        settled.add(admission);
    }

    @Override
    public void onError(Throwable error) {
        throw new AssertionError("an admission never fails", error);
    }

    @Override
    public void onComplete() {
        // What counts is the one element.
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }

    /** Runs the event loop until it has nothing to do. */
    public Admitted turn() {
        for (var task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
        return this;
    }

    /** The client goes away. */
    public void cancel() {
        if (waiting == null) {
            throw new AssertionError("nobody waits");
        }
        waiting.cancel();
    }

    /** What the pipeline has said; more than one is a mistake. */
    public List<Admission.Settled> settled() {
        return List.copyOf(settled);
    }

    public Admission.Settled only() {
        if (settled.size() != 1) {
            throw new AssertionError("admitted: " + settled);
        }
        return settled.getFirst();
    }
}
