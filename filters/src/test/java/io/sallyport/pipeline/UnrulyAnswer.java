// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.util.ArrayList;
import java.util.List;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;

/**
 * What an adapter answers when a test says so: on the thread of the test, as often as it likes, after a cancel as well. It keeps no rule of
 * Reactive Streams by itself.
 */
public final class UnrulyAnswer<T> extends Mono<T> implements Subscription {
    private final List<CoreSubscriber<? super T>> asking = new ArrayList<>();
    private int cancelled;
    private boolean throwsWhenCancelled;

    @Override
    public void subscribe(CoreSubscriber<? super T> subscriber) {
        asking.add(subscriber);
        subscriber.onSubscribe(this);
    }

    @Override
    public void request(long demand) {}

    @Override
    public void cancel() {
        cancelled++;
        if (throwsWhenCancelled) {
            throw new IllegalStateException("bug");
        }
    }

    public boolean isAsked() {
        return !asking.isEmpty();
    }

    public int cancelled() {
        return cancelled;
    }

    public void throwWhenCancelled() {
        throwsWhenCancelled = true;
    }

    public UnrulyAnswer<T> says(T value) {
        asker().onNext(value);
        return this;
    }

    public UnrulyAnswer<T> fails(Throwable error) {
        asker().onError(error);
        return this;
    }

    public UnrulyAnswer<T> completes() {
        asker().onComplete();
        return this;
    }

    public UnrulyAnswer<T> subscribesAgain(Subscription subscription) {
        asker().onSubscribe(subscription);
        return this;
    }

    CoreSubscriber<? super T> asker() {
        if (asking.size() != 1) {
            throw new AssertionError("asked %d times (expected: once)".formatted(asking.size()));
        }
        return asking.getFirst();
    }
}
