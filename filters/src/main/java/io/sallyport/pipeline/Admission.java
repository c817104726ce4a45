// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.decision.Denial;
import reactor.core.publisher.Mono;

/** What the pipeline says in the end: the request may be forwarded, is refused, or has to wait for somebody's answer. */
public sealed interface Admission {

    /** An admission that stands. */
    sealed interface Settled extends Admission {}

    record Permitted(Permit permit) implements Settled {}

    record Refused(Denial denial) implements Settled {}

    /**
     * A stage waits. The admission begins to ask when it is requested, and emits one element on the request's event loop: it is never
     * empty and never fails. It is subscribed to once, and cancelled on that event loop.
     */
    record Awaited(Mono<Settled> admission) implements Admission {}
}
