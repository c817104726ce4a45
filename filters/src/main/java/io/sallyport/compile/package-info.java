// SPDX-License-Identifier: Apache-2.0
/**
 * Configuration to snapshot: reads the one file, has every package compile its own sections, checks what none of them can see
 * alone, and replaces the {@link io.sallyport.pipeline.Snapshot} in force when the file changes. Knows no Spring, so that {@code
 * sallyport check} says the same as a start.
 *
 * <p>Nothing is compiled from a file that is not valid: {@link io.sallyport.compile.InvalidConfiguration} has all findings.
 */
@NullMarked
package io.sallyport.compile;

import org.jspecify.annotations.NullMarked;
