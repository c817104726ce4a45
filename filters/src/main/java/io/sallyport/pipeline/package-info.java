// SPDX-License-Identifier: Apache-2.0
/**
 * The frame that the stages stand in: {@link io.sallyport.pipeline.Stage} is what one is, {@link
 * io.sallyport.pipeline.Pipeline} runs them in order and is the only place where modes and fault policies are applied, and
 * the only one that mints a {@link io.sallyport.pipeline.Permit}. Beside them lie the facts that stages hand on, in {@link
 * io.sallyport.pipeline.RequestContext}.
 *
 * <p>A port of a stage returns an {@link io.sallyport.pipeline.Answer}: the value now, or later. An adapter that asks another process gives
 * its calls a deadline and a bulkhead with {@link io.sallyport.pipeline.BoundedCalls}. The stage says that it waits with a {@link
 * io.sallyport.decision.Verdict.Pending}; the pipeline waits, and resumes on the request's event loop.
 *
 * <p>Depends on {@code decision} and {@code identity} alone. Knows no stage, no wire and no configuration key.
 */
@NullMarked
package io.sallyport.pipeline;

import org.jspecify.annotations.NullMarked;
