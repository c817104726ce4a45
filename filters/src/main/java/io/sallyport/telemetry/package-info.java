// SPDX-License-Identifier: Apache-2.0
/**
 * What do requests look like in number? Metrics of requests as a whole, by what became of them. A stage, a sink and a connection
 * own the metrics of their own parts. And how is the process: its clock, its file descriptors.
 *
 * <p>Depends on {@code decision} and {@code pipeline} alone.
 */
@NullMarked
package io.sallyport.telemetry;

import org.jspecify.annotations.NullMarked;
