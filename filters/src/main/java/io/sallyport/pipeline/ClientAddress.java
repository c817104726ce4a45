// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.net.InetAddress;

/**
 * The address of the client: the transport peer's, or the last untrusted hop that trusted proxies vouch for.
 *
 * @param viaTrustedProxy whether it was read from a trusted proxy's {@code X-Forwarded-For}
 */
public record ClientAddress(InetAddress address, boolean viaTrustedProxy) {}
