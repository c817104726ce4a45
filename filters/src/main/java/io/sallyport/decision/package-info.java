// SPDX-License-Identifier: Apache-2.0
/**
 * The words a stage decides in: {@link io.sallyport.decision.Verdict} is what it says, {@link
 * io.sallyport.decision.Denial} is a refusal as a value, {@link io.sallyport.decision.Reason} is the public registry of
 * why, and {@link io.sallyport.decision.Mode} and {@link io.sallyport.decision.FaultPolicy} say what an operator lets a
 * verdict do.
 *
 * <p>Depends on nothing of Sallyport's. Nothing here blocks, allocates lazily or knows a configuration key.
 */
@NullMarked
package io.sallyport.decision;

import org.jspecify.annotations.NullMarked;
