// SPDX-License-Identifier: Apache-2.0
/**
 * Is there more than the event loops can do? Each loop knows how late it is; one that is late refuses a share of its requests, by
 * its lag or because memory is short, and reads less from clients of HTTP/2.
 *
 * <p>Reasons: {@code pipeline.overloaded}. State of a loop is its own; nothing is shared but the memory's figures.
 */
@NullMarked
package io.sallyport.wire.shedding;

import org.jspecify.annotations.NullMarked;
