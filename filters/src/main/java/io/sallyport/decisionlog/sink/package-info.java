// SPDX-License-Identifier: Apache-2.0
/**
 * Where do decision records go? {@link io.sallyport.decisionlog.sink.RecordSink} is the port; {@code decisionlog.file} and {@code
 * decisionlog.stdout} implement it. A sink knows this package and no other of the decision log.
 */
@NullMarked
package io.sallyport.decisionlog.sink;

import org.jspecify.annotations.NullMarked;
