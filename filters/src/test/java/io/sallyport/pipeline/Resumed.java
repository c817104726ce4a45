// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.decision.Verdict;
import reactor.core.publisher.Mono;

/** Waits for what a stage waits for, where a test has no pipeline. */
public final class Resumed {
    private Resumed() {}

    /** The verdict when all answers have come. It fails and completes empty as they do. */
    public static Mono<Verdict.Settled> settled(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Settled settled -> Mono.just(settled);
            case Verdict.Pending<?> pending -> resumed(pending);
        };
    }

    private static <T> Mono<Verdict.Settled> resumed(Verdict.Pending<T> pending) {
        return pending.answer().flatMap(answer -> settled(pending.resumption().answered(answer)));
    }
}
