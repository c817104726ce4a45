// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import io.netty.util.NetUtil;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.identity.ExpectedId;
import java.util.HashSet;
import java.util.List;

/**
 * Section {@code internal-listener}: a second way to the same routes, for workloads. The certificate that they see is the gateway's
 * own X509-SVID; limits and time-outs are those of {@code listener}.
 */
public record InternalListenerConfig(
        @Setting(value = "The address to listen on, a literal.", byDefault = "0.0.0.0")
        String address,

        @Setting("The port to listen on, 0 (any free one) to 65535; of its own.")
        int port,

        @Setting(
                "The SPIFFE IDs of the workloads that may connect, proven by their X509-SVID in the handshake; a whole path segment"
                        + " may be *. Which of them may call a route is the route's client-spiffe-ids.")
        List<ExpectedId> clientSpiffeIds) {
    private static final int HIGHEST_PORT = 65_535;

    public InternalListenerConfig {
        if (!NetUtil.isValidIpV4Address(address) && !NetUtil.isValidIpV6Address(address)) {
            throw new InvalidSetting("address", address, "an IPv4 or IPv6 address");
        }
        if (port < 0 || port > HIGHEST_PORT) {
            throw new InvalidSetting("port", port, "0 to %d".formatted(HIGHEST_PORT));
        }
        if (clientSpiffeIds.isEmpty() || new HashSet<>(clientSpiffeIds).size() != clientSpiffeIds.size()) {
            throw new InvalidSetting("client-spiffe-ids", clientSpiffeIds, "at least one workload, each once");
        }
        clientSpiffeIds = List.copyOf(clientSpiffeIds);
    }
}
