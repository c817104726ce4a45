// SPDX-License-Identifier: Apache-2.0
/**
 * The frame that the stages stand in: {@link io.sallyport.pipeline.Stage} is what one is, {@link
 * io.sallyport.pipeline.Pipeline} runs them in order and is the only place where modes and fault policies are applied, and
 * the only one that mints a {@link io.sallyport.pipeline.Permit}. Beside them lie the facts that stages hand on, in {@link
 * io.sallyport.pipeline.RequestContext}.
 *
 * <p>Depends on {@code decision} and {@code identity} alone. Knows no stage, no wire and no configuration key.
 */
@NullMarked
package io.sallyport.pipeline;

import org.jspecify.annotations.NullMarked;
