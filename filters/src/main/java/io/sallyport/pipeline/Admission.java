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

    /** Some stage is asking; exactly one element, never empty, never an error, on the request's event loop. */
    record Awaited(Mono<Settled> admission) implements Admission {}
}
