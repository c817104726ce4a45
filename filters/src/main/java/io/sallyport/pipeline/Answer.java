// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import reactor.core.publisher.Mono;

/**
 * What a port of a stage returns: the value, or a promise of it.
 *
 * <p>An adapter that answers from memory returns {@link Now}, and makes it once where the value is a constant. An adapter that has to ask
 * another process returns {@link Later}. The stage makes a {@link io.sallyport.decision.Verdict.Pending} of that.
 */
public sealed interface Answer<T> {

    record Now<T>(T value) implements Answer<T> {}

    /**
     * The value comes later, on any thread.
     *
     * @param value asks when it is subscribed to, and stops asking when it is cancelled; the adapter sets its deadline and its bulkhead
     *     ({@link BoundedCalls}). It fails if there is no answer; completing empty is a mistake
     */
    record Later<T>(Mono<T> value) implements Answer<T> {}
}
