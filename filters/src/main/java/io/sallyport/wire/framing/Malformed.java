// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import io.sallyport.decision.Reason;

/**
 * Stands, behind the messages that came before it, for bytes that are not a message, or not the rest of one. Nothing follows it.
 *
 * @param reason an {@code edge.*} reason of status 400, 408, 414 or 431
 * @param inBody whether the head of this message was passed on before: the body that was read of it must never look complete. Also true
 *     for a body that ended with the connection; the channel is inactive then
 */
public record Malformed(Reason reason, boolean inBody) {}
