// SPDX-License-Identifier: Apache-2.0
/**
 * One request of a client from its head to its end, whatever carries it. {@link io.sallyport.wire.exchange.Exchange} is the only way on
 * which a response reaches a client, and where every request leaves its one outcome; {@link io.sallyport.wire.exchange.IngressHandler}
 * has it judged and recorded.
 *
 * <p>Reads: the head and the body of the request, facts of its connection. Reasons: those of {@code edge} that only the wire can see (a
 * body too large, too late or broken; an answer that nobody reads), {@code pipeline.not_ready}, {@code forward.gateway_stopped}, and
 * {@code forward.failed} for whatever nobody foresaw. Where it cannot decide it refuses: never a 500, never a stack trace, never an answer
 * that looks complete and is not.
 *
 * <p>RFC 9110 (HTTP).
 */
@NullMarked
package io.sallyport.wire.exchange;

import org.jspecify.annotations.NullMarked;
